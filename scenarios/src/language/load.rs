//! From scenario files to scenarios: all of them, or everything that is wrong with any.

use std::collections::BTreeMap;

use handover_harness::event::Hop;
use handover_harness::plan::{
    Claim, CredentialPlan, Evidence, Expected, MovesBy, Pinned, Plan, ProbePlan, Refresh,
};

use super::catalogue::{Catalogue, ScenarioFile};
use super::draft::{Draft, GivenStore};
use super::error::{Problems, Sink};
use super::form::Form;
use super::node::{Key, Node, documents};
use super::scale::Scale;
use super::scenario::{Action, Credential, DatabaseKind, Door, KUBELET, NODE, Scenario, Seed, Step, Store};
use super::shape::shape;
use super::source::Span;
use super::vars::Vars;
use super::words::{NewName, ScaleWord};
use super::{expect, given, pinned, release, settles, steps, watch};

shape! {
    /// One story: what is given, what is done, and what the timeline must show.
    pub(super) struct File {
        /// Its name, which becomes part of paths and reports: `mysql/static-role-forced`.
        #[schemars(regex(pattern = r"^[a-z0-9-]+(/[a-z0-9-]+)*$"))]
        scenario: String,
        /// What it proves, in a sentence.
        about: String,
        /// What the timeline must show.
        expect: expect::Room,
        /// Words for durations and numbers, each an expression that may use those above it; `--set NAME=VALUE`
        /// replaces one for a run.
        vars: Option<BTreeMap<String, Quantity>>,
        /// What is there before the first step; the order does not matter.
        given: Option<given::Room>,
        /// How often credentials are tried, and which objects are counted.
        watch: Option<Vec<watch::Watch>>,
        /// What is done, one after the other.
        steps: Option<steps::Room>,
        /// Claims that somebody made, and what decides them.
        settles: Option<Vec<settles::Shape>>,
        /// Shrinks the refresh intervals of the manifests, and the periods and lifetimes that are given, together:
        /// with `1/360` an hour becomes 10 s. `within`, `every` and `for` are not shrunk, `refresh_interval` means
        /// the shrunk one, and the report projects what was measured to the real intervals.
        scale: Option<ScaleWord>,
        /// Known defects of named versions: expected to fail exactly so, which counts as a pass.
        pinned: Option<Vec<pinned::Shape>>,
        /// Where what it plays is described: documents, issues.
        covers: Option<Vec<String>>,
        /// Who says what is seen: servers that nobody here wrote (`real`, unless said otherwise), or a stand-in of
        /// ours (`model`), which settles no claim.
        evidence: Option<pinned::EvidenceWord>,
        /// Plays with nothing beside it.
        exclusive: Option<bool>,
        /// Takes long.
        slow: Option<bool>,
        /// Words by which to find it.
        #[schemars(length(min = 1))]
        tags: Option<Vec<NewName>>,
        /// Components that it needs beside those that follow from what it gives. `kubelet` is a real one: where a plane
        /// has none (the embedded one runs pods by a process of ours), the scenario is skipped.
        #[schemars(length(min = 1))]
        needs: Option<Vec<NewName>>,
    }

    /// A duration or a number, or a sum over such and the vars above.
    #[schemars(untagged)]
    enum Quantity {
        /// A number.
        Number(u64),
        /// An expression: `refresh_interval + 2s`.
        Expression(String),
    }
}

/// The store is asked this often, and whenever OpenBao's audit file shows its path.
const STORE_EVERY: std::time::Duration = std::time::Duration::from_millis(200);

/// Loads every scenario of a catalogue. `sets` are the `--set NAME=VALUE` of the command line: each replaces
/// the var of that name wherever one is declared.
pub fn load_all(catalogue: &Catalogue, sets: &BTreeMap<String, String>) -> Result<Vec<Scenario>, Problems> {
    load_and_warn(catalogue, sets).map(|(scenarios, _)| scenarios)
}

