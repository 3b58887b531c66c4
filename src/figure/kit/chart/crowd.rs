//! Very many curves as one mesh, made anew only where it would look different: the curves of a hundred classes are a
//! hundred thousand pieces, which are too many to be laid out in every frame.

use std::ops::RangeInclusive;
use std::sync::Arc;

use egui::epaint::{PathShape, Tessellator};
use egui::{Color32, Context, Id, Mesh, Rect, Shape, Stroke, Ui};
use egui_plot::{PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotPoint, PlotTransform};

use crate::figure::kit::chart::data::Curve;
use crate::figure::kit::chart::thin::Thin;
use crate::figure::kit::memo::{keep, kept};

/// The curves to be drawn. The pointer does not find them: the one that it is near to is drawn by itself, too.
pub(super) struct Crowd {
    base: PlotItemBase,
    /// Where the mesh is kept between frames.
    id: Id,
    lines: Vec<Line>,
    thin: Option<Thin>,
}

/// The pieces of a curve, and its width and colour.
type Line = (Arc<Vec<Vec<PlotPoint>>>, Stroke);

/// A mesh with all that it depends on. It keeps the pieces, so that no others can have their addresses.
struct Drawn {
    lines: Vec<Line>,
    place: Place,
    mesh: Arc<Mesh>,
}

/// Where a mesh lies: frame, bounds, and pixels per point.
type Place = (Rect, PlotBounds, f32);

impl Crowd {
    /// The crowd of a plot; `thin` says which points are left out.
    pub(super) fn new(plot: Id, thin: Option<Thin>) -> Self {
        Self {
            base: PlotItemBase::new("crowd".to_owned()),
            id: plot.with("crowd"),
            lines: Vec::new(),
            thin,
        }
    }

    pub(super) fn push(&mut self, curve: &Curve, (width, color): (f32, Color32)) {
        let stroke = Stroke::new(width, color);
        self.lines.push((curve.segments.clone(), stroke));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether a mesh that is kept has the same lines at the same place.
    fn is(&self, drawn: &Drawn, place: &Place) -> bool {
        let is_same = |(a, b): (&Line, &Line)| Arc::ptr_eq(&a.0, &b.0) && a.1 == b.1;
        drawn.place == *place
            && drawn.lines.len() == self.lines.len()
            && drawn.lines.iter().zip(&self.lines).all(is_same)
    }

    fn mesh(&self, ctx: &Context, transform: &PlotTransform) -> Arc<Mesh> {
        let place = (
            *transform.frame(),
            *transform.bounds(),
            ctx.pixels_per_point(),
        );
        let kept = kept::<Arc<Drawn>>(ctx, self.id);
        if let Some(drawn) = kept.filter(|drawn| self.is(drawn, &place)) {
            return drawn.mesh.clone();
        }
        let options = ctx.tessellation_options(|options| *options);
        // Lines have neither letters nor discs.
        let mut tessellator = Tessellator::new(place.2, options, [1, 1], Vec::new());
        let mut mesh = Mesh::default();
        for (segments, stroke) in &self.lines {
            for segment in segments.iter() {
                let kept = self.thin.and_then(|thin| thin.kept_of_many(segment));
                let points = kept.as_deref().unwrap_or(segment).iter();
                let points = points.map(|point| transform.position_from_point(point));
                let path = PathShape::line(points.collect(), *stroke);
                tessellator.tessellate_path(&path, &mut mesh);
            }
        }
        let drawn = Arc::new(Drawn {
            lines: self.lines.clone(),
            place,
            mesh: Arc::new(mesh),
        });
        keep(ctx, self.id, drawn.clone());
        drawn.mesh.clone()
    }
}

impl PlotItem for Crowd {
    fn shapes(&self, ui: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        shapes.push(Shape::Mesh(self.mesh(ui.ctx(), transform)));
    }

    fn initialize(&mut self, _: RangeInclusive<f64>) {}

    fn color(&self) -> Color32 {
        Color32::TRANSPARENT
    }

    fn allow_hover(&self) -> bool {
        false
    }

    fn geometry(&self) -> PlotGeometry<'_> {
        PlotGeometry::None
    }

    /// The scales of a chart are set, so that no item widens them.
    fn bounds(&self) -> PlotBounds {
        PlotBounds::NOTHING
    }

    fn base(&self) -> &PlotItemBase {
        &self.base
    }

    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }
}
