//! The curves of two runs in one chart.

use super::*;

/// Where two networks have other layers, every curve, area and the line of the selected layer stand above their own.
#[test]
fn layers_of_two_networks_stand_above_their_own_names() {
    let names = |names: &[&str]| -> Vec<String> { names.iter().map(|x| (*x).to_owned()).collect() };
    let chart_of = |layers: &[&str]| {
        let xs: Vec<f64> = (0..layers.len()).map(|x| x as f64).collect();
        let points = xs.iter().map(|x| (*x, Some(0.5)));
        let curve = Curve::new("a".to_owned(), palette::class(0), Look::Line, points);
        Chart {
            x: Axis::Layers(names(layers)),
            bands: vec![Band {
                name: "third".to_owned(),
                color: palette::HEAD,
                low: vec![0.0; xs.len()],
                high: vec![1.0; xs.len()],
                x: xs,
            }],
            curves: vec![curve],
            ..Chart::default()
        }
    };
    let first = chart_of(&["stem", "one.scale", "one.conv", "head"]);
    let second = chart_of(&["stem", "one.conv", "one.gate", "fuse.gate", "head"]);
    let both = Chart::overlaid(&first, &second, [&[], &[]]);
    let Axis::Layers(layers) = &both.x else {
        panic!("no layers");
    };
    let all = [
        "stem",
        "one.scale",
        "one.conv",
        "one.gate",
        "fuse.gate",
        "head",
    ];
    assert_eq!(*layers, names(&all));
    let xs = |curve: &Curve| -> Vec<f64> {
        let points = curve.segments.iter().flatten();
        points.map(|point| point.x).collect()
    };
    assert_eq!(xs(&both.curves[0]), [0.0, 1.0, 2.0, 5.0]);
    assert_eq!(xs(&both.curves[1]), [0.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(both.bands[0].x, [0.0, 1.0, 2.0, 5.0]);
    let holding = |charts: &[&Chart]| {
        let charts: Vec<_> = charts
            .iter()
            .map(|x| std::sync::Arc::new((*x).clone()))
            .collect();
        Scales::holding(&charts)
    };
    let scales = holding(&[&first, &second]).with_layers_of(&both);
    assert_eq!(scales.x, (-0.5, 5.5));
    // Networks that share no layer stand after each other.
    let other = Chart::overlaid(&first, &chart_of(&["conv1", "fc"]), [&[], &[]]);
    assert_eq!(xs(&other.curves[1]), [4.0, 5.0]);
}

/// Classes of two runs go by name: a click near a curve of the second selects the class of that name.
#[test]
fn classes_of_two_runs_go_by_name() {
    let chart_of = |classes: &[&str]| {
        let curve = |(k, name): (usize, &&str)| {
            let points = [(0.0, Some(0.5)), (1.0, Some(0.6))].into_iter();
            Curve::new((*name).to_owned(), palette::class(k), Look::Line, points).of_class(k)
        };
        Chart {
            curves: classes.iter().enumerate().map(curve).collect(),
            ..Chart::default()
        }
    };
    let names = [["cat", "dog"], ["dog", "eel"]];
    let owned = names.map(|names| names.map(str::to_owned));
    let [first, second] = names.map(|names| chart_of(&names));
    let both = Chart::overlaid(&first, &second, [&owned[0], &owned[1]]);
    let found: Vec<_> = both.curves.iter().map(|x| (x.class, x.color)).collect();
    let (cat, dog) = ((Some(0), palette::class(0)), (Some(1), palette::class(1)));
    assert_eq!(found, [cat, dog, dog, (None, palette::class(3))]);
}