/// The same, with what may be wrong and keeps nothing from being played.
pub fn load_and_warn(
    catalogue: &Catalogue,
    sets: &BTreeMap<String, String>,
) -> Result<(Vec<Scenario>, Option<Problems>), Problems> {
    let sink = Sink::default();
    let mut ids: BTreeMap<String, Span> = BTreeMap::new();
    let load = |file: &ScenarioFile| {
        let before = sink.count();
        let scenario = load(file, sets, &sink, &mut ids);
        scenario.filter(|_| sink.count() == before)
    };
    let scenarios = catalogue.files.iter().filter_map(load).collect();
    sink.finish(scenarios)
}

fn load(
    file: &ScenarioFile,
    sets: &BTreeMap<String, String>,
    sink: &Sink,
    ids: &mut BTreeMap<String, Span>,
) -> Option<Scenario> {
    let documents = documents(&file.source, sink);
    if let [_, second, ..] = documents.nodes.as_slice() {
        sink.report(&second.span, "one file holds one scenario");
    }
    let Some(node) = documents.nodes.first() else {
        if documents.whole {
            sink.report_file(file.source.name(), "this file is empty");
        }
        return None;
    };
    let head = Key { text: "scenario file".to_owned(), span: node.span.clone() };
    let form = Form::open::<File>(sink, &head, node)?;
    let id = form.need("scenario").and_then(|node| id(sink, node, ids));
    let about = form.text("about");
    let (exclusive, slow) = (form.flag("exclusive", false), form.flag("slow", false));
    let needs = form.optional("needs", |node| super::form::names(sink, node));
    let tags = form.optional("tags", |node| super::form::names(sink, node));
    let evidence = form.optional("evidence", |node| pinned::evidence(sink, node));
    let covers = form.optional("covers", |node| pinned::covers(sink, node));

    // A room may be empty: `steps:` with nothing behind it.
    let room = |key| node.get(key).filter(|node| !node.is_null());
    let mut draft = Draft::new(sink, &file.siblings, Vars::read(sink, room("vars"), sets));
    draft.scale = room("scale").and_then(|node| Scale::read(sink, node));
    draft.exclusive = exclusive.unwrap_or(true);
    given::read(&mut draft, room("given"));
    if let Some(node) = room("watch") {
        watch::read(&mut draft, node);
    }
    steps::read(&mut draft, room("steps"));
    let expectations = expect::read(&mut draft, form.need("expect"));
    if room("expect").is_some_and(|node| node.items().is_empty()) {
        sink.report(&form.need("expect")?.span, "a scenario that expects nothing proves nothing");
    }
    let claims = room("settles").map(|node| settles::read(&mut draft, node)).unwrap_or_default();

    let pinned = room("pinned").map(|node| pinned::read(&mut draft, node)).unwrap_or_default();

    let (id, about, needs, tags) = (id?, about?, needs?, tags?);
    let header = Header {
        id,
        about: about.trim().to_owned(),
        file: file.source.name().to_owned(),
        exclusive: exclusive?,
        slow: slow?,
        tags: tags.into_iter().flatten().map(|name| name.text).collect(),
        needs: needs.into_iter().flatten().map(|name| name.text).collect(),
        covers: covers?.unwrap_or_default(),
        evidence: evidence?.unwrap_or_default(),
    };
    Some(finish(header, draft, Judged { expectations, claims, pinned }))
}

/// Whether a text can name a scenario.
pub fn is_scenario_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '/');
    text.chars().all(allowed) && !text.split('/').any(str::is_empty)
}

/// A scenario's id: it becomes part of paths and reports.
fn id(sink: &Sink, node: &Node, ids: &mut BTreeMap<String, Span>) -> Option<String> {
    let id = super::form::text(sink, node)?;
    if !is_scenario_name(id) {
        let hint = "small letters, digits and `-`, in parts divided by `/`: `mysql/static-role-forced`";
        sink.report_with(&node.span, format!("`{id}` cannot be a scenario's name"), hint);
        return None;
    }
    if let Some(first) = ids.get(id) {
        sink.report_with(
            &node.span,
            format!("scenario `{id}` is given twice"),
            format!("first in {}", first.place()),
        );
        return None;
    }
    ids.insert(id.to_owned(), node.span.clone());
    Some(id.to_owned())
}

/// What the file says of itself.
struct Header {
    id: String,
    about: String,
    file: String,
    exclusive: bool,
    slow: bool,
    tags: Vec<String>,
    needs: std::collections::BTreeSet<String>,
    covers: Vec<String>,
    evidence: Evidence,
}

