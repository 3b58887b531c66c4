//! The built-in data set: procedural photographs of solar modules in six classes, naturally imbalanced.
//!
//! Every image is a pure function of its split, class and number, so that the set is the same everywhere. Each is made
//! as a photograph would be: a module (cells, bars, frame) before a background, a fault of some severity on it, then
//! camera angle, light, shadow, blur and sensor noise. Slight dirt, shadow and glare occur in every class, and faults
//! go down to barely visible, so that classes overlap. The difficulty was set by looking at the baseline alone and is
//! frozen: changing anything here changes the data set.
//!
//! ```text
//! set       which images there are, and the whole data set
//! sample    draws at random what a photograph shows: a scene
//! scene     camera, module, light and faults, as plain numbers
//! paint     the colour of a scene at a point, and its pixels; faults: how each fault changes the colour
//! texture   mixing colours, and noise
//! ```
//! May import config, random, and of `data` the files dataset, error and splits.

mod faults;
mod paint;
mod sample;
mod scene;
mod set;
mod texture;

pub(super) use set::{SIZE, image, index, load, summary};
