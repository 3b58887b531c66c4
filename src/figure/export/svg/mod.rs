//! A drawing as SVG: shapes as shapes, text as text, and only what has no counterpart as a small image.

mod letters;
mod mesh;
mod text;
mod words;
mod write;

pub(super) use write::{About, svg};

#[cfg(test)]
mod tests;
