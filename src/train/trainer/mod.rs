//! One run under way: the loop (`training`), evaluations and probes (`measuring`), and the run's directory
//! (`recording`). They are one type, [`training::Trainer`], in three files. May import every module of `train` except
//! `start`.

mod measuring;
mod recording;
mod training;

pub(super) use recording::new_id;
pub(super) use training::{Trainer, is_data_of};
