//! Figures: each drawn by one function, called by the window's panel and by the exporter alike.
//!
//! Layers, each importing those before it: `look` (what is selected), `kit` (means of plotting), `facts` (the
//! numbers), `parts` (pieces that figures share), a folder for every page with a file for every figure, `registry`
//! (the list of figures), `export` (figures as files). This file names what the rest of the program may use.

mod conflicts;
pub mod export;
mod facts;
mod gates;
mod groups;
mod kit;
mod look;
mod mistakes;
mod one_class;
mod overview;
mod parts;
mod registry;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use export::{figure_png, figure_png_among, raster};
pub(crate) use facts::mistakes::evaluation;
pub use facts::order::similarity_order;
pub(crate) use facts::order::time_at;
pub use facts::probes::followed;
pub(crate) use facts::thirds::strongest::strongest_pair;
pub use kit::chart::Scales;
pub use kit::memo::{count_kept, forget};
pub(crate) use kit::text::fitted;
pub use kit::{palette, style};
pub use look::clock::TimeAxis;
pub use look::kind::Kind;
pub use look::marks::{Brush, Range};
pub use look::pick::Pick;
pub use look::sight::Sight;
pub use look::subject::{Subject, place_of};
pub(crate) use look::subject::{class_after, order_of_classes};
pub use look::view::{Order, Pairs, Quantity, Spread, Surgery, View, WhatIf};
pub(crate) use one_class::weights::choices as what_if_choices;
pub(crate) use registry::curve_names;
pub use registry::{figure_ui, locked, read_probes};

/// The groups of the runs on screen and their comparison.
pub mod difference {
    pub use super::facts::groups::{
        NOTHING, compared, compared_once, compared_runs, stands_for_all, stands_for_group,
    };
}

/// The headline of a comparison, as a table.
pub mod measures {
    pub use super::groups::measures::measures;
}

/// Which figures the pages of the window show.
pub mod pages {
    pub(crate) use super::look::layout::{GAP, Part, TITLE_HEIGHT};
    pub use super::look::pages::{Figures, PAGES};
    pub(crate) use super::look::pages::{Page, of_two};
    pub use super::registry::{card_of, kind_shown, lacks};
}

/// The numbers of a figure, as a table.
pub mod table {
    pub use super::kit::table::{Table, Value};
    pub use super::registry::table;
}
