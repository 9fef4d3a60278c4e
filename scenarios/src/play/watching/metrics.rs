//! Figures of a component's own metrics, scraped again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use handover_fixtures::cause::chain;

use super::Watching;
use super::polled::Polled;
use crate::language::scenario::MetricCounter;
use crate::play::PlayError;
use crate::play::stage::Stage;

/// How often they are scraped.
const EVERY: Duration = Duration::from_millis(500);

impl Watching {
    pub(super) fn scrape(&self, stage: &Stage<'_>, counter: &MetricCounter) -> Result<(), PlayError> {
        let address = stage.house.plane.metrics(&counter.of)?;
        let url = format!("http://{address}/metrics");
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build();
        let http = http.expect("a client without files always builds");
        let mut labels = counter.labels.clone();
        // Most of ESO's are about an object: those of other scenarios are not counted.
        labels.entry("namespace".to_owned()).or_insert_with(|| stage.namespace.clone());
        let ask = move || {
            let page = http.get(&url);
            let page = async { page.send().await?.error_for_status()?.text().await };
            async { page.await.map_err(|error: reqwest::Error| chain(&error)) }
        };
        let metric = counter.metric.clone();
        let read = move |page: String| [sum(&page, &metric, &labels)];
        let polled = Polled::new(stage.scribe.clone(), [counter.counter.clone()]);
        self.tasks.spawn(polled.poll(EVERY, self.stop.clone(), ask, read));
        Ok(())
    }
}

/// The sum of a metric over all lines that have these labels (or lack the label altogether), in whole numbers.
fn sum(page: &str, metric: &str, labels: &BTreeMap<String, String>) -> u64 {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let values = lines.filter_map(|line| {
        let (has, value) = series(line.strip_prefix(metric)?)?;
        let fits =
            |(label, wanted): (&String, &String)| has.get(label.as_str()).is_none_or(|is| is == wanted);
        labels.iter().all(fits).then_some(value)
    });
    values.sum::<f64>().max(0.0) as u64
}

/// The labels and the value of a line in Prometheus' text format, after the metric's name; a time may follow.
/// Source: prometheus.io, docs/instrumenting/exposition_formats.
fn series(line: &str) -> Option<(BTreeMap<&str, String>, f64)> {
    let mut labels = BTreeMap::new();
    let mut rest = match line.strip_prefix('{') {
        Some(inside) => inside,
        // Without labels its name ends here; a longer name is another metric's.
        None => return Some((labels, line.strip_prefix(' ')?.split(' ').next()?.parse().ok()?)),
    };
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(value) = rest.strip_prefix('}') {
            return Some((labels, value.split_whitespace().next()?.parse().ok()?));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let (mut text, mut letters) = (String::new(), quoted.chars());
        loop {
            match letters.next()? {
                '"' => break,
                '\\' => text.push(match letters.next()? {
                    'n' => '\n',
                    other => other,
                }),
                letter => text.push(letter),
            }
        }
        labels.insert(name, text);
        rest = letters.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_summed_by_their_labels() {
        let page = "# HELP x y\nx{name=\"a\",namespace=\"s\"} 2\nx{name=\"b\",namespace=\"s\"} 3\n\
                    x{name=\"a\",namespace=\"t\"} 50\nxy 7\nz 4\n";
        let labels = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(sum(page, "x", &labels(&[("namespace", "s")])), 5);
        assert_eq!(sum(page, "x", &labels(&[("namespace", "s"), ("name", "b")])), 3);
        assert_eq!(sum(page, "z", &labels(&[("namespace", "s")])), 4, "a label that a metric lacks");
        assert_eq!(sum(page, "absent", &labels(&[])), 0);
    }

    #[test]
    fn a_label_is_not_the_end_of_another_and_values_may_hold_anything() {
        let (labels, value) =
            series("{its_name=\"b\",name=\"a \\\"}, \\\\ \\n\",} 1.5e1 1700000000").unwrap();
        assert_eq!(labels["name"], "a \"}, \\ \n");
        assert_eq!((labels["its_name"].as_str(), labels.len(), value), ("b", 2, 15.0));
        assert!(series("{name=\"a").is_none() && series("y 7").is_none() && series(" x").is_none());
    }
}
