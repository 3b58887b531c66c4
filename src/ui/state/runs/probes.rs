//! Requests for probe files, and the tensors that were read.

use std::path::PathBuf;
use std::sync::Arc;

use super::run_state::RunId;
use crate::run::BatchNorm;
use crate::run::class_rows::ClassRows;
use crate::run::probe_file::ProbeTensors;

/// A probe file to read.
pub(crate) struct ProbeRequest {
    pub(crate) run: RunId,
    pub(crate) step: u64,
    pub(crate) path: PathBuf,
    pub(crate) classes: usize,
    /// The way of measuring whose tensors are read.
    pub(crate) batch_norm: BatchNorm,
    /// The classes whose rows are read; empty for the whole file.
    pub(crate) rows: Vec<usize>,
}

/// A probe file that was read, or why it could not be.
pub(crate) struct ProbeReply {
    pub(crate) run: RunId,
    pub(crate) step: u64,
    pub(crate) batch_norm: BatchNorm,
    pub(crate) read: Result<ProbeRead, String>,
}

/// The tensors that were read of a probe file.
pub(crate) enum ProbeRead {
    Whole(Arc<ProbeTensors>),
    Rows(Vec<ClassRows>),
}
