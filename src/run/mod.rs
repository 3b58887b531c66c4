//! A run: the state that follows from the trainer's events, and the run's directory on disk.
//!
//! [`Run::apply`] is the only reducer: a live run, a replayed one, a sample and a test all go through it.
//!
//! Imports `config`, `class_balance` and `network`, and from `gradient` the Gram matrix, its summary and the ledger; no
//! tensor library and no drawing.
//!
//! # The directory
//!
//! L layers with parameters, K classes, S pieces of every class's probe images, N images.
//!
//! ```text
//! run.toml                                  format, code_version, instruction_set, [config]
//! events.jsonl                              append-only, one JSON object a line, the first line the header
//! data.safetensors                          labels u16 [N]; train, val, test, probe u32: numbers of images;
//!                                           metadata: fingerprint, files (a JSON list, where the source has files)
//! probes/<step:08>.safetensors              gram f32 [L, K·S, K·S], update f32 [L, K·S], loss f32 [K·S], n f32 [K·S],
//!                                           gates/<branch> f32 [K, channels]; row a·S+s is piece s of class a; since
//!                                           format 2 also gram.training, update.training and loss.training of M
//!                                           measured classes, and classes.training u16 [M]
//! verify/<step:08>.safetensors              measured and predicted effects of classes on each other, f32 [K, K]
//! predictions/<step:08>-<split>.safetensors class u16 [N], confidence f32 [N]; at the best and the last step also
//!                                           logits f32 [N, K], of validation (since format 2) and test images; in the
//!                                           order of the split's images
//! checkpoints/{last,best}.safetensors       parameters and buffers with PyTorch's names and shapes, f32;
//!                                           optimiser/<parameter> f32; metadata: progress
//! notes.json                                name, notes: written by hand or in the window
//! mirror.json                               only in a copy of a run of another machine: where it was copied from
//! ```
//!
//! Every file but the log is written whole (temporary file, fsync, rename) before the event that names it. One writer
//! at a time holds the lock on `events.jsonl`; readers never write.
//!
//! # The log
//!
//! Every line names its `event`; the fields are those of [`event`], under the same names. Undefined values are `null`.
//!
//! | `event` | fields |
//! |---|---|
//! | `started` | the header: [`Started`](event::Started) |
//! | `step` | [`Step`](event::Step): `step`, `epoch`, `images`, `wall_secs` in seconds, `loss` in nats, `lr`, `grad_norms` by Gram row, `logit_gradients` by class (sums since the first step; since format 2) |
//! | `eval` | [`Eval`](event::Eval): `step`, `epoch`, `split`, `loss` in nats, scores in [0, 1], `support` and `confusion` in images |
//! | `probe` | [`Probe`](event::Probe): `step`, `epoch`, `file`, and a [`ConflictSummary`](crate::gradient::gram::ConflictSummary) of each of `layers`, of `backbone` and of `classifier`, with batch norm frozen; under `training` the same as in training |
//! | `resumed` | `step`: everything logged after it is void |
//! | `finished`, `stopped`, `failed` | [`End`](event::End): `step`, `message` |
//!
//! `step` is the number of optimiser steps taken, `epoch` the number of epochs trained, with its fraction. In the
//! tensors of a probe, `gram` holds the inner products of the gradients of the pieces' mean cross-entropies (nats²,
//! weights having no unit), `update` the inner products of these gradients with the change of the weights in the last
//! optimiser step (nats), `loss` the mean cross-entropy of every piece (nats), `n` its number of images, and `gates`
//! the mean attention gates, in [0, 1]. The `confidence` of a prediction is the softmax probability of the predicted
//! class.

mod bytes;
mod error;
pub mod event;
mod find;
pub(crate) mod gates;
pub mod glance;
mod inside;
pub mod log;
pub mod mirrored;
pub mod notes;
mod paths;
mod reducer;
mod scope;
mod summaries;
mod tensors;
mod thirds;
mod together;

pub use crate::network::{BatchNorm, CLASSIFIER};
pub use reducer::{Ending, Revisions, Run};
pub use scope::Scope;
pub use tensors::{class_rows, predictions, probe_file, probes, recorded_data, verification};
pub use thirds::Thirds;
pub use together::{
    Agreement, COMPARABLE_EPOCHS, Moment, common_batch_norm, comparable, last_common_step,
};
