use super::*;
use crate::config::Attention;
use crate::figure::groups::scores;
use crate::figure::testing::recorded;
use crate::run::probes::Probes;

fn point(step: u64, value: Option<f64>) -> Point {
    Point {
        step,
        epoch: step as f64 / 10.0,
        value,
    }
}

/// A mean is over all runs or undefined: a run that lacks a value, or was measured at other steps, does not shift it.
#[test]
fn means_are_over_all_runs() {
    let runs = [
        vec![
            point(0, Some(0.25)),
            point(10, Some(0.5)),
            point(20, Some(0.5)),
        ],
        vec![
            point(0, Some(0.75)),
            point(10, None),
            point(20, Some(1.0)),
            point(25, Some(1.0)),
        ],
    ];
    let over = over_runs(&runs);
    assert_eq!(over.keys().copied().collect::<Vec<_>>(), [0, 20]);
    assert_eq!((over[&0].mean, over[&0].range), (0.5, [0.25, 0.75]));
    assert_eq!((over[&20].mean, over[&20].range), (0.75, [0.5, 1.0]));
    assert!(over_runs(&[]).is_empty());
}

/// From NumPy: `x = [0.4, 0.7, 0.5]; x.mean(), x.std(ddof=1)` is 0.5333333333333333, 0.15275252316519466.
#[test]
fn the_band_is_the_range_or_one_standard_deviation() {
    let runs = [0.4, 0.7, 0.5].map(|value| vec![point(3, Some(value))]);
    let over = over_runs(&runs)[&3];
    assert_eq!(over.band(Spread::Range), Some([0.4, 0.7]));
    let [low, high] = over.band(Spread::Sd).unwrap();
    assert!((low - (0.533_333_333_333_333_3 - 0.152_752_523_165_194_66)).abs() < 1e-12);
    assert!((high - (0.533_333_333_333_333_3 + 0.152_752_523_165_194_66)).abs() < 1e-12);
    assert_eq!(
        over_runs(&runs[..1])[&3].band(Spread::Range),
        None,
        "a single run has no band"
    );
}

/// A finished run of a configuration, measured at these steps.
fn run(attention: Attention, seed: u64, steps: &[u64]) -> (String, Run) {
    let mut run = recorded("solar-none").unwrap().run;
    let started = run.started.as_mut().unwrap();
    (started.config.attention, started.config.seed) = (attention, seed);
    let eval = run.evals.remove(0);
    let at = |step: &u64| crate::run::event::Eval {
        step: *step,
        macro_f1: Some(0.5),
        ..eval.clone()
    };
    run.evals = steps.iter().map(at).collect();
    (format!("{attention}-{seed}"), run)
}

fn drawn(runs: &[(String, Run)]) -> (Chart, String) {
    let probes = Probes::new();
    let subject = |(name, run): &'_ (String, Run)| (name.clone(), run.clone());
    let kept: Vec<_> = runs.iter().map(subject).collect();
    let shown: Vec<_> = kept
        .iter()
        .map(|(name, run)| Subject {
            name,
            run,
            probes: &probes,
        })
        .collect();
    let found = Grouped::of(&members(&shown)).unwrap();
    chart(
        "Macro-F1",
        &scores::MEASURED,
        &found,
        &shown,
        &View::default(),
    )
}

fn color(chart: &Chart, group: &str) -> Color32 {
    let mut curves = chart.curves.iter();
    curves.find(|curve| curve.name == group).unwrap().color
}

/// Another baseline may come first, and more groups may come in between: neither changes the colour of a group.
#[test]
fn a_group_keeps_its_colour() {
    let of = |attention| run(attention, 0, &[10]);
    let (none, branch) = (of(Attention::None), of(Attention::Branch));
    let (chart, _) = drawn(&[none.clone(), branch.clone()]);
    let (turned, _) = drawn(&[branch, none]);
    for group in ["attention none", "attention branch"] {
        assert_eq!(color(&chart, group), color(&turned, group));
    }
    assert_ne!(
        color(&chart, "attention none"),
        color(&chart, "attention branch")
    );
    let all: Vec<_> = (0..palette::GROUPS).map(palette::group).collect();
    assert!((0..12).all(|k| !all.contains(&palette::class(k))));
}

#[test]
fn one_group_is_drawn_and_runs_left_out_are_named() {
    let mut runs = vec![
        run(Attention::None, 0, &[10, 20]),
        run(Attention::None, 1, &[20, 30]),
        run(Attention::None, 2, &[20]),
    ];
    runs[2].1.ending = None;
    let (chart, said) = drawn(&runs);
    assert_eq!(chart.bands[0].x.len(), 1, "step 20 is common to both");
    assert!(said.contains("1 run is not finished"), "{said}");
    runs[1] = run(Attention::None, 1, &[15]);
    let (chart, said) = drawn(&runs);
    assert!(chart.bands.is_empty());
    assert!(
        said.contains("its 2 runs were measured at no common step"),
        "{said}"
    );
}

/// Runs whose script has not named its seed are not taken for repetitions of one seed without a word.
#[test]
fn runs_of_unknown_seeds_are_named() {
    let of = |name: &str| {
        let (_, mut run) = run(Attention::None, 0, &[10]);
        let started = run.started.as_mut().unwrap();
        started.recorder = Some(Box::default());
        (name.to_owned(), run)
    };
    let (_, said) = drawn(&[of("first"), of("second")]);
    assert!(
        said.contains("second is left out: its seed is not known"),
        "{said}"
    );
}

/// Curves of groups are drawn in steps where a run does not know its epochs, whatever unit is chosen.
#[test]
fn groups_share_one_unit_of_time() {
    let (none, mut branch) = (
        run(Attention::None, 0, &[10]),
        run(Attention::Branch, 0, &[10]),
    );
    let x = |runs: &[(String, Run)]| {
        let (chart, _) = drawn(runs);
        let Axis::Time(clock) = &chart.x else {
            panic!("no time");
        };
        clock.label()
    };
    assert_eq!(x(&[none.clone(), branch.clone()]), "epoch");
    branch.1.started.as_mut().unwrap().steps_per_epoch = 0;
    assert_eq!(x(&[none, branch]), "step");
}
