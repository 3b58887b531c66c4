//! The record of a forward pass, from which gradients are computed.
//!
//! candle's own record adds every gradient to a fresh tensor of zeros, on one thread, and copies the gradients of
//! custom operations; on a CPU that took longer than the convolutions. This one hands gradients on without a copy, and
//! frees the values that an operation kept as soon as its gradient is known.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use candle_core::{Result, Tensor};

use super::data::Data;
use super::kernels::Panels;
use super::kernels::winograd::Tile;
use super::norm_sums::NormSums;
use super::pending_norm::Pending;

/// A value in a forward pass.
#[derive(Clone, Debug)]
pub struct Var {
    pub(super) data: Data,
    /// Number under which its gradient is gathered; none where its gradient is not needed.
    pub(super) slot: Option<usize>,
    /// A batch norm and a ReLU that every reader applies to the values, because keeping the result is not worth its
    /// memory.
    pub(super) pending: Option<Arc<Pending>>,
    /// The sums of its gradient that the norm's backward pass needs, where gradients flow through the norm's
    /// statistics: a reader that knows them hands them on with the gradient.
    pub(super) norm_sums: Option<Arc<NormSums>>,
    pub(super) packed: Arc<Packed>,
}

/// A convolution's weights in the order of the kernels, packed when first needed and kept as long as the variable.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub(super) forward: OnceLock<Panels>,
    pub(super) adjoint: OnceLock<Panels>,
    /// Transformed for Winograd's way, for every size of tiles.
    pub(super) winograd: [OnceLock<Panels>; Tile::ALL.len()],
    pub(super) winograd_adjoint: [OnceLock<Panels>; Tile::ALL.len()],
}

impl Var {
    /// A value whose gradient is not needed.
    pub fn constant(tensor: Tensor) -> Self {
        Self::of(tensor.into())
    }

    fn of(data: Data) -> Self {
        Self {
            data,
            slot: None,
            pending: None,
            norm_sums: None,
            packed: Arc::default(),
        }
    }

    /// The values.
    ///
    /// # Errors
    /// Where the device is out of memory.
    pub fn values(&self) -> Result<Tensor> {
        match &self.pending {
            Some(pending) => pending.applied(&self.data),
            None => self.data.tensor(),
        }
    }

    pub(super) fn is_cpu(&self) -> bool {
        self.data.is_cpu()
    }
}

/// Gives the gradients of an operation's inputs from that of its output. Several threads may ask at the same time.
type Backward = Box<dyn Fn(Data) -> Result<Vec<Option<Data>>> + Send + Sync>;

struct Node {
    out: usize,
    inputs: Vec<Option<usize>>,
    backward: Backward,
}

/// The operations of one forward pass.
#[derive(Default)]
pub struct Tape {
    nodes: RefCell<Vec<Node>>,
    leaves: usize,
    /// Whether operations are recorded.
    on: bool,
}

impl Tape {
    /// A record for gradients in `leaves` parameters.
    pub fn new(leaves: usize) -> Self {
        Self {
            leaves,
            on: true,
            ..Self::default()
        }
    }

    /// A tape that records nothing: for passes whose gradients are not needed.
    pub fn off() -> Self {
        Self::default()
    }

    /// Parameter number `index`. Its packed weights are shared by all passes that use the variable.
    pub fn leaf(tensor: &Tensor, index: usize) -> Var {
        Var {
            slot: Some(index),
            ..Var::constant(tensor.clone())
        }
    }

    /// The result of an operation on `inputs`.
    pub(super) fn record(
        &self,
        out: impl Into<Data>,
        inputs: &[&Var],
        backward: impl Fn(Data) -> Result<Vec<Option<Data>>> + Send + Sync + 'static,
    ) -> Var {
        let mut var = Var::of(out.into());
        if self.on && inputs.iter().any(|input| input.slot.is_some()) {
            let mut nodes = self.nodes.borrow_mut();
            let slot = self.leaves + nodes.len();
            var.slot = Some(slot);
            let inputs = inputs.iter().map(|input| input.slot).collect();
            nodes.push(Node {
                out: slot,
                inputs,
                backward: Box::new(backward),
            });
        }
        var
    }

    /// The result of an operation whose gradient is made of tensor operations.
    pub(super) fn record_tensors(
        &self,
        out: Tensor,
        inputs: &[&Var],
        backward: impl Fn(Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
    ) -> Var {
        self.record(out, inputs, move |grad| {
            let grads = backward(grad.into_tensor()?)?;
            Ok(grads.into_iter().map(|grad| grad.map(Data::from)).collect())
        })
    }

    /// Gradients of ⟨`out`, `seed`⟩ in all leaves, by index; none where `out` does not depend on a leaf. What an
    /// operation kept is freed as soon as its gradient is known.
    ///
    /// # Errors
    /// Where an operation fails.
    pub fn backward(self, out: &Var, seed: Tensor) -> Result<Vec<Option<Tensor>>> {
        let nodes = self.nodes.into_inner();
        let mut sweep = Sweep::new(self.leaves, nodes.len(), out, seed);
        for node in nodes.into_iter().rev() {
            sweep.pass(&node)?;
        }
        sweep.leaves()
    }

    /// The finished record, from which several backward passes can be made.
    pub fn finish(self) -> Record {
        Record {
            nodes: self.nodes.into_inner(),
            leaves: self.leaves,
        }
    }
}

/// The finished record of a forward pass: any number of backward passes go through it, also at the same time.
pub struct Record {
    nodes: Vec<Node>,
    leaves: usize,
}

impl Record {
    /// Gradients of ⟨`out`, `seed`⟩ in all leaves, by index; none where `out` does not depend on a leaf.
    ///
    /// # Errors
    /// Where an operation fails.
    pub fn backward(&self, out: &Var, seed: Tensor) -> Result<Vec<Option<Tensor>>> {
        let mut sweep = Sweep::new(self.leaves, self.nodes.len(), out, seed);
        for node in self.nodes.iter().rev() {
            sweep.pass(node)?;
        }
        sweep.leaves()
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("leaves", &self.leaves)
            .field("nodes", &self.nodes.len())
            .finish()
    }
}

/// One backward pass under way: the gradients gathered so far, first those of the leaves.
struct Sweep {
    leaves: usize,
    grads: Vec<Option<Data>>,
}

impl Sweep {
    fn new(leaves: usize, nodes: usize, out: &Var, seed: Tensor) -> Self {
        let mut grads: Vec<Option<Data>> = vec![None; leaves + nodes];
        if let Some(grad) = out.slot.and_then(|slot| grads.get_mut(slot)) {
            *grad = Some(seed.into());
        }
        Self { leaves, grads }
    }

    /// Passes the gradient of a node's output on to its inputs.
    fn pass(&mut self, node: &Node) -> Result<()> {
        let Some(grad) = self.grads[node.out].take() else {
            return Ok(());
        };
        let inputs = (node.backward)(grad)?;
        for (slot, grad) in node.inputs.iter().zip(inputs) {
            let (Some(slot), Some(grad)) = (*slot, grad) else {
                continue;
            };
            let sum = &mut self.grads[slot];
            *sum = Some(match sum.take() {
                Some(sum) => sum.plus(&grad)?,
                None => grad,
            });
        }
        Ok(())
    }

    fn leaves(self) -> Result<Vec<Option<Tensor>>> {
        let leaves = self.grads.into_iter().take(self.leaves);
        leaves
            .map(|grad| grad.map(Data::into_tensor).transpose())
            .collect()
    }
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tape")
            .field("leaves", &self.leaves)
            .field("nodes", &self.nodes.borrow().len())
            .finish()
    }
}
