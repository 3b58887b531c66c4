//! The content of charts, their answers to the pointer, and their scales.

mod two_runs;

use egui::{Event, Modifiers, PointerButton, Pos2, Ui, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::figure::look::clock::TimeAxis;
use crate::figure::look::kind::Kind;
use crate::figure::look::marks::Range;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::palette;
use crate::figure::registry::locked;
use crate::figure::table::{Value, table};
use crate::figure::testing::{chart, recorded, scales, view};
use crate::figure::{Pick, export, figure_png, figure_ui, style};
use crate::run::event::Split;
use egui::Context;
use egui_plot::PlotPoint;

fn image(kind: Kind, subject: Subject<'_>, view: &View) -> image::RgbaImage {
    let options = export::Options {
        size: [700.0, 420.0],
        scale: 1.0,
        dark: false,
    };
    figure_png(kind, subject, view, &options)
}

/// The window of a figure, whose state are the picks in it.
fn window<'a>(kind: Kind, subject: Subject<'a>, view: &'a View) -> Harness<'a, Vec<Pick>> {
    let draw = move |ui: &mut Ui, picks: &mut Vec<Pick>| {
        picks.extend(figure_ui(ui, kind, subject, &[subject], view));
    };
    let mut harness = Harness::builder()
        .with_size(vec2(700.0, 400.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, Vec::new());
    harness.run();
    harness
}

/// Presses at the first place, moves to the others and releases.
fn drag(harness: &mut Harness<'_, Vec<Pick>>, places: &[Pos2]) {
    let (Some(&first), Some(&last)) = (places.first(), places.last()) else {
        return;
    };
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    harness.event(Event::PointerMoved(first));
    harness.step();
    harness.event(button(first, true));
    harness.step();
    for &at in &places[1..] {
        harness.event(Event::PointerMoved(at));
        harness.step();
    }
    harness.event(button(last, false));
    harness.step();
}

#[test]
fn a_selected_class_is_drawn_otherwise_in_every_chart_that_has_it() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    for kind in [Kind::ClassF1, Kind::GradNorms, Kind::DepthProfile] {
        let of = |class| image(kind, subject, &View { class, ..view() });
        assert!(of(None) != of(Some(2)), "{kind:?}");
        assert!(of(Some(1)) != of(Some(2)), "{kind:?}");
    }
    // Curves that are of no class do not step back for a selected class.
    let of = |class| image(Kind::Scores, subject, &View { class, ..view() });
    assert!(of(None) == of(Some(2)));
    Ok(())
}

#[test]
fn a_click_on_a_line_selects_its_class_and_elsewhere_the_moment() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    let view = View {
        step: Some(96),
        class: None,
        ..view()
    };
    let chart = chart(&Context::default(), Kind::ClassF1, subject, &view);
    let line = |k: usize| {
        let curves = chart
            .curves
            .iter()
            .filter(move |curve| curve.class == Some(k));
        curves.flat_map(|curve| curve.segments.iter()).flatten()
    };
    let mut harness = window(Kind::ClassF1, subject, &view);
    let plot = harness.get_by_label(Kind::ClassF1.title()).rect();
    let scales = scales(&Context::default(), Kind::ClassF1, &[subject], &view);
    let place = |point: &PlotPoint| {
        let share = |value: f64, (low, high): (f64, f64)| ((value - low) / (high - low)) as f32;
        let (x, y) = (share(point.x, scales.x), share(point.y, scales.y));
        plot.lerp_inside(vec2(x, 1.0 - y))
    };
    // The class whose point is farthest from the points of all others.
    let points: Vec<(usize, Pos2)> = (0..6)
        .flat_map(|k| line(k).map(move |point| (k, point)))
        .map(|(k, point)| (k, place(point)))
        .collect();
    let room = |&(k, at): &(usize, Pos2)| {
        let others = points.iter().filter(|(other, _)| *other != k);
        others
            .map(|(_, other)| other.distance(at))
            .fold(f32::INFINITY, f32::min)
    };
    let &(k, at) = points
        .iter()
        .max_by(|a, b| room(a).total_cmp(&room(b)))
        .ok_or_else(|| anyhow::anyhow!("no points"))?;
    drag(&mut harness, &[at]);
    assert_eq!(harness.state()[..], [Pick::Class(k)]);
    // High up there is no curve: there is 0.02 of room above an F1 of 1.
    let empty = plot.left_top() + vec2(0.4 * plot.width(), 1.0);
    harness.state_mut().clear();
    drag(&mut harness, &[empty]);
    assert!(
        matches!(harness.state()[..], [Pick::Step(_)]),
        "{:?}",
        harness.state()
    );
    Ok(())
}