/// How it is judged.
struct Judged {
    expectations: Vec<Expected>,
    claims: Vec<Claim>,
    pinned: Vec<Pinned>,
}

/// What follows from the whole file.
fn finish(header: Header, draft: Draft<'_>, judged: Judged) -> Scenario {
    let scale = draft.scale.as_ref().map(Scale::ratio);
    let credentials: Vec<_> = draft
        .credentials
        .iter()
        .map(|held| {
            let credential = held.credential.clone();
            let hops = draft.hops(&credential);
            let every = draft.periods.get(&credential.name).copied().unwrap_or(credential.every);
            Credential { hops, every, ..credential }
        })
        .collect();
    let mut readers: Vec<_> = draft.readers.iter().cloned().collect();
    for reader in &mut readers {
        reader.every = draft.periods.get(&reader.credential).copied().unwrap_or(reader.every);
    }
    let workloads: Vec<_> = draft.workloads.iter().cloned().collect();
    let mut scenario = Scenario {
        id: header.id,
        about: header.about.clone(),
        file: header.file.clone(),
        exclusive: header.exclusive,
        slow: header.slow,
        tags: header.tags,
        needs: header.needs,
        releases: draft.releases,
        replicas: draft.replicas,
        databases: draft.databases.iter().cloned().collect(),
        static_roles: Vec::new(),
        dynamic_roles: Vec::new(),
        kv: Vec::new(),
        secrets: Vec::new(),
        policies: draft.policies,
        logins: draft.logins,
        preparations: draft.preparations,
        credentials,
        readers,
        workloads,
        leases: draft.leases,
        metrics: draft.metrics,
        conditions: draft.conditions,
        plan: Plan::default(),
        vars: draft.vars.texts,
        manifests: draft.objects.into_iter().map(|object| object.manifest).collect(),
        objects: draft.counted,
        calls: draft.calls,
        steps: draft.steps,
        inferences: draft.inferences,
    };
    for store in draft.stores.iter().cloned() {
        match store {
            GivenStore::Kv(kv) => scenario.kv.push(kv),
            GivenStore::StaticRole(role) => scenario.static_roles.push(role),
            GivenStore::DynamicRole(role) => scenario.dynamic_roles.push(role),
            GivenStore::Secret(secret) => scenario.secrets.push(secret),
        }
    }
    needs(&mut scenario);
    scenario.plan = Plan {
        about: header.about,
        file: header.file,
        credentials: scenario
            .credentials
            .iter()
            .map(|one| (one.name.clone(), credential(one, &scenario)))
            .collect(),
        probes: probes(&scenario),
        expectations: judged.expectations,
        claims: judged.claims,
        steps: scenario.steps.len(),
        scale,
        covers: header.covers,
        evidence: header.evidence,
        pinned: judged.pinned,
    };
    scenario
}

/// Adds the components that the file need not name.
fn needs(scenario: &mut Scenario) {
    let api = |object: &serde_json::Value| object.get("apiVersion")?.as_str().map(str::to_owned);
    let mut needs = Vec::new();
    let roles = !scenario.static_roles.is_empty() || !scenario.dynamic_roles.is_empty();
    let opened = scenario.workloads.iter().any(|workload| matches!(workload.door, Door::Openbao { .. }));
    if !scenario.kv.is_empty() || roles || opened {
        needs.push("openbao");
    }
    if scenario
        .manifests
        .iter()
        .filter_map(|manifest| api(&manifest.object))
        .any(|api| api.contains("external-secrets.io/"))
    {
        needs.push("eso");
    }
    let on_pods = |step: &Step| matches!(&step.action, Action::Server { name, .. } if name == NODE);
    if scenario.replicas.is_some() || scenario.steps.iter().any(on_pods) {
        needs.push(KUBELET);
    }
    needs.extend(scenario.databases.iter().map(|database| database.kind.word()));
    // What is replaced has to run.
    let replaced = scenario.wanted_releases().map(|release| release.component.as_str());
    needs.extend(replaced.filter(|component| release::SERVERS.contains(component)));
    let needs: Vec<String> = needs.into_iter().map(str::to_owned).collect();
    scenario.needs.extend(needs);
}

