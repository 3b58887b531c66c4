//! The choices that several controls offer, by their names on screen.

use crate::figure::Order;
use crate::run::event::{Split, Started};
use crate::run::{CLASSIFIER, Scope};

/// The splits whose evaluations can be shown: name on screen, value of the view's split, explanation.
pub(crate) const SPLITS: [(&str, Option<Split>, &str); 2] = [
    (
        "Validation",
        None,
        "Mistakes in the validation images, evaluated all along",
    ),
    (
        "Test",
        Some(Split::Test),
        "Mistakes in the test images, evaluated at the best and at the last step only",
    ),
];

/// The orders of classes that need no gradients, with their names on screen.
pub(crate) const ORDERS: [(Order, &str); 3] = [
    (Order::Listed, "as listed"),
    (Order::Frequency, "by frequency"),
    (Order::Name, "by name"),
];

/// A part of the network in words.
pub(crate) fn scope_name(scope: &Scope) -> String {
    match scope {
        Scope::Network => "Whole network".to_owned(),
        Scope::Backbone => "Backbone (all but the classifier)".to_owned(),
        Scope::Layer(name) | Scope::Group(name) => name.clone(),
    }
}

/// Every part of the network that has gradients and can be selected, from the whole network to single layers.
pub(crate) fn scopes(started: &Started) -> Vec<Scope> {
    let mut scopes = vec![Scope::Network, Scope::Backbone];
    let mut group = "";
    for layer in started.layers.iter().filter(|layer| layer.gram.is_some()) {
        if layer.group != group {
            group = &layer.group;
            scopes.push(Scope::Group(layer.group.clone()));
        }
        if layer.name != CLASSIFIER {
            scopes.push(Scope::Layer(layer.name.clone()));
        }
    }
    scopes
}
