use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use super::memory::PROBES_AT_ONCE;
use super::{ProbeRead, ProbeReply, RunId, RunState, Runs};
use crate::figure::View;
use crate::run::BatchNorm;
use crate::run::event::{Event, Probe};
use crate::run::probe_file::ProbeTensors;
use crate::run::probes::Probes;

/// Two runs with probes at 0, 10, … 40 of 40 bytes each, all in memory.
fn two_runs() -> Runs {
    let mut runs = Runs::default();
    for name in ["a", "b"] {
        let id = runs.add(PathBuf::from(name), RunState::Finished);
        let replies = (0..5).map(|index| {
            let step = index * 10;
            let probe = Probe {
                step,
                epoch: 0.0,
                file: String::new(),
                layers: Vec::new(),
                backbone: Default::default(),
                classifier: Default::default(),
                training: None,
            };
            if let Some(entry) = runs.get_mut(id) {
                entry.apply(&Event::Probe(probe));
            }
            let gram = vec![0.0; 10];
            let tensors = ProbeTensors {
                gram,
                ..ProbeTensors::default()
            };
            ProbeReply {
                run: id,
                step,
                batch_norm: BatchNorm::Frozen,
                read: Ok(ProbeRead::Whole(Arc::new(tensors))),
            }
        });
        let replies = replies.collect();
        let _ = runs.take_probes(replies, &[0, 1], &View::default());
    }
    runs
}

fn at(step: u64) -> View {
    View {
        step: Some(step),
        ..View::default()
    }
}

fn kept(runs: &Runs, id: RunId) -> Vec<u64> {
    runs.get(id)
        .into_iter()
        .flat_map(|entry| entry.probes.whole.keys().copied())
        .collect()
}

#[test]
fn probes_near_the_cursor_stay_in_memory() {
    let mut runs = two_runs();
    let _ = runs.forget_probes(&[0], &at(20), 3 * 40);
    assert_eq!((kept(&runs, 0), kept(&runs, 1)), (vec![10, 20, 30], vec![]));
    let _ = runs.forget_probes(&[0], &at(20), 0);
    assert_eq!(kept(&runs, 0), [20], "the one looked at is never dropped");
}

/// The followed rows of a dropped probe stay in memory, and no others.
#[test]
fn followed_rows_stay_in_memory() -> anyhow::Result<()> {
    let mut runs = two_runs();
    let view = View {
        pair: Some((0, 1)),
        class: Some(1),
        ..at(20)
    };
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/solar-none");
    let recorded = crate::run::log::load(Path::new(recorded))?.run;
    Arc::make_mut(&mut runs.entries[0].run).started = recorded.started;
    runs.entries[0].probes = Probes::new();
    for step in [0, 10, 20] {
        let tensors = ProbeTensors {
            classes: 6,
            gram: vec![0.0; 36],
            update: vec![0.0; 6],
            loss: vec![0.0; 6],
            n: vec![1.0; 6],
            ..ProbeTensors::default()
        };
        runs.entries[0].probes.insert(step, Arc::new(tensors));
    }
    let _ = runs.forget_probes(&[0], &view, 0);
    let probes = |runs: &Runs| runs.entries[0].probes.clone();
    assert_eq!(kept(&runs, 0), [20]);
    let rows = probes(&runs).rows.into_iter();
    let rows: Vec<_> = rows
        .map(|(class, at)| (class, at.into_keys().collect::<Vec<_>>()))
        .collect();
    assert_eq!(rows, [(0, vec![0, 10]), (1, vec![0, 10])]);
    // The log names two more probes than are in memory, and the third class is now followed, too.
    let view = View {
        class: Some(2),
        ..view
    };
    runs.entries[0].probes.whole.clear();
    runs.probe_memory = 0;
    let wanted = runs.wanted_probes(&[0], &view);
    let wanted: Vec<_> = wanted.iter().map(|x| (x.step, x.rows.clone())).collect();
    assert_eq!(wanted, [(20, vec![])], "first what is looked at");
    runs.probes_under_way = false;
    runs.entries[0]
        .probes
        .insert(20, Arc::new(ProbeTensors::default()));
    let wanted = runs.wanted_probes(&[0], &view);
    let mut wanted: Vec<_> = wanted.iter().map(|x| (x.step, x.rows.clone())).collect();
    wanted.sort();
    let all = vec![0, 1, 2];
    assert_eq!(
        wanted,
        [(0, vec![2]), (10, vec![2]), (30, all.clone()), (40, all)]
    );
    Ok(())
}

#[test]
fn the_probe_at_the_cursor_is_read_first() {
    let mut runs = two_runs();
    runs.entries
        .iter_mut()
        .for_each(|entry| entry.probes = Probes::new());
    let wanted = runs.wanted_probes(&[0, 1], &at(30));
    let steps: Vec<_> = wanted.iter().map(|request| request.step).collect();
    assert_eq!(steps[..2], [30, 30]);
    assert_eq!(steps.len(), PROBES_AT_ONCE);
    assert!(
        runs.wanted_probes(&[0, 1], &at(30)).is_empty(),
        "one request at a time"
    );
}

/// A run of which only the frozen measure is recorded keeps its tensors; of another, those of the other measure are
/// forgotten, and a reply that is still under way is not taken for the measure shown.
#[test]
fn tensors_of_the_other_measure_are_forgotten() -> anyhow::Result<()> {
    let mut runs = two_runs();
    let old = runs.get_mut(0).context("a run")?;
    assert!(old.show(BatchNorm::Frozen).is_none() && old.show(BatchNorm::AsInTraining).is_none());
    assert_eq!(kept(&runs, 0).len(), 5);
    let entry = runs.get_mut(1).context("a run")?;
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    let mut started = crate::run::log::load(&dir)?
        .run
        .started
        .context("a header")?;
    started.probe.training = vec![0];
    Arc::make_mut(&mut entry.run).started = Some(started);
    let before = entry.run.revisions;
    assert!(
        entry
            .show(BatchNorm::Frozen)
            .is_some_and(|gone| gone.whole.len() == 5)
    );
    let after = entry.run.revisions;
    assert!(after.probes > before.probes && after.known_probes > before.known_probes);
    let reply = |batch_norm| ProbeReply {
        run: 1,
        step: 10,
        batch_norm,
        read: Ok(ProbeRead::Whole(Arc::default())),
    };
    let _ = runs.take_probes(vec![reply(BatchNorm::AsInTraining)], &[1], &View::default());
    assert!(kept(&runs, 1).is_empty());
    let _ = runs.take_probes(vec![reply(BatchNorm::Frozen)], &[1], &View::default());
    assert_eq!(kept(&runs, 1), [10]);
    Ok(())
}
