//! `export`: figures as files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;

use super::{Usage, say};
use crate::config::Size;
use crate::figure;
use crate::run::probe_file::ProbeTensors;
use crate::run::{Run, Scope, log};

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The run directory.
    run: PathBuf,
    /// Which figure.
    #[arg(long, value_name = "NAME", value_parser = parse_figure)]
    figure: figure::Kind,
    /// Layer, block (such as `branch2`), `backbone` or `network`.
    #[arg(long, default_value = "backbone")]
    layer: String,
    /// Step to look at; the last one by default.
    #[arg(long)]
    step: Option<u64>,
    /// Two classes, by name or number, for `pair-cosine`.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pair: Option<Vec<String>>,
    /// Size in points, as WIDTHxHEIGHT.
    #[arg(long, default_value = "800x600")]
    size: Size,
    /// Pixels per point.
    #[arg(long, default_value_t = 2.0)]
    scale: f32,
    /// Light on dark.
    #[arg(long)]
    dark: bool,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn parse_figure(name: &str) -> Result<figure::Kind, String> {
    figure::Kind::ALL
        .iter()
        .copied()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| {
            let names: Vec<_> = figure::Kind::ALL.iter().map(|kind| kind.name()).collect();
            format!("no such figure; there are {}", names.join(", "))
        })
}

pub(super) fn export(arguments: &ExportArguments) -> anyhow::Result<()> {
    let loaded = log::load(&arguments.run)?;
    let started = loaded
        .run
        .started
        .as_ref()
        .context("the run has no header")?;
    let scope = Scope::find(&arguments.layer, started).ok_or_else(|| {
        let names: Vec<_> = started
            .layers
            .iter()
            .filter(|layer| layer.gram.is_some())
            .map(|layer| layer.name.as_str())
            .collect();
        Usage(format!(
            "`{}` is no layer of this run; there are {}, and the blocks, backbone, network",
            arguments.layer,
            names.join(", ")
        ))
    })?;
    let class = |name: &String| {
        let found = started.classes.iter().position(|class| class == name);
        found
            .or_else(|| name.parse().ok().filter(|&k| k < started.classes.len()))
            .ok_or_else(|| {
                Usage(format!(
                    "`{name}` is no class of this run; there are {}",
                    started.classes.join(", ")
                ))
            })
    };
    let pair = match arguments.pair.as_deref() {
        Some([a, b]) => Some((class(a)?, class(b)?)),
        _ => None,
    };
    let view = figure::View {
        scope,
        step: arguments.step,
        pair,
        ..figure::View::default()
    };
    let probes = load_probes(&arguments.run, &loaded.run, arguments.figure, &view)?;
    let name = arguments
        .run
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let subject = figure::Subject {
        name: &name,
        run: &loaded.run,
        probes: &probes,
    };
    let options = figure::export::Options {
        size: [arguments.size.width as f32, arguments.size.height as f32],
        scale: arguments.scale,
        dark: arguments.dark,
    };
    options.validate()?;
    let image = figure::figure_png(arguments.figure, subject, &view, &options);
    figure::export::write_png(&arguments.out, &image)?;
    say(format!("wrote {}", arguments.out.display()));
    Ok(())
}

/// The probe tensors that a figure needs: every one for a curve, the one at the cursor for a matrix.
fn load_probes(
    dir: &Path,
    run: &Run,
    kind: figure::Kind,
    view: &figure::View,
) -> anyhow::Result<BTreeMap<u64, Arc<ProbeTensors>>> {
    let classes = run
        .started
        .as_ref()
        .map_or(0, |started| started.classes.len());
    let at_cursor = run.probe_at(view.step.unwrap_or(u64::MAX));
    let wanted = |index: usize| match kind {
        figure::Kind::PairCosine => view.pair.is_some(),
        figure::Kind::ConflictMatrix => Some(index) == at_cursor,
        _ => false,
    };
    let mut probes = BTreeMap::new();
    for (_, probe) in run
        .probes
        .iter()
        .enumerate()
        .filter(|(index, _)| wanted(*index))
    {
        probes.insert(
            probe.step,
            Arc::new(ProbeTensors::load(&dir.join(&probe.file), classes)?),
        );
    }
    Ok(probes)
}
