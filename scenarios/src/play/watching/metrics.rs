//! Figures of a component's own metrics, scraped again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use handover_harness::event::What;

use super::Watching;
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
        let (metric, name) = (counter.metric.clone(), counter.counter.clone());
        let (scribe, stop) = (stage.scribe.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            let mut told = None;
            loop {
                let page = async { http.get(&url).send().await?.error_for_status()?.text().await };
                if let Ok(page) = page.await {
                    let value = sum(&page, &metric, &labels);
                    if told.replace(value) != Some(value) {
                        scribe.record(What::Count { counter: name.clone(), value });
                    }
                }
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => {}
                    () = stop.cancelled() => break,
                }
            }
        });
        Ok(())
    }
}

/// The sum of a metric over all lines that have these labels (or lack the label altogether), in whole numbers.
fn sum(page: &str, metric: &str, labels: &BTreeMap<String, String>) -> u64 {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let values = lines.filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, rest) = series.split_once('{').unwrap_or((series, ""));
        let has = |(label, wanted): (&String, &String)| match rest.split_once(&format!("{label}=\"")) {
            Some((_, tail)) => tail.split('"').next() == Some(wanted.as_str()),
            None => true,
        };
        (name == metric && labels.iter().all(has)).then(|| value.parse::<f64>().ok())?
    });
    values.sum::<f64>().max(0.0) as u64
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
}
