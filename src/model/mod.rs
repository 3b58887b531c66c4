//! The network: a specification, its ordered and seeded parameters, and the forward pass.
//!
//! ```text
//! stem ──┬─ branch1 (dilation 1) ─ gate ─┬─ concat ─ conv 1×1 ─ mean pool ─ classifier
//!        ├─ branch2 (dilation 2) ─ gate ─┤
//!        └─ branch3 (dilation 3) ─ gate ─┘       (the reference network; a layout may have other branches and gates)
//!
//! attention   what a variant puts into the network      layout   branches, gates and norms, where they may differ
//! param_spec  what one parameter is                     table    layers and parameters under construction
//! spec        layer table and parameters of a network   params   the parameters' values, in forward order
//! net         the network, with its losses             pass     the forward pass, layer by layer
//! ```
//! May import ops, config, random and network.

mod attention;
mod layout;
mod net;
mod param_spec;
mod params;
mod pass;
mod spec;
mod table;

pub use layout::{Branch, GROUPS, Layout};
pub use net::{ClassLosses, Forward, Loss, Net, NormUpdate};
pub use param_spec::{Init, ParamSpec};
pub use params::{Params, Running};
pub use pass::{Mode, Weights};
pub use spec::{Classifier, Spec};

#[cfg(test)]
mod tests;
