//! What the plane is owed: by which order each component is made to run again that a scenario may have ended.

use std::collections::BTreeMap;

use handover_fixtures::plane::Order;

use crate::language::scenario::{LEADER, ServerAction};

/// Something is about to be done to a component. What is owed already starts it as well.
pub(super) fn before(owed: &mut BTreeMap<String, Order>, name: &str, what: ServerAction) {
    let order = match what {
        // Whoever led is started again by others.
        ServerAction::Stop | ServerAction::Kill if name == LEADER => return,
        ServerAction::Stop | ServerAction::Kill | ServerAction::Start => Order::Start,
        ServerAction::Seal | ServerAction::Unseal => Order::Restart,
    };
    owed.entry(name.to_owned()).or_insert(order);
}

/// A component runs: if anything is owed yet, it is how many of it there are.
pub(super) fn is_up(owed: &mut BTreeMap<String, Order>, name: &str) {
    if let Some(Order::Start | Order::Restart) = owed.get(name) {
        owed.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(steps: &[ServerAction]) -> Option<Order> {
        let mut owed = BTreeMap::new();
        for step in steps {
            before(&mut owed, "openbao", *step);
        }
        owed.remove("openbao")
    }

    #[test]
    fn what_is_ended_is_owed_before_it_is_and_until_it_runs() {
        assert!(matches!(after(&[ServerAction::Kill]), Some(Order::Start)));
        assert!(matches!(after(&[ServerAction::Seal]), Some(Order::Restart)));
        // Whoever is started is not sealed.
        assert!(matches!(after(&[ServerAction::Stop, ServerAction::Seal]), Some(Order::Start)));
        let mut owed = BTreeMap::from([("eso".to_owned(), Order::Replicas(1))]);
        before(&mut owed, "eso", ServerAction::Stop);
        before(&mut owed, LEADER, ServerAction::Kill);
        before(&mut owed, "mysql", ServerAction::Stop);
        is_up(&mut owed, "mysql");
        is_up(&mut owed, "eso");
        assert!(
            matches!(owed.into_iter().collect::<Vec<_>>().as_slice(), [(eso, Order::Replicas(1))] if eso == "eso")
        );
    }
}
