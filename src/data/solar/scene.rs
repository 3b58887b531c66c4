//! What one photograph shows, as plain numbers.
//!
//! Positions on the module run from −1 to 1, from left to right and from top to bottom; lengths are in the same unit.
//! Strengths and opacities run from 0 to 1.

use crate::random::Random;

/// Red, green and blue, from 0 to 1.
pub(super) type Colour = [f64; 3];

/// Everything that one photograph shows.
pub(super) struct Scene {
    /// The stream of random numbers after all other draws, from which the sensor noise is drawn.
    pub(super) random: Random,
    /// Seed of the noise fields.
    pub(super) field: u64,
    pub(super) camera: Camera,
    pub(super) module: Module,
    pub(super) light: Light,
    pub(super) faults: Vec<Fault>,
}

/// Maps image positions to module positions: rotation, scale, shear and a little perspective.
pub(super) struct Camera {
    /// Rotation in radians.
    pub(super) angle: f64,
    /// Scale across and down.
    pub(super) scale: [f64; 2],
    pub(super) shear: f64,
    /// Change of depth across and down the image.
    pub(super) perspective: [f64; 2],
    /// Image position of the module's centre.
    pub(super) centre: [f64; 2],
}

/// A solar module: cells with bus bars and gaps between them, in a frame, before a background.
pub(super) struct Module {
    /// Number of cells across and down.
    pub(super) cells: [f64; 2],
    /// Colour of a cell.
    pub(super) cell: Colour,
    /// Colour between cells.
    pub(super) gap: Colour,
    /// Colour of the frame.
    pub(super) frame: Colour,
    /// Number of bus bars of a cell.
    pub(super) bars: f64,
    /// How much cells differ from each other.
    pub(super) variation: f64,
    /// The two colours that the background is mixed of.
    pub(super) background: [Colour; 2],
}

/// Light and camera sensor. Positions are those of the image, from −1 to 1.
pub(super) struct Light {
    /// Brightness of the whole photograph.
    pub(super) exposure: f64,
    /// Factor of red, green and blue.
    pub(super) tint: Colour,
    /// Change of brightness across and down.
    pub(super) gradient: [f64; 2],
    /// Centre and strength of a glare.
    pub(super) glare: Option<([f64; 2], f64)>,
    /// Edge (through a point, with a direction in radians) and darkness of a cast shadow.
    pub(super) shadow: Option<([f64; 2], f64, f64)>,
    /// Standard deviation of the sensor noise, as a share of full brightness.
    pub(super) noise: f64,
}

/// One fault, or a slight blemish that any class may have.
pub(super) enum Fault {
    /// A layer of dust that thickens downwards.
    Dust {
        amount: f64,
        /// How much more dust lies at the lower edge than at the upper one.
        drift: f64,
        colour: Colour,
    },
    /// A bird dropping.
    Splash {
        centre: [f64; 2],
        radius: f64,
        /// Length of the streak that runs down from the dropping; 0 without a streak.
        streak: f64,
        strength: f64,
    },
    /// A cell darkened or browned.
    BurntCell {
        /// Position of the cell among all cells, from 0 to 1 across and down.
        cell: [f64; 2],
        colour: Colour,
        strength: f64,
    },
    /// A burn mark with a halo.
    Burn {
        centre: [f64; 2],
        radius: f64,
        strength: f64,
    },
    /// A thin line of the given colour.
    Line {
        points: Vec<[f64; 2]>,
        width: f64,
        colour: Colour,
        strength: f64,
    },
    /// A corner that has broken off.
    MissingCorner {
        /// Side of the corner across and down, −1 or 1 each.
        corner: [f64; 2],
        reach: f64,
    },
    /// Snow that lies on the side to which `direction` points.
    Snow {
        /// Direction in radians; π/2 points down.
        direction: f64,
        /// Position of the snow's edge along the direction.
        level: f64,
        /// How uneven the snow's edge is.
        rough: f64,
        opacity: f64,
    },
}
