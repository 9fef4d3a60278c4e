//! What keeps the pods of workloads from running: the last word on each, for whoever waits for them in vain.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use handover_fixtures::process::ExitReport;
use handover_fixtures::workloads::{PodEvent, PodNews};
use handover_harness::mask::Masked;

/// All pods of a scenario that are in trouble, by credential and pod.
#[derive(Debug, Default)]
pub(super) struct Pods(Mutex<BTreeMap<(String, String), Trouble>>);

#[derive(Debug, Default)]
struct Trouble {
    /// What is wrong now; none where it was overcome.
    now: Option<Masked>,
    /// How often its process ended by itself, badly.
    crashes: u32,
    /// The last line that it printed and that is no report of a consumer.
    line: Option<Masked>,
}

impl Trouble {
    fn text(&self) -> Option<String> {
        let now = self.now.as_ref()?.text();
        Some(match self.crashes {
            0 => format!("waits: {now}"),
            crashes => {
                let line = self.line.as_ref().map(|line| format!(", saying `{}`", line.text()));
                let again = if crashes == 1 { "" } else { " again and again" };
                format!("crashes{again}: {now}{}", line.unwrap_or_default())
            }
        })
    }
}

/// How a process ended, and why, where that is known.
pub(super) fn ended(how: ExitReport, why: &str) -> String {
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    format!("its process {how}{why}")
}

impl Pods {
    /// Something happened to a pod of a workload that reads this credential.
    pub(super) fn hear(&self, credential: &str, news: &PodNews, mask: impl Fn(&str) -> Masked) {
        let mut all = self.all();
        let of = (credential.to_owned(), news.pod.clone());
        match &news.what {
            PodEvent::Gone => {
                all.remove(&of);
            }
            PodEvent::Pending { reason, message } => {
                all.entry(of).or_default().now = Some(mask(&format!("{reason}: {message}")));
            }
            PodEvent::Ended { how, why } if *how != ExitReport::Status(0) => {
                let trouble = all.entry(of).or_default();
                trouble.crashes += 1;
                trouble.now = Some(mask(&ended(*how, why)));
            }
            PodEvent::Line(line) => all.entry(of).or_default().line = Some(mask(line.trim())),
            // One that crashed before may crash again: only readiness says that it is over it.
            PodEvent::Started { .. } => {
                if let Some(trouble) = all.get_mut(&of).filter(|trouble| trouble.crashes == 0) {
                    trouble.now = None;
                }
            }
            PodEvent::Ready(true) => {
                if let Some(trouble) = all.get_mut(&of) {
                    trouble.now = None;
                }
            }
            PodEvent::Ready(false) | PodEvent::Ended { .. } | PodEvent::Consumer(_) | PodEvent::Unheard => {}
        }
    }

    /// `; pod web-1 (and 1 more) waits: NoProgram: …`, for each trouble; nothing if there is none.
    pub(super) fn troubles(&self, credential: &str) -> String {
        let all = self.all();
        let mut told: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for ((_, pod), trouble) in all.iter().filter(|((of, _), _)| of == credential) {
            if let Some(text) = trouble.text() {
                told.entry(text).or_default().push(pod);
            }
        }
        let told = told.into_iter().map(|(text, pods)| match pods.as_slice() {
            [one] => format!("; pod {one} {text}"),
            all => format!("; pod {} (and {} more) {text}", all[0], all.len() - 1),
        });
        told.collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<(String, String), Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use handover_harness::clock::Micros;

    use super::*;

    fn hear(pods: &Pods, pod: &str, what: PodEvent) {
        let news = PodNews { pod: pod.to_owned(), container: None, at: Micros(0), what };
        pods.hear("app", &news, |text| Masked::own(text));
    }

    fn waits(message: &str) -> PodEvent {
        PodEvent::Pending { reason: "NoProgram".to_owned(), message: message.to_owned() }
    }

    #[test]
    fn the_last_word_counts_until_it_is_overcome() {
        let pods = Pods::default();
        hear(&pods, "web-1", waits("first"));
        hear(&pods, "web-1", waits("second"));
        hear(&pods, "web-2", waits("it"));
        assert_eq!(
            pods.troubles("app"),
            "; pod web-2 waits: NoProgram: it; pod web-1 waits: NoProgram: second"
        );
        assert_eq!(pods.troubles("other"), "");
        hear(&pods, "web-1", waits("it"));
        assert_eq!(pods.troubles("app"), "; pod web-1 (and 1 more) waits: NoProgram: it");
        hear(&pods, "web-1", PodEvent::Started { restarts: 0 });
        hear(&pods, "web-2", PodEvent::Gone);
        assert_eq!(pods.troubles("app"), "");
    }

    #[test]
    fn crashes_are_counted_until_it_is_ready() {
        let pods = Pods::default();
        let crash = || {
            hear(&pods, "web-1", PodEvent::Started { restarts: 0 });
            hear(&pods, "web-1", PodEvent::Line("no such thing".to_owned()));
            hear(&pods, "web-1", PodEvent::Ended { how: ExitReport::Status(1), why: String::new() });
        };
        crash();
        assert_eq!(
            pods.troubles("app"),
            "; pod web-1 crashes: its process exited with status 1, saying `no such thing`"
        );
        crash();
        hear(&pods, "web-1", PodEvent::Started { restarts: 2 });
        assert!(pods.troubles("app").contains("crashes again and again: "), "{}", pods.troubles("app"));
        hear(&pods, "web-1", PodEvent::Ready(true));
        hear(&pods, "web-1", PodEvent::Ended { how: ExitReport::Status(0), why: String::new() });
        assert_eq!(pods.troubles("app"), "");
    }

    #[test]
    fn an_end_says_why_where_that_is_known() {
        assert_eq!(ended(ExitReport::Signal(9), ""), format!("its process {}", ExitReport::Signal(9)));
        let why = "cannot start `/gone`";
        assert_eq!(
            ended(ExitReport::Status(128), why),
            "its process exited with status 128: cannot start `/gone`"
        );
    }
}
