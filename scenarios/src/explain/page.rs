//! What is found, as text.

use std::fmt::Write;
use std::time::Duration;

use super::Finding;
use super::consumers::{Consumer, Reads, reading};
use super::ways::{Carrier, From, To, lifetime};
use crate::language::duration::spoken;

/// How long a kubelet may take to rewrite a volume: its sync period and the Secret's cache, by the documentation.
const KUBELET: Duration = Duration::from_secs(90);

/// The whole page.
pub(super) fn text(ways: &[Carrier<'_>], consumers: &[Consumer<'_>], findings: &[Finding]) -> String {
    let mut out = String::new();
    let mut credentials = 0;
    for carrier in ways {
        // What goes on into an ExternalSecret is told of there.
        let goes_on = ways.iter().any(|other| {
            let chain = other.chain(ways);
            chain.len() > 1 && chain[..chain.len() - 1].iter().any(|one| std::ptr::eq(*one, carrier))
        });
        let read = match &carrier.to {
            To::Secret(secret) => !reading(consumers, carrier.object, secret).is_empty(),
            To::Paths(_) => false,
        };
        if goes_on && !read {
            continue;
        }
        credentials += 1;
        credential(&mut out, carrier, ways, consumers);
        out.push('\n');
    }
    for finding in findings {
        let Finding { file, line, text } = finding;
        writeln!(out, "{file}:{line}: {text}").expect("a string takes all");
    }
    if !findings.is_empty() {
        out.push('\n');
    }
    let many = |count: usize, what: &str| match count {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    writeln!(out, "{}, {}", many(credentials, "credential"), many(findings.len(), "finding"))
        .expect("it takes all");
    out
}

fn credential(out: &mut String, carrier: &Carrier<'_>, ways: &[Carrier<'_>], consumers: &[Consumer<'_>]) {
    let name = match &carrier.to {
        To::Secret(secret) => match super::namespace(carrier.object) {
            Some(namespace) => format!("{namespace}/secret/{secret}"),
            None => format!("secret/{secret}"),
        },
        To::Paths(paths) => paths.join(", "),
    };
    let mut line = |text: &str| writeln!(out, "{text}").expect("a string takes all");
    line(&name);
    let chain = carrier.chain(ways);
    for source in chain.first().map(|first| first.sources.as_slice()).unwrap_or_default() {
        line(&format!("  from  {}", source.said));
    }
    for carrier in &chain {
        line(&format!("  by    {}, {}", carrier.object.placed(), carrier.said));
        if let To::Paths(paths) = &carrier.to {
            line(&format!("  to    {}", paths.join(", ")));
        }
    }
    let reading = match &carrier.to {
        To::Secret(secret) => reading(consumers, carrier.object, secret),
        To::Paths(_) => Vec::new(),
    };
    for consumer in &reading {
        let (title, place) = (consumer.object.title(), consumer.span.place());
        line(&format!("  read  {title}, {} ({place}): {}", consumer.said, consumer.meaning()));
    }
    line(&format!("  window  {}", window(&chain, &reading)));
    for source in carrier.sources.iter() {
        if let (From::Dynamic(path), Some(generator)) = (&source.from, source.generator)
            && lifetime(generator, "ttl").is_none()
        {
            line(&format!(
                "  unknown  how long a lease of {path} lives; write `# ttl: 1h` beside {} to have it compared",
                generator.title()
            ));
        }
    }
}

/// The longest that a new value can take: the intervals on the way, and the kubelet's where somebody reads a volume.
fn window(chain: &[&Carrier<'_>], reading: &[&Consumer<'_>]) -> String {
    let target = match chain.last().map(|last| &last.to) {
        Some(To::Secret(_)) => "the Secret",
        Some(To::Paths(_)) | None => "OpenBao",
    };
    if chain.iter().any(|carrier| carrier.unclear) {
        return "unknown: an interval on the way is no duration".to_owned();
    }
    let Some(total) = chain.iter().map(|carrier| carrier.every).sum::<Option<Duration>>() else {
        return format!("none: a new value does not reach {target} by itself");
    };
    let mut said = format!("a new value reaches {target} within {}", long(total));
    if chain.len() > 1 {
        let parts: Vec<_> = chain.iter().filter_map(|carrier| carrier.every).map(spoken).collect();
        write!(said, " ({})", parts.join(" + ")).expect("a string takes all");
    }
    if reading.iter().any(|consumer| consumer.reads == Reads::Volume && !consumer.is_job()) {
        let with = long(total + KUBELET);
        write!(said, ", files of volumes within {with} (assuming that the kubelet takes up to 90 s)")
            .expect("a string takes all");
    }
    let frozen = |consumer: &&&Consumer<'_>| {
        consumer.reads != Reads::Volume && !consumer.is_job() && !consumer.is_reloaded()
    };
    if reading.iter().any(|consumer| frozen(&consumer)) {
        said.push_str(", and who does not restart never");
    }
    said
}

/// A sum of intervals: `1 h 1 min 30 s`.
fn long(span: Duration) -> String {
    let seconds = span.as_secs();
    let rest = span - Duration::from_secs(seconds / 60 * 60);
    let mut parts = Vec::new();
    for (count, unit) in [(seconds / 3600, "h"), (seconds / 60 % 60, "min")] {
        if count > 0 {
            parts.push(format!("{count} {unit}"));
        }
    }
    if !rest.is_zero() || parts.is_empty() {
        parts.push(spoken(rest));
    }
    parts.join(" ")
}
