//! The recorded runs that come with the program, for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::figure::{Subject, View};
use crate::run::probe_file::ProbeTensors;
use crate::run::{Run, log};

/// A run with all of its probe tensors.
pub(in crate::figure) struct Recorded {
    name: &'static str,
    pub(in crate::figure) run: Run,
    probes: BTreeMap<u64, Arc<ProbeTensors>>,
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
    let mut probes = BTreeMap::new();
    for probe in &run.probes {
        let tensors = ProbeTensors::load(&dir.join(&probe.file), classes)?;
        probes.insert(probe.step, Arc::new(tensors));
    }
    Ok(Recorded { name, run, probes })
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
