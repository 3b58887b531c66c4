//! The network: a specification, its ordered and seeded parameters, and the forward pass.
//!
//! ```text
//! stem ──┬─ branch1 (dilation 1) ─ gate ─┬─ concat ─ conv 1×1 ─ mean pool ─ classifier
//!        ├─ branch2 (dilation 2) ─ gate ─┤
//!        └─ branch3 (dilation 3) ─ gate ─┘
//!
//! attention   what a variant puts into the network      spec     layer table and parameters, without numbers
//! param_spec  what one parameter is                     params   the parameters' values, in forward order
//! net         the forward pass
//! ```
//! May import ops, config, random and network.

mod attention;
mod net;
mod param_spec;
mod params;
mod spec;

pub use net::{ClassLosses, Forward, Loss, Mode, Net, NormUpdate, Weights};
pub use param_spec::{Init, ParamSpec};
pub use params::{Params, Running};
pub use spec::{BRANCHES, Classifier, Spec};

#[cfg(test)]
mod tests;
