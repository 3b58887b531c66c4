//! The recorded runs that come with the program, for tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::figure::{Subject, View};
use crate::run::probe_file::ProbeTensors;
use crate::run::probes::Probes;
use crate::run::{Run, log};

/// A run with all of its probe tensors.
pub(in crate::figure) struct Recorded {
    name: &'static str,
    pub(in crate::figure) run: Run,
    probes: Probes,
}

impl Recorded {
    pub(in crate::figure) fn subject(&self) -> Subject<'_> {
        Subject {
            name: self.name,
            run: &self.run,
            probes: &self.probes,
        }
    }
}

pub(in crate::figure) fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recorded")
        .join(name)
}

pub(in crate::figure) fn recorded(name: &'static str) -> anyhow::Result<Recorded> {
    let dir = directory(name);
    let run = log::load(&dir)?.run;
    let classes = run.started.as_ref().map_or(0, |x| x.classes.len());
    let mut probes = Probes::new();
    for probe in &run.probes {
        let tensors = ProbeTensors::load(&dir.join(&probe.file), classes)?;
        probes.insert(probe.step, Arc::new(tensors));
    }
    Ok(Recorded { name, run, probes })
}

/// The recorded pair, and the same with other seeds, whose scores differ by what has no meaning: a network without
/// attention and one with, of three seeds each.
pub(in crate::figure) fn groups() -> anyhow::Result<Vec<Recorded>> {
    let names = [
        ("solar-none", ["none-0", "none-1", "none-2"]),
        ("solar-branch", ["branch-0", "branch-1", "branch-2"]),
    ];
    let mut runs = Vec::new();
    for (variant, names) in names {
        for (seed, name) in (0_u64..).zip(names) {
            let mut one = recorded(variant)?;
            one.name = name;
            if let Some(started) = &mut one.run.started {
                started.config.seed = seed;
                started.id.push_str(name);
            }
            for eval in &mut one.run.evals {
                let lower =
                    |score: f64, k: usize| score - 0.01 * (seed * (k as u64 + 1) % 5) as f64;
                eval.macro_f1 = eval.macro_f1.map(|score| lower(score, 0));
                for (k, f1) in eval.f1.iter_mut().enumerate() {
                    *f1 = f1.map(|score| lower(score, k));
                }
            }
            runs.push(one);
        }
    }
    Ok(runs)
}

/// A moment, a layer, a pair and a class.
pub(in crate::figure) fn view() -> View {
    View {
        scope: crate::run::Scope::Layer("branch2.conv2".to_owned()),
        step: Some(300),
        pair: Some((0, 4)),
        class: Some(4),
        ..View::default()
    }
}