#[test]
fn a_box_becomes_the_range_and_a_button_gives_all_back() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    let all = view();
    let mut harness = window(Kind::Loss, subject, &all);
    let plot = harness.get_by_label(Kind::Loss.title()).rect();
    let scales = scales(&Context::default(), Kind::Loss, &[subject], &all);
    let at = |x, y| plot.lerp_inside(vec2(x, y));
    drag(&mut harness, &[at(0.25, 0.5), at(0.4, 0.7), at(0.5, 0.75)]);
    let [Pick::Range(Kind::Loss, Some(range))] = harness.state()[..] else {
        anyhow::bail!("picked {:?}", harness.state());
    };
    let between = |(low, high): (f64, f64), share: f64| low + share * (high - low);
    let near = |found: Option<(f64, f64)>, expected: (f64, f64)| {
        let (low, high) = found.unwrap_or_default();
        (low - expected.0).abs() < 0.01 * expected.1.abs()
            && (high - expected.1).abs() < 0.01 * expected.1.abs()
    };
    let (x, y) = (scales.x, scales.y);
    assert!(
        near(range.x, (between(x, 0.25), between(x, 0.5))),
        "{range:?} of {x:?}"
    );
    assert!(
        near(range.y, (between(y, 0.25), between(y, 0.5))),
        "{range:?} of {y:?}"
    );
    // The range is seen, also in an image, and the chart says what lies outside.
    let zoomed = View {
        ranges: [(Kind::Loss, range)].into(),
        ..view()
    };
    assert!(image(Kind::Loss, subject, &zoomed) != image(Kind::Loss, subject, &all));
    let (low, high) = range.x.unwrap_or_default();
    let (least, most) = range.y.unwrap_or_default();
    let run = &subject.run;
    let steps = run.steps.iter().map(|step| (step.epoch, step.loss));
    let evals = |split| run.evals_of(split).map(|eval| (eval.epoch, eval.loss));
    let points = steps.chain(evals(Split::Val)).chain(evals(Split::Test));
    let outside = points
        .filter_map(|(x, y)| Some((x, y?)))
        .filter(|&(x, y)| !(low..=high).contains(&x) || !(least..=most).contains(&y))
        .count();
    let mut harness = window(Kind::Loss, subject, &zoomed);
    assert!(
        harness
            .query_by_label(&format!("{outside} points outside"))
            .is_some()
    );
    harness.get_by_label("Show all of Loss").click();
    harness.run();
    assert_eq!(harness.state()[..], [Pick::Range(Kind::Loss, None)]);
    // In another unit of time, the range does not apply.
    let minutes = View {
        time: TimeAxis::Step,
        ..zoomed.clone()
    };
    let within = scales.within(minutes.ranges.get(&Kind::Loss), &Chart::default(), &minutes);
    assert_eq!((within.x, Some(within.y)), (scales.x, range.y));
    Ok(())
}

/// The view, with its ranges, is part of exported images and of the settings.
#[test]
fn ranges_are_written_and_read() -> anyhow::Result<()> {
    let range = Range {
        x: Some((0.5, 2.25)),
        y: None,
        time: TimeAxis::Step,
    };
    let view = View {
        ranges: [(Kind::Loss, range), (Kind::DepthProfile, Range::default())].into(),
        ..View::default()
    };
    assert_eq!(
        serde_json::from_str::<View>(&serde_json::to_string(&view)?)?,
        view
    );
    Ok(())
}

#[test]
fn locked_scales_stay_when_the_run_goes_on() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let whole = recorded.subject();
    let mut early = recorded.run.clone();
    early.probes.truncate(3);
    let early = Subject {
        name: "early",
        run: &early,
        ..whole
    };
    let context = Context::default();
    let of = |subject, view: &View| {
        let scales = scales(&context, Kind::GradNorms, &[subject], view);
        let chart = chart(&context, Kind::GradNorms, subject, view);
        scales.within(view.ranges.get(&Kind::GradNorms), &chart, view)
    };
    let before = of(early, &view());
    assert_ne!(
        of(whole, &view()).y,
        before.y,
        "the run says nothing of this"
    );
    let locked = View {
        ranges: locked(&context, &[early], &view()),
        ..view()
    };
    assert_eq!(of(whole, &locked).y, before.y);
    Ok(())
}

