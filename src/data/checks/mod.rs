//! What is looked for in images and settings before anything is trained on them.
//!
//! ```text
//! whole        whether an image file is cut short
//! duplicates   images that are there more than once
//! advice       settings that leave too few images
//! ```

mod advice;
pub(super) mod duplicates;
pub(super) mod whole;
