//! The network: a specification, its ordered and seeded parameters, and the forward pass.
//!
//! ```text
//! stem ──┬─ branch1 (dilation 1) ─ gate ─┬─ concat ─ conv 1×1 ─ mean pool ─ classifier
//!        ├─ branch2 (dilation 2) ─ gate ─┤
//!        └─ branch3 (dilation 3) ─ gate ─┘
//! ```

mod net;
mod params;
mod spec;

pub use net::{Forward, Loss, Mode, Net, NormUpdate, Weights};
pub use params::{Params, Running};
pub use spec::{Classifier, Init, ParamSpec, Spec};

/// Number of parallel branches; branch b has dilation b, counted from 1.
pub const BRANCHES: usize = 3;

#[cfg(test)]
mod tests;
