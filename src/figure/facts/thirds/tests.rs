//! Conflict between thirds from the log and from tensors.

use anyhow::{Context as _, Result};

use super::*;
use crate::figure::table::table;
use crate::figure::testing::{Recorded, recorded};
use crate::figure::{Kind, View};
use crate::run::probes::Probes;

/// The recorded run was written before conflict between thirds was recorded.
#[test]
fn an_older_log_is_completed_from_tensors_that_are_in_memory() -> Result<()> {
    let mut run = recorded("solar-branch")?;
    let ctx = Context::default();
    let backbone = run.run.gram_rows(&Scope::Backbone);
    for probe in &run.run.probes {
        assert_eq!(probe.backbone.thirds, None);
        let tensors = run.probes.get(&probe.step).context("tensors")?;
        for (row, rows) in [(None, &backbone[..]), (Some(3), &[3])] {
            let completed = completed(&ctx, run.subject(), probe, row).context("a summary")?;
            let gram = tensors.gram_of(rows).context("a gram")?;
            let wanted = run.run.summary_of(&gram, probe.step).thirds;
            assert!(wanted.is_some());
            assert_eq!(completed.thirds, wanted);
            assert_eq!(missing(&run.run, &completed), None);
        }
        let block = Scope::Group("branch2".to_owned());
        let gram = tensors.gram_of(&run.run.gram_rows(&block));
        let wanted = gram.and_then(|gram| run.run.summary_of(&gram, probe.step).thirds);
        assert_eq!(
            of_part(&ctx, run.subject(), probe, &block),
            wanted.map(|x| *x)
        );
    }
    // Without tensors the values are those of the log.
    run.probes = Probes::new();
    let probe = run.run.probes[2].clone();
    let bare = completed(&ctx, run.subject(), &probe, None).context("a summary")?;
    assert_eq!(*bare, probe.backbone);
    assert_eq!(missing(&run.run, &bare), Some(NOT_IN_LOG));
    if let Some(started) = &mut run.run.started {
        started.train_counts.fill(50);
    }
    assert_eq!(missing(&run.run, &bare), Some(NO_THIRDS));
    Ok(())
}

/// A log that has them gives the same figures without any tensors.
#[test]
fn a_newer_log_is_enough() -> Result<()> {
    let mut run = recorded("solar-branch")?;
    let views = [Scope::Backbone, Scope::Layer("branch2.conv2".to_owned())].map(|scope| View {
        scope,
        ..View::default()
    });
    let kinds = [Kind::ThirdsTime, Kind::DepthTime, Kind::Architecture];
    let tables = |run: &Recorded| {
        let of = |view: &View| kinds.map(|kind| table(kind, run.subject(), &[], view));
        [of(&views[0]), of(&views[1])]
    };
    let before = tables(&run);
    let ctx = Context::default();
    let complete = |probe: &Probe| -> Option<Probe> {
        let of = |row| Some(completed(&ctx, run.subject(), probe, row)?.into_owned());
        Some(Probe {
            layers: (0..probe.layers.len())
                .map(|row| of(Some(row)))
                .collect::<Option<_>>()?,
            backbone: of(None)?,
            ..probe.clone()
        })
    };
    let probes: Option<Vec<_>> = run.run.probes.iter().map(complete).collect();
    run.run.probes = probes.context("probes")?;
    run.probes = Probes::new();
    assert_eq!(tables(&run), before);
    Ok(())
}
