//! How figures follow clicks, orders and the runs beside them.

use super::*;

/// The picks of a click on the widget called `label`.
fn picked(kind: Kind, classes: usize, label: &str) -> Vec<Pick> {
    let sample = Sample::new(classes, 2);
    let view = View::default();
    let draw = move |ui: &mut Ui, picks: &mut Vec<Pick>| {
        let subject = sample.subject();
        picks.extend(figure_ui(ui, kind, subject, &[subject], &view));
    };
    let mut harness = Harness::builder()
        .with_size(vec2(700.0, 400.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, Vec::new());
    harness.run();
    harness.get_by_label(label).click();
    harness.run();
    harness.into_state()
}

#[test]
fn clicks_pick_the_cell_layer_or_moment_under_the_pointer() {
    let pair = picked(Kind::ConflictMatrix, 6, "Clean × Bird-drop");
    assert_eq!(pair, [Pick::Pair(0, 2)]);
    // A class has no pair with itself.
    assert_eq!(picked(Kind::ConflictMatrix, 6, "Clean × Clean"), []);
    // Many classes share one widget, whose middle lies on the diagonal.
    assert_eq!(picked(Kind::ConflictMatrix, 41, "Conflict matrix"), []);
    for (label, scope) in [
        ("branch2.gate", Scope::Layer("branch2.gate".to_owned())),
        ("branch1", Scope::Group("branch1".to_owned())),
        ("Backbone", Scope::Backbone),
        ("Whole network", Scope::Network),
    ] {
        let picks = picked(Kind::Architecture, 6, label);
        assert_eq!(picks, [Pick::Scope(scope)], "{label}");
    }
    // A pooling layer has no gradients.
    assert_eq!(picked(Kind::Architecture, 6, "stem.pool"), []);
    let middle = picked(Kind::Loss, 6, Kind::Loss.title());
    assert!(
        matches!(middle[..], [Pick::Step(1..=59)]),
        "{middle:?} of 60 steps"
    );
    let layer = picked(Kind::DepthProfile, 6, Kind::DepthProfile.title());
    assert!(
        matches!(layer[..], [Pick::Scope(Scope::Layer(_))]),
        "{layer:?}"
    );
}

/// A hundred classes in cells of less than a pixel: none of them may vanish.
#[test]
fn a_crowded_matrix_has_all_its_rows() {
    let sample = Sample::new(100, 1);
    let view = View::default();
    let image = figure_png(
        Kind::ConflictMatrix,
        sample.subject(),
        &view,
        &options([340.0, 200.0], false),
    );
    let is_red = |pixel: &image::Rgba<u8>| pixel[0] > pixel[2].saturating_add(60);
    // Left of the colour bar.
    let inside = image.width() / 2..image.width() * 3 / 5;
    let rows: Vec<_> = (0..image.height())
        .filter(|&y| inside.clone().any(|x| is_red(image.get_pixel(x, y))))
        .collect();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        panic!("no red at all");
    };
    assert!(last - first >= 40, "{rows:?}");
    assert!(
        rows.windows(2).all(|pair| pair[1] - pair[0] <= 8),
        "{rows:?}"
    );
}

/// A name that only another version knows does not make the rest of the view unreadable.
#[test]
fn an_order_of_another_version_is_as_listed() -> anyhow::Result<()> {
    let read = |order: &str| serde_json::from_str::<View>(&format!("{{\"order\":{order}}}"));
    assert_eq!(read(r#"{"Similarity":[1,0]}"#)?, View::default());
    assert_eq!(read(r#""Latest""#)?, View::default());
    assert_eq!(read(r#""Name""#)?.order, Order::Name);
    let found = Order::Similarity(vec!["Dusty".to_owned(), "Clean".to_owned()]);
    let kept = read(&serde_json::to_string(&found)?)?;
    assert_eq!(kept.order, found);
    let classes = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    assert!(found.applies_to(&classes(["Clean", "Dusty"])));
    assert!(!found.applies_to(&classes(["Clean", "Cat"])));
    Ok(())
}

#[test]
fn runs_side_by_side_share_their_scales() {
    let (short, long) = (Sample::new(6, 2), Sample::new(6, 8));
    let view = View::default();
    let context = egui::Context::default();
    for &kind in Kind::ALL.iter().filter(|kind| kind.is_chart()) {
        let of = |subjects: &[Subject<'_>]| scales(&context, kind, subjects, &view);
        let both = of(&[short.subject(), long.subject()]);
        assert_eq!(
            both,
            of(&[long.subject(), short.subject()]),
            "{}",
            kind.name()
        );
        if kind == Kind::Loss {
            assert_ne!(both, of(&[short.subject()]));
            assert_eq!(both, of(&[long.subject()]));
        }
    }
}

/// Values that are remembered from an earlier frame equal values made anew.
#[test]
fn a_chart_follows_its_run_and_the_view() {
    let whole = Sample::new(6, 5);
    let lived = egui::Context::default();
    let mut sample = Sample::started(6);
    let mut events: Vec<Event> = whole.run.steps.iter().cloned().map(Event::Step).collect();
    events.extend(whole.run.evals.iter().cloned().map(Event::Eval));
    events.extend(whole.run.probes.iter().cloned().map(Event::Probe));
    events.sort_by_key(Event::step);
    let twice = events.clone().into_iter().filter(|event| event.step() > 60);
    let resumed = std::iter::once(Event::Resumed { step: 60 });
    for event in events.clone().into_iter().chain(resumed).chain(twice) {
        sample.run.apply(&event);
        // A probe's file is read a little later.
        let read = whole.probes.whole.range(..event.step().saturating_sub(10));
        sample.probes.whole = read.map(|(step, probe)| (*step, probe.clone())).collect();
        for view in [
            View::default(),
            View {
                step: Some(35),
                pair: Some((0, 2)),
                ..View::default()
            },
            View {
                scope: Scope::Group("branch2".to_owned()),
                pair: Some((0, 3)),
                ..View::default()
            },
        ] {
            for &kind in Kind::ALL.iter().filter(|kind| kind.is_chart()) {
                let chart = |ctx: &egui::Context| {
                    format!("{:?}", chart(ctx, kind, sample.subject(), &view))
                };
                let anew = chart(&egui::Context::default());
                assert_eq!(chart(&lived), anew, "{} after {event:?}", kind.name());
            }
        }
    }
}
