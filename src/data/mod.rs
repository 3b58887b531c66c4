//! Images: one in-memory [`Dataset`] from every source, its splits, and the batches made from it.
