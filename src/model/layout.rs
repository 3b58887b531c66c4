//! How a network is laid out where it may differ from the reference network.

use crate::config::{GatePlace, NormKind, RunConfig};

/// Groups of channels of a group norm. All channel counts of the network are multiples of it.
pub const GROUPS: usize = 8;

/// The first convolution of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Distance of the kernel's taps, in pixels.
    pub dilation: usize,
    /// Side of the kernel, odd.
    pub kernel: usize,
}

/// How a network is laid out. The default is the reference network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The branches, side by side.
    pub branches: Vec<Branch>,
    /// Where in a branch channels are weighed.
    pub gate_place: GatePlace,
    /// How many times fewer channels a gate has between its layers than it weighs.
    pub gate_reduction: usize,
    /// What follows each convolution.
    pub norm: NormKind,
}

impl Layout {
    /// The layout that a configuration asks for.
    pub fn of(config: &RunConfig) -> Self {
        let branches = config.dilations.list().iter().enumerate();
        Self {
            branches: branches
                .map(|(i, &dilation)| Branch {
                    dilation,
                    kernel: config.kernels.of(i),
                })
                .collect(),
            gate_place: config.gate_place,
            gate_reduction: config.gate_reduction.unwrap_or(2),
            norm: config.norm,
        }
    }

    /// Side of the largest kernel of a branch.
    pub fn largest_kernel(&self) -> usize {
        let sides = self.branches.iter().map(|branch| branch.kernel);
        sides.max().unwrap_or(1)
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self::of(&RunConfig::default())
    }
}
