//! What figures show of whole runs, and say where they have nothing to show.

use super::*;

#[test]
fn every_figure_of_every_run_is_drawn_at_every_size() {
    for (what, sample) in samples() {
        let views = [
            View::default(),
            chosen(),
            // Selections that fit another run on screen, but not this one.
            View {
                scope: Scope::Group("branch9".to_owned()),
                step: Some(1_000_000),
                pair: Some((0, 500)),
                class: Some(500),
                confused: Some((500, 0)),
                ..View::default()
            },
        ];
        for (i, view) in views.iter().enumerate() {
            for &kind in Kind::ALL {
                for size in SIZES {
                    // Large figures differ from others in their size alone.
                    if size[0] > 1000.0 && i != 1 {
                        continue;
                    }
                    let dark = (i + size[0] as usize / 20).is_multiple_of(2);
                    let subject = sample.subject();
                    let said = said(kind, subject, &[subject], view, &options(size, dark));
                    if let Some(sentence) = said {
                        let whole = sentence.len() > 20 && sentence.ends_with('.');
                        assert!(whole, "{what}, {}: {sentence}", kind.name());
                    }
                }
            }
        }
    }
}

/// Two complete runs, beside each other and as groups with their seeds: no figure is empty at any size.
#[test]
fn no_figure_of_whole_runs_is_empty() {
    let groups = groups();
    let all: Vec<Subject<'_>> = groups.iter().map(Sample::subject).collect();
    let pair = [all[0], all[3]];
    for &kind in Kind::ALL {
        let shown = if kind.compares_groups() {
            &all[..]
        } else {
            &pair
        };
        for (i, size) in SIZES.into_iter().enumerate() {
            let options = options(size, i % 2 == 0);
            let said = said(kind, all[3], shown, &chosen(), &options);
            assert_eq!(said, None, "{} at {size:?}", kind.name());
        }
    }
}

const NO_EVALUATION: &str = "The first evaluation comes before the first step.";
const NO_PROBE: &str = "The first probe comes before the first step.";
const UNREAD: &str = "The probe of step 30 is being read, or its file is missing.";
const DAMAGED: &str =
    "The probe of step 30 does not fit the layers of the run: its file is damaged.";
const NO_PAIR: &str =
    "Click a cell of the matrix, or a bar of a class's ledger, to follow two classes.";
const NO_GATES: &str = "No probe with gates is read; train a network with branch attention.";
const NOT_ALIKE: &str =
    "Two or more branches whose gates tell four or more classes apart can be compared.";
const UNMEASURED: &str = "Bird-drop is not among the 20 of 100 classes that are measured with batch norm as in training; \
                          choose frozen to see it.";
const NO_F1: &str = "No class has an F1 yet: none was there or predicted.";

/// The name of a run, and the sentences of its figures.
type Said = (&'static str, &'static [(&'static str, &'static [Kind])]);

