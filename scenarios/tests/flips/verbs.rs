//! Files of `scenarios/flips`, each for a verb of which no scenario of the catalogue is a flip.

use super::*;

pub(super) const FLIPS: &[Flip] = &[
    own("flips/age", &[fails("age", "g1 was replaced at store after")], &["age"]),
    own("flips/calls", &[fails("calls", "of calls:database/static-creds/first")], &["calls"]),
    own("flips/churn", &[fails("churn", "writes of the Secret of raw without a new generation")], &["churn"]),
    own(
        "flips/metric",
        &[fails("metric", "externalsecret_sync_calls_error{name=leaving} rose by")],
        &["metric"],
    ),
    own("flips/objects", &[fails("objects", "of objects:Pod")], &["objects"]),
    own(
        "flips/restores",
        &[stops("restores", "r2 (g1 → g0) was never seen at secret", "store", "sync")],
        &["restores"],
    ),
    own("flips/whole", &[fails("whole", "one part is of g1 and the other of g0")], &["whole"]),
];

/// A file of `scenarios/flips`, in which what fails stands beside what passes all the same.
const fn own(of: &'static str, fails: &'static [Fails], stands_for: &'static [&'static str]) -> Flip {
    Flip { of, about: "", edits: &[], fails, open: &[], stands_for }
}