#[test]
fn the_scale_of_a_depth_profile_holds_all_moments() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    let at = |step| {
        let view = View {
            step: Some(step),
            ..view()
        };
        scales(&Context::default(), Kind::DepthProfile, &[subject], &view)
    };
    assert_eq!(at(0), at(288));
    Ok(())
}

/// Head and tail are the geometric means over 2 of 6 classes each, written out here.
#[test]
fn head_and_tail_are_geometric_means() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    let view = view();
    let chart = chart(&Context::default(), Kind::GradNorms, subject, &view);
    let rows = subject.run.gram_rows(&view.scope);
    let table = table(Kind::GradNorms, subject, &[subject], &view);
    // 1260 and 810 images, and 450 and 126.
    for (name, key, classes) in [
        ("Frequent third", "frequent", [0, 1]),
        ("Rarest third", "rarest", [4, 3]),
    ] {
        let norms = |k| {
            let probes = subject.run.probes.iter();
            probes
                .map(|probe| crate::figure::facts::network::norm(probe, &rows, k))
                .collect::<Option<Vec<f64>>>()
        };
        let (Some(a), Some(b)) = (norms(classes[0]), norms(classes[1])) else {
            anyhow::bail!("a norm is undefined");
        };
        let expected: Vec<f64> = a.iter().zip(&b).map(|(a, b)| (a * b).sqrt()).collect();
        let curve = chart.curves.iter().find(|curve| curve.name == name);
        let points = curve
            .into_iter()
            .flat_map(|curve| curve.segments.iter())
            .flatten();
        let drawn: Vec<f64> = points.map(|point| 10_f64.powf(point.y)).collect();
        let written = table.rows.iter().filter_map(|row| match row[..] {
            [.., Value::None, ref third, Value::Number(norm), _] => {
                (*third == key.into()).then_some(norm)
            }
            _ => None,
        });
        for found in [drawn, written.collect()] {
            assert_eq!(found.len(), expected.len());
            let near = |(a, b): (&f64, &f64)| (a / b - 1.0).abs() < 1e-9;
            assert!(
                found.iter().zip(&expected).all(near),
                "{name}: {found:?} {expected:?}"
            );
        }
        let band = chart.bands.iter().find(|band| band.name == name);
        let band = band.ok_or_else(|| anyhow::anyhow!("no area of {name}"))?;
        let least: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a.min(*b).log10()).collect();
        assert!(
            band.low
                .iter()
                .zip(&least)
                .all(|(a, b)| (a - b).abs() < 1e-9)
        );
    }
    Ok(())
}

/// Hidden curves that the legend does not name can be brought back.
#[test]
fn hidden_curves_leave_a_trace_where_there_is_no_legend() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    let hidden = subject.classes()[..2].to_vec();
    let view = View {
        hidden: hidden.iter().cloned().collect(),
        ..view()
    };
    let draw = |ui: &mut Ui, picks: &mut Vec<Pick>| {
        picks.extend(figure_ui(ui, Kind::ClassF1, subject, &[subject], &view));
    };
    let mut harness = Harness::builder()
        .with_size(vec2(400.0, 150.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, Vec::new());
    harness.run();
    let name = format!("Show what is hidden in {}", Kind::ClassF1.title());
    harness.get_by_label(&name).click();
    harness.run();
    assert_eq!(harness.state()[..], [Pick::Curves(hidden)]);
    Ok(())
}

/// The distance of a point from a polyline.
fn distance(line: &[Pos2], point: Pos2) -> f32 {
    let of = |[a, b]: &[Pos2; 2]| {
        let (along, from) = (*b - *a, point - *a);
        let t = (from.dot(along) / along.length_sq().max(1e-12)).clamp(0.0, 1.0);
        (from - t * along).length()
    };
    line.array_windows().map(of).fold(f32::INFINITY, f32::min)
}

