//! Reads probe files.

use std::sync::Arc;

use crate::run::class_rows::ClassRows;
use crate::run::probe_file::ProbeTensors;
use crate::ui::state::runs::{ProbeRead, ProbeReply, ProbeRequest};

/// Reads a probe file, or only the rows of some classes in it.
pub(crate) fn read_probe(request: ProbeRequest) -> ProbeReply {
    let read = if request.rows.is_empty() {
        ProbeTensors::load(&request.path, request.classes, request.batch_norm)
            .map(|tensors| ProbeRead::Whole(Arc::new(tensors)))
    } else {
        ClassRows::load(
            &request.path,
            request.classes,
            &request.rows,
            request.batch_norm,
        )
        .map(ProbeRead::Rows)
    };
    ProbeReply {
        run: request.run,
        step: request.step,
        batch_norm: request.batch_norm,
        read: read.map_err(|error| error.to_string()),
    }
}
