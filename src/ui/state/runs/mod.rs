//! The runs on the list, which are being trained or were read from disk, and those of their probe tensors that are in
//! memory.

mod entry;
mod fork;
mod list;
mod memory;
mod probes;
mod run_state;
#[cfg(test)]
mod tests;

pub(crate) use entry::{GROWS_FOR_SECS, RunEntry};
pub(crate) use fork::{not_finite, offered_rate, step_of, with_rate};
pub(crate) use list::{PROBE_MEMORY_BYTES, Runs};
pub(crate) use probes::{ProbeRead, ProbeReply, ProbeRequest};
pub(crate) use run_state::{RunId, RunState, state_at_rest, state_of};