/// Where several points of a curve lie within a pixel beside others that are far apart, the curve stays a line: no
/// triangle of its colour reaches further from it than a mitred join of its width, whatever its look.
#[test]
fn a_curve_stays_a_line_where_points_crowd() -> anyhow::Result<()> {
    // Steps of 0.3, then two far steps; alternately high and low, with equal points, and with rising and falling ones.
    let x = |at: usize| 0.002 * at as f64 + if at.is_multiple_of(7) { 0.0 } else { 0.0005 };
    let shapes: [fn(usize) -> f64; 3] = [
        |at| if at % 2 == 0 { 0.9 } else { 0.1 },
        |at| (at / 3 % 5) as f64 / 5.0,
        |at| (at as f64 * 1.7).sin(),
    ];
    let color = egui::Color32::from_rgb(1, 2, 250);
    for (number, y) in shapes.into_iter().enumerate() {
        for far in [3_usize, 40, 400] {
            for look in [Look::Line, Look::Thick { dashed: false }] {
                let points = (0..far).map(|at| (x(at), Some(y(at))));
                let ends = [(20.0, Some(0.5)), (40.0, Some(y(1)))];
                let curve = Curve::new("curve".to_owned(), color, look, points.chain(ends));
                let chart = std::sync::Arc::new(Chart {
                    name: "crowded",
                    curves: vec![curve],
                    ..Chart::default()
                });
                let (context, view) = (Context::default(), view());
                style::install(&context);
                let scales = Scales::holding(std::slice::from_ref(&chart));
                let mut output = None;
                for _ in 0..3 {
                    output = Some(context.run_ui(Default::default(), |ui| {
                        chart_ui(ui, Kind::Loss, &chart, &scales, None, &view);
                    }));
                }
                let output = output.ok_or_else(|| anyhow::anyhow!("nothing is drawn"))?;
                let mut lines = Vec::new();
                for shape in &output.shapes {
                    if let egui::Shape::Path(path) = &shape.shape
                        && matches!(&path.stroke.color, egui::epaint::ColorMode::Solid(x) if *x == color)
                    {
                        lines.push((path.points.clone(), path.stroke.width));
                    }
                }
                let [(line, width)] = &lines[..] else {
                    anyhow::bail!("{number}, {far} points, {look:?}: {} lines", lines.len());
                };
                let most = 0.5 * (width + 1.0) * std::f32::consts::SQRT_2 + 0.5;
                for primitive in context.tessellate(output.shapes, 1.0) {
                    let egui::epaint::Primitive::Mesh(mesh) = primitive.primitive else {
                        continue;
                    };
                    for corners in mesh.indices.chunks_exact(3) {
                        let corners = [0, 1, 2].map(|i| mesh.vertices[corners[i] as usize]);
                        // The legend above the plot has the colour, too.
                        let top = line
                            .iter()
                            .map(|point| point.y)
                            .fold(f32::INFINITY, f32::min);
                        let is_of_curve = |corner: &egui::epaint::Vertex| {
                            corner.color == color && corner.pos.y > top - 8.0
                        };
                        if !corners.iter().all(is_of_curve) {
                            continue;
                        }
                        let [a, b, c] = corners.map(|corner| corner.pos.to_vec2());
                        for (u, v) in [(0.33, 0.33), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5), (0.0, 0.0)]
                        {
                            let at = (a + u * (b - a) + v * (c - a)).to_pos2();
                            let off = distance(line, at);
                            // The marks of few points are wider than the line, and squares with a texture.
                            let mark = (0.5 * width + 3.3) * std::f32::consts::SQRT_2;
                            let most = if chart.curves[0].len() <= 40 {
                                mark.max(most)
                            } else {
                                most
                            };
                            assert!(
                                off <= most,
                                "{number}, {far} points, {look:?}: {off} at {at}"
                            );
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// The curves of very many classes are one mesh, kept from frame to frame until a curve or the place changes; what is
/// drawn is what single lines would be.
#[test]
fn very_many_curves_are_one_mesh_that_is_kept() -> anyhow::Result<()> {
    let chart_of = |count: usize, shift: f64| {
        let curve = |k: usize| {
            let y = move |at: usize| Some((at as f64 * 0.3 + k as f64 + shift).sin());
            let points = (0..60).map(|at| (at as f64, y(at)));
            Curve::new(format!("{k}"), palette::class(k), Look::Line, points).of_class(k)
        };
        std::sync::Arc::new(Chart {
            name: "of many",
            curves: (0..count).map(curve).collect(),
            ..Chart::default()
        })
    };
    let context = Context::default();
    style::install(&context);
    let view = view();
    let drawn = |chart: &std::sync::Arc<Chart>| {
        let scales = Scales::holding(std::slice::from_ref(chart));
        let mut shapes = Vec::new();
        for _ in 0..3 {
            let output = context.run_ui(Default::default(), |ui| {
                chart_ui(ui, Kind::Loss, chart, &scales, None, &view);
            });
            shapes = output.shapes;
        }
        shapes
    };
    let meshes = |shapes: &[egui::epaint::ClippedShape]| {
        let mut found: Vec<std::sync::Arc<egui::Mesh>> = Vec::new();
        for shape in shapes {
            if let egui::Shape::Mesh(mesh) = &shape.shape {
                found.push(mesh.clone());
            }
        }
        found
    };
    let lines = |shapes: &[egui::epaint::ClippedShape]| {
        let is_line = |x: &&egui::epaint::ClippedShape| matches!(&x.shape, egui::Shape::Path(path) if path.points.len() > 20);
        shapes.iter().filter(is_line).count()
    };
    let few = drawn(&chart_of(6, 0.0));
    anyhow::ensure!(meshes(&few).is_empty() && lines(&few) == 6);
    let chart = chart_of(30, 0.0);
    let (first, again) = (drawn(&chart), drawn(&chart));
    // The selected class has a line of its own over the mesh.
    anyhow::ensure!(lines(&first) == 1, "{} lines", lines(&first));
    let ([one], [same]) = (&meshes(&first)[..], &meshes(&again)[..]) else {
        anyhow::bail!("{} meshes", meshes(&first).len());
    };
    anyhow::ensure!(std::sync::Arc::ptr_eq(one, same));
    let mut colors: Vec<_> = one.vertices.iter().map(|vertex| vertex.color).collect();
    colors.retain(|color| color.a() > 0);
    colors.sort_unstable_by_key(egui::Color32::to_array);
    colors.dedup();
    anyhow::ensure!(colors.len() > 3, "{colors:?}");
    let moved = drawn(&chart_of(30, 0.5));
    let moved = meshes(&moved);
    anyhow::ensure!(moved.len() == 1 && moved[0].vertices != one.vertices);
    Ok(())
}

/// Ten classes are not very many, however many curves of two runs and of several splits they have.
#[test]
fn several_curves_of_few_classes_are_not_very_many() {
    let chart_of = |classes: usize| {
        let curve = |k: usize| {
            let points = [(0.0, Some(0.5)), (1.0, Some(0.6))];
            Curve::new(
                format!("{k}"),
                palette::class(k),
                Look::Line,
                points.into_iter(),
            )
            .of_class(k)
        };
        let all = (0..classes).chain(0..classes);
        Chart {
            curves: all.map(curve).collect(),
            ..Chart::default()
        }
    };
    let of_two = |classes| Chart::overlaid(&chart_of(classes), &chart_of(classes), [&[], &[]]);
    assert!(!of_two(10).has_many_classes(&view()));
    assert!(of_two(30).has_many_classes(&view()));
}

/// A logarithmic axis that holds no decade has numbers, nevertheless.
#[test]
fn every_logarithmic_axis_has_numbers() {
    for (low, high) in [
        (0.2, 0.9),
        (0.35, 0.42),
        (2.0, 40.0),
        (1e-6, 1e3),
        (0.0011, 0.009),
    ] {
        let input = egui_plot::GridInput {
            bounds: (f64::log10(low), f64::log10(high)),
            base_step_size: (f64::log10(high) - f64::log10(low)) / 9.0,
        };
        let numbers = axes::decades(input).into_iter().map(axes::log_number);
        let numbers: Vec<String> = numbers.filter(|text| !text.is_empty()).collect();
        assert!(!numbers.is_empty(), "{low} to {high}");
    }
    assert_eq!(
        axes::log_number(egui_plot::GridMark {
            value: 0.5_f64.log10(),
            step_size: 0.2,
        }),
        "0.500"
    );
}