fn credential(credential: &Credential, scenario: &Scenario) -> CredentialPlan {
    CredentialPlan {
        fields: credential.fields.clone(),
        checked_by: checked_by(credential, scenario).map(|kind| kind.word().to_owned()),
        hops: credential.hops.clone(),
        refresh: refresh(credential),
        forced_by: forced_by(credential, scenario),
        moves: match &credential.store {
            Some(Store::StaticRole(_)) => MovesBy::Itself { at: Hop::Store },
            // Nobody may look at the store: each look would make another.
            Some(Store::DynamicRole(_)) => MovesBy::Itself { at: Hop::Secret },
            // Nobody sees it before its pod does.
            None if credential.token_of.is_some() => MovesBy::Itself { at: Hop::Workload },
            Some(Store::Kv(_) | Store::Secret(_)) | None => MovesBy::Ordered,
        },
    }
}

fn refresh(credential: &Credential) -> Option<Refresh> {
    let (played, real) = credential.refresh_interval.zip(credential.real_interval)?;
    Some(Refresh { real: real.into(), played: played.into() })
}

/// The steps that have a credential refreshed at once, where a scale has changed its interval.
fn forced_by(credential: &Credential, scenario: &Scenario) -> Vec<usize> {
    let Some(secret) = credential.secret.as_ref().filter(|_| credential.real_interval.is_some()) else {
        return Vec::new();
    };
    let steps = scenario.steps.iter().enumerate();
    let forcing = steps.filter(|(_, step)| {
        let Action::ForceSync(object) = &step.action else { return false };
        object.kind == "ExternalSecret"
            && Some(&object.name) == secret.external_secret.as_ref()
            && object.namespace == secret.namespace
    });
    forcing.map(|(index, _)| index).collect()
}

/// The server that checks a credential: a role's database.
fn checked_by(credential: &Credential, scenario: &Scenario) -> Option<DatabaseKind> {
    let database = match credential.store.as_ref()? {
        Store::StaticRole(role) => &scenario.static_roles.iter().find(|known| known.name == *role)?.database,
        Store::DynamicRole(role) => {
            &scenario.dynamic_roles.iter().find(|known| known.name == *role)?.database
        }
        Store::Kv(kv) => match &scenario.kv.iter().find(|known| known.name == *kv)?.seed {
            Seed::Holds(first) => &first.database,
            Seed::Nothing | Seed::Random => return None,
        },
        Store::Secret(secret) => {
            &scenario.secrets.iter().find(|known| known.name == *secret)?.holds.as_ref()?.database
        }
    };
    scenario.databases.iter().find(|known| known.name == *database).map(|database| database.kind)
}

/// One probe for each hop of each credential, and one for each reader.
fn probes(scenario: &Scenario) -> BTreeMap<String, ProbePlan> {
    let mut probes = BTreeMap::new();
    for credential in &scenario.credentials {
        for hop in credential.hops.iter().copied() {
            let every = match hop {
                Hop::Origin => Some(credential.every.into()),
                Hop::Store => Some(STORE_EVERY.into()),
                Hop::Sync | Hop::Secret => None,
                // Its readers are the probes; they have names of their own.
                Hop::Workload | Hop::Login => continue,
            };
            let probe = ProbePlan { credential: credential.name.clone(), hop, every };
            probes.insert(format!("{hop}:{}", credential.name), probe);
        }
    }
    for reader in &scenario.readers {
        let credential = reader.credential.clone();
        let probe = ProbePlan { credential, hop: Hop::Login, every: Some(reader.every.into()) };
        probes.insert(reader.name.clone(), probe);
    }
    for workload in scenario.workloads.iter().filter(|workload| workload.watched) {
        let credential = || workload.credential.clone();
        let login =
            ProbePlan { credential: credential(), hop: Hop::Login, every: Some(workload.every.into()) };
        probes.insert(workload.name.clone(), login);
        // It says what it holds whenever that changes.
        let holds = ProbePlan { credential: credential(), hop: Hop::Workload, every: None };
        probes.insert(format!("workload:{}", workload.name), holds);
    }
    probes
}
