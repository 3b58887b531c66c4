//! One run under way: the loop (`training`), what is measured of it (`measuring`), and what is written into its directory
//! (`recording`). They are one type, [`training::Trainer`], in three files.

mod measuring;
mod recording;
mod training;

pub(super) use training::Trainer;
