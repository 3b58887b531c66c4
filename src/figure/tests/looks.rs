//! Colours, and images of figures that are compared with those kept.

use super::*;

/// Writes every figure for a person to look at: `FIGURE_SHOTS=folder cargo test --release --lib figure:: -- --ignored`
#[test]
#[ignore = "writes images for a person to look at"]
fn shots() -> anyhow::Result<()> {
    let Some(folder) = std::env::var_os("FIGURE_SHOTS").map(std::path::PathBuf::from) else {
        println!("skipped: FIGURE_SHOTS names no folder");
        return Ok(());
    };
    std::fs::create_dir_all(&folder)?;
    let view = View {
        scope: Scope::Layer("branch2.conv2".to_owned()),
        step: Some(60),
        pair: Some((0, 2)),
        ..View::default()
    };
    for (classes, moments) in [(2, 3), (6, 9), (12, 30), (100, 2)] {
        let sample = Sample::new(classes, moments);
        for &kind in Kind::ALL {
            for (size, dark) in [([760.0, 520.0], false), ([340.0, 230.0], true)] {
                let image = figure_png(kind, sample.subject(), &view, &options(size, dark));
                let look = if dark { "dark" } else { "light" };
                let name = format!("{}-{classes}-{look}.png", kind.name());
                export::write_png(&folder.join(name), &image)?;
            }
        }
    }
    Ok(())
}

/// Lightness of a colour (CIE L*), roughly what the eye makes of it.
fn lightness(color: egui::Color32) -> f32 {
    let rgba = egui::Rgba::from(color);
    116.0 * (0.2126 * rgba.r() + 0.7152 * rgba.g() + 0.0722 * rgba.b()).cbrt() - 16.0
}

#[test]
fn colours_are_stable_and_seen_on_both_themes() {
    let colors: Vec<_> = (0..12).map(palette::class).collect();
    for (k, a) in colors.iter().enumerate() {
        assert!(
            !colors[..k].contains(a),
            "class {k} has the colour of another"
        );
        assert!(
            (30.0..85.0).contains(&lightness(*a)),
            "{a:?} has lightness {}",
            lightness(*a)
        );
    }
    for dark in [false, true] {
        assert_ne!(
            palette::diverging(-1.0, dark),
            palette::diverging(1.0, dark)
        );
        let (low, high) = (
            palette::diverging(-3.0, dark),
            palette::diverging(3.0, dark),
        );
        assert_eq!(
            (low, high),
            (
                palette::diverging(-1.0, dark),
                palette::diverging(1.0, dark)
            )
        );
        for value in [-1.0, -0.4, 0.0, 0.4, 1.0] {
            let background = palette::diverging(value, dark);
            let contrast = (lightness(palette::text_on(background)) - lightness(background)).abs();
            assert!(contrast > 40.0, "text on {value}: {contrast}");
        }
    }
}

/// Small images of every figure of two constructed runs or of six, light and dark, against the images that somebody
/// last looked at. `UPDATE_SNAPSHOTS=1 cargo test --release --lib figures_look` writes the images anew: look at them
/// before they are committed.
#[test]
fn figures_look_as_they_did() -> anyhow::Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let (first, second) = (Sample::new(6, 6), Sample::new(6, 8));
    let groups = groups();
    let groups: Vec<Subject<'_>> = groups.iter().map(Sample::subject).collect();
    let pair = [
        Subject {
            name: "baseline",
            ..first.subject()
        },
        Subject {
            name: "attention",
            ..second.subject()
        },
    ];
    let view = View {
        scope: Scope::Layer("branch2.conv2".to_owned()),
        step: Some(120),
        pair: Some((0, 4)),
        class: Some(4),
        order: Order::Frequency,
        ..View::default()
    };
    let mut changed = Vec::new();
    for &kind in Kind::ALL {
        for dark in [false, true] {
            let options = options([380.0, 280.0], dark);
            let (subject, shown) = if kind.compares_groups() {
                (groups[3], &groups[..])
            } else {
                (pair[1], &pair[..])
            };
            let image = figure_png_among(kind, subject, shown, &view, &options);
            let look = if dark { "dark" } else { "light" };
            let path = folder.join(format!("{}-{look}.png", kind.name()));
            if update {
                std::fs::create_dir_all(&folder)?;
                image.save(&path)?;
                continue;
            }
            let before = image::open(&path)?.to_rgba8();
            anyhow::ensure!(before.dimensions() == image.dimensions(), "{path:?}");
            // Another processor may round the edge of a letter or a line in another way.
            let differs = |(a, b): &(&image::Rgba<u8>, &image::Rgba<u8>)| {
                let steps = a.0.iter().zip(b.0).map(|(a, b)| a.abs_diff(b));
                steps.max().unwrap_or(0) > 32
            };
            let count = image.pixels().zip(before.pixels()).filter(differs).count();
            // A thin line has more pixels than this.
            if count > 24 {
                changed.push(format!("{} ({count} pixels)", path.display()));
            }
        }
    }
    anyhow::ensure!(changed.is_empty(), "these look otherwise: {changed:?}");
    Ok(())
}
