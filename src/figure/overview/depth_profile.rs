//! How strongly each class pulls in every layer, at one moment.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::network;
use crate::figure::facts::network::layers_with_gradients;
use crate::figure::facts::probes::Need;
use crate::figure::kit::chart::{Axis, Chart};
use crate::figure::kit::memo::remembered;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::overview::norms::{norms, push_norms};
use crate::figure::parts::charts::{chart_of_run_ui, kept};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::DepthProfile,
    name: "depth-profile",
    title: "Layer-wise gradient flow",
    subtitle: "How strongly each class pulls by depth: its gradient norm in every layer at one step, logarithmic",
    help: "Norm of every class's gradient in every layer, from input to output, at the moment of the slider, on a \
           logarithmic axis that holds all moments. Thick lines are geometric means of the frequent (solid) and the \
           rarest third (dashed) of the classes, in areas from their least to their largest class. Click to select a \
           layer, or near a line its class.",
    synonyms: &[
        "pull of each class by depth",
        "gradient norm",
        "layers",
        "gradient flow",
        "depth",
        "head and tail",
    ],
    page: Page::Overview,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Nothing,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: true,
    colour_range: None,
    chart: Some(chart),
    ui: |ui, subject, shown, view| {
        chart_of_run_ui(ui, (Kind::DepthProfile, chart), subject, shown, view)
    },
    table: |subject, _, view| table(subject, view),
};

/// The chart of a run, made anew only where something it shows has changed.
pub(in crate::figure) fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    let step = subject.probe(view).map(|probe| probe.step);
    kept(
        ctx,
        &FIGURE,
        (subject, view),
        (subject.run.revisions.probes, step),
        || by_depth(ctx, subject, view),
    )
}

fn by_depth(ctx: &Context, subject: Subject<'_>, view: &View) -> Chart {
    let layers: Vec<_> = layers_with_gradients(subject).collect();
    let probe = subject.probe(view);
    let xs: Vec<f64> = (0..layers.len()).map(|x| x as f64).collect();
    let chart = norms(subject, &xs, |i, k| {
        network::norm(probe?, &[layers[i].1], k)
    });
    Chart {
        x: Axis::Layers(layers.iter().map(|(layer, _)| layer.name.clone()).collect()),
        range_y: range_of_norms(ctx, subject),
        ..chart
    }
}

/// The least and the largest norm of any class in any layer at any probe, as log10.
fn range_of_norms(ctx: &Context, subject: Subject<'_>) -> Option<(f64, f64)> {
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let key = (id, subject.run.revisions.probes);
    remembered(ctx, ("range of norms", subject.identity()), key, || {
        let layers = subject.run.probes.iter().flat_map(|probe| &probe.layers);
        let norms = layers.flat_map(|layer| layer.norm.iter().flatten());
        let norms = norms
            .copied()
            .filter(|norm| *norm > 0.0 && norm.is_finite());
        let ends = norms.fold(None, |ends: Option<(f64, f64)>, x| {
            let (low, high) = ends.unwrap_or((x, x));
            Some((low.min(x), high.max(x)))
        });
        ends.map(|(low, high)| (low.log10(), high.log10()))
    })
}

pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new(["step", "epoch", "layer", "class", "third", "grad_norm"]);
    let Some(probe) = subject.probe(view) else {
        return table;
    };
    for (layer, row) in layers_with_gradients(subject) {
        let part = layer.name.as_str().into();
        let place = [probe.step.into(), probe.epoch.into(), part];
        push_norms(&mut table, subject, &place, |k| {
            network::norm(probe, &[row], k)
        });
    }
    table
}
