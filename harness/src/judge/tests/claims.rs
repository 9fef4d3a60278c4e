//! Claims: settled, and never a verdict.

use super::scenario;
use crate::event::{ComponentInfo, Ending, Event, Hop, RunInfo, What};
use crate::plan::{Always, Claim, Expectation, Expected, Window};
use crate::timeline::sketch::{Sketch, ms};
use crate::verdict::{ClaimFinding, Standing, Verdict};

/// A scenario that claims that the Secret holds still, made about a version, played on eso v0.20.4.
fn claiming(about: Option<&str>) -> Sketch {
    let still = Expectation::Always(Always::HoldsStill {
        credential: "app".into(),
        at: Hop::Secret,
        during: Window::default(),
    });
    let holds_if =
        Expected { verb: "holds_still".into(), text: "it holds".into(), line: 3, expectation: still };
    let (claim, source, about) = ("It does not move.".into(), "a page".into(), about.map(str::to_owned));
    let mut sketch =
        Sketch::new().credential("app", None, &[Hop::Secret]).probe("secret", "app", Hop::Secret, None);
    sketch.plan.claims.push(Claim { claim, source, about, holds_if });
    let of = crate::plan::Counted::Moves { credential: "app".into(), at: Hop::Secret };
    let mut sketch = sketch.expect(Expectation::Count { of, at_least: None, at_most: Some(1) }).begin();
    let text = |text: &str| text.to_owned();
    let eso = ComponentInfo {
        name: text("eso"),
        version: text("v0.20.4"),
        source: text("go"),
        sha256: text("ab"),
        image: None,
    };
    let seq = sketch.events.len() as u64 + 1;
    let run = What::Run(RunInfo { components: vec![eso], ..RunInfo::default() });
    sketch.events.push(Event { seq, at: ms(0), scenario: None, what: run });
    sketch
}

fn settled(sketch: &Sketch) -> ClaimFinding {
    scenario(sketch).claims.remove(0)
}

#[test]
fn refuted_by_what_was_seen() {
    let sketch = claiming(Some("eso v2.5.0")).news(1, "a").news(2, "b").finish(9);
    let claim = settled(&sketch);
    assert_eq!(claim.standing, Standing::Refuted);
    assert_eq!(claim.summary, "refuted on eso v0.20.4; not played on eso v2.5.0");
    assert_eq!(scenario(&sketch).verdict, Verdict::Pass, "a claim changes no verdict");
    assert!(!claim.evidence.is_empty() && claim.seen.contains("g0 → g1"));
}

#[test]
fn holds_on_the_version_it_was_made_about() {
    let claim = settled(&claiming(Some("eso 0.20.4")).news(1, "a").finish(9));
    assert_eq!((claim.standing, claim.summary.as_str()), (Standing::Holds, "holds on eso v0.20.4"));
    assert_eq!(settled(&claiming(None).news(1, "a").finish(9)).summary, "holds on eso v0.20.4");
    let elsewhere = settled(&claiming(Some("openbao v2.0.0")).news(1, "a").finish(9));
    assert_eq!(elsewhere.summary, "holds on openbao of an unknown version; not played on openbao v2.0.0");
}

#[test]
fn unsettled_says_why() {
    let claim = settled(&claiming(Some("eso v2.5.0")).finish(9));
    assert_eq!(claim.standing, Standing::Unsettled);
    assert!(claim.summary.ends_with("(nothing was ever seen of app at secret)"), "{}", claim.summary);
    let cut =
        claiming(Some("eso v0.20.4")).news(1, "a").with(9, What::End(Ending::Interrupted("SIGINT".into())));
    assert_eq!(settled(&cut).summary, "unsettled on eso v0.20.4 (the scenario was not played as planned)");
    let refuted =
        claiming(None).news(1, "a").news(2, "b").with(9, What::End(Ending::Interrupted("SIGINT".into())));
    assert_eq!(settled(&refuted).standing, Standing::Refuted, "what was seen was seen");
}