/// Sentences that figures of a run show at step 35 in place of their content; all other figures have content.
const MISSING: [Said; 14] = [
    (
        "no header",
        &[
            (NO_EVALUATION, EVALUATED),
            ("The loss appears with the first steps.", &[Kind::Loss]),
            (
                "The ratio appears with the first steps.",
                &[Kind::GradientRatio],
            ),
            (NO_PROBE, PROBED),
            (NOT_VERIFIED, &[Kind::Verified]),
            (NO_PAIR, &[Kind::PairCosine, Kind::PairDepth]),
            (NO_GATES, &[Kind::GatesTime]),
            (NOT_ALIKE, &[Kind::GatesAlike]),
            (
                "The network appears when a run starts.",
                &[Kind::Architecture],
            ),
        ],
    ),
    (
        "header alone",
        &[
            (NO_EVALUATION, EVALUATED),
            ("The loss appears with the first steps.", &[Kind::Loss]),
            (
                "The ratio appears with the first steps.",
                &[Kind::GradientRatio],
            ),
            (NO_PROBE, PROBED),
            (NOT_VERIFIED, &[Kind::Verified]),
            (NO_PROBE, &[Kind::PairDepth]),
            (NO_GATES, &[Kind::GatesTime]),
            (NOT_ALIKE, &[Kind::GatesAlike]),
            (
                "This part of the network has no probe of the two classes yet.",
                &[Kind::PairCosine],
            ),
        ],
    ),
    // Before the first step the gates of all classes are alike.
    ("one moment", &[(NOT_ALIKE, &[Kind::GatesAlike])]),
    (
        "one class",
        &[
            (NO_F1, &[Kind::ClassF1]),
            (NO_PAIR, &[Kind::PairCosine, Kind::PairDepth]),
            (
                "No pair of classes is in significant conflict (3 SE) in any layer at any moment.",
                &[Kind::Peaks],
            ),
            (NONE_RARE, OF_THIRDS),
            (NOT_ALIKE, &[Kind::GatesAlike]),
            (
                "No pair of classes has gradients that could conflict.",
                &[Kind::ConflictTime],
            ),
            (
                "No pair of classes has both a cosine and images.",
                &[Kind::ConflictConfusion],
            ),
        ],
    ),
    (
        "two classes",
        &[
            (NO_F1, &[Kind::ClassF1]),
            (NO_PAIR, &[Kind::PairCosine, Kind::PairDepth]),
            (NONE_RARE, OF_THIRDS),
            (NOT_ALIKE, &[Kind::GatesAlike]),
        ],
    ),
    ("six classes", &[]),
    ("thirteen classes", &[]),
    ("a hundred classes", &[(NOT_ALIKE, &[Kind::GatesAlike])]),
    (
        "probes not read",
        &[
            (
                UNREAD,
                &[
                    Kind::ConflictMatrix,
                    Kind::BatchNormDifference,
                    Kind::RareConflicts,
                    Kind::Ledger,
                    Kind::WhatIf,
                    Kind::Gates,
                    Kind::GateDistance,
                    Kind::ConflictConfusion,
                ],
            ),
            (NO_GATES, &[Kind::GatesTime]),
            (NOT_ALIKE, &[Kind::GatesAlike]),
            (
                "The probes are being read, or their files are missing.",
                &[Kind::LedgerTime],
            ),
            (
                "This part of the network has no probe of the two classes yet.",
                &[Kind::PairCosine],
            ),
        ],
    ),
    (
        "tensors cut short",
        &[(
            DAMAGED,
            &[
                Kind::ConflictMatrix,
                Kind::BatchNormDifference,
                Kind::RareConflicts,
                Kind::Ledger,
                Kind::WhatIf,
                Kind::ConflictConfusion,
            ],
        )],
    ),
    (
        "twenty of a hundred measured",
        &[(
            UNMEASURED,
            &[
                Kind::PairCosine,
                Kind::PairDepth,
                Kind::Ledger,
                Kind::LedgerTime,
                Kind::LedgerDepth,
            ],
        )],
    ),
    (
        "batch norm frozen",
        &[
            (
                "`solar, seed 0` is shown with batch norm frozen; the difference shows where it is shown as in training.",
                &[Kind::BatchNormDifference],
            ),
            (
                "No rare × frequent conflict is resolved at this moment: of 2 pairs in 9 layers, 2 have a negative cosine \
                 anywhere, and none is significant (3 SE).",
                &[Kind::RareConflicts],
            ),
        ],
    ),
    ("no loss is a number", &[]),
    ("never evaluated", &[(NO_EVALUATION, EVALUATED)]),
];

const EVALUATED: &[Kind] = &[
    Kind::ClassF1,
    Kind::Scores,
    Kind::Confusion,
    Kind::ConflictConfusion,
    Kind::ClassScores,
];

const OF_THIRDS: &[Kind] = &[Kind::ThirdsTime, Kind::RareConflicts];

const PROBED: &[Kind] = &[
    Kind::ThirdsTime,
    Kind::Layer,
    Kind::RareConflicts,
    Kind::GradNorms,
    Kind::DepthProfile,
    Kind::ConflictMatrix,
    Kind::BatchNormDifference,
    Kind::DepthTime,
    Kind::Peaks,
    Kind::Ledger,
    Kind::LedgerTime,
    Kind::ConflictTime,
    Kind::LedgerDepth,
    Kind::WhatIf,
    Kind::Gates,
    Kind::GateDistance,
];

/// Where something is missing, the figures that need it say so, and no others.
#[test]
fn figures_say_what_they_lack() {
    let options = options([420.0, 300.0], false);
    let mut wrong = Vec::new();
    for ((what, sample), (name, sentences)) in samples().into_iter().zip(MISSING) {
        assert_eq!(what, name);
        for &kind in Kind::ALL {
            // Figures that compare runs have nothing to say of one run alone.
            let of_two = [
                Kind::ConflictDifference,
                Kind::DepthTimeDifference,
                Kind::ConfusionDifference,
            ];
            if kind.compares_groups() || of_two.contains(&kind) {
                continue;
            }
            let subject = sample.subject();
            let found = said(kind, subject, &[subject], &chosen(), &options);
            let known = sentences.iter().find(|(_, kinds)| kinds.contains(&kind));
            let wanted = known.map(|(sentence, _)| *sentence);
            if found.as_deref() != wanted {
                wrong.push(format!("{what}, {}: {found:?}", kind.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
