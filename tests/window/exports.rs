//! The window exports the same files as the command line, and an exported image leads back to its view.

use std::collections::BTreeSet;

use super::*;
use crosscurrent::figure::Kind;

/// Settings for small images in light colours, which take little time to draw; the command line is given the same.
const SMALL: &str = r#"{"export": {"settings": {"format": "Png", "size": {"width": 240.0, "height": 180.0, "unit": "Pt"},
    "dpi": 96.0, "text": 1.0, "dark": false, "transparent": false}, "is_as_on_screen": false,
    "has_window_colours": false}}"#;

/// Copies a recorded run with its probes, but without its images.
fn copy(name: &str, to: &Path) -> anyhow::Result<()> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recorded")
        .join(name);
    std::fs::create_dir_all(to.join("probes"))?;
    for file in ["run.toml", "events.jsonl", "data.safetensors"] {
        std::fs::copy(from.join(file), to.join(file))?;
    }
    for entry in std::fs::read_dir(from.join("probes"))? {
        let file = Path::new("probes").join(entry?.file_name());
        std::fs::copy(from.join(&file), to.join(&file))?;
    }
    Ok(())
}

fn files(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let entries = std::fs::read_dir(folder)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

/// Opens the export dialog for a figure of a run, even if its card is out of sight.
fn ask(window: &mut Window, card: &str) {
    window
        .get_by_label(&format!("Export… {card}"))
        .click_accesskit();
    settle(window);
}

/// The page as one figure, in the settings that the dialog offers, is what the command line writes.
fn as_one(
    window: &mut Window,
    card: &str,
    arguments: &[&str],
    folder: &Path,
) -> anyhow::Result<()> {
    ask(window, card);
    click(window, "The page as one figure");
    click(window, "SVG");
    let [own, other] = ["window.svg", "command.svg"].map(|name| folder.join(name));
    type_path(window, "File", &own);
    click(window, "Export");
    ensure!(has(window, "Exported to"), "{card}");
    click(window, "Dismiss");
    let settings = ["--as-one", "--width", "178mm", "--dpi", "300"];
    export_command(&[arguments, &settings].concat(), &other)?;
    ensure!(std::fs::read(own)? == std::fs::read(other)?, "{card}");
    Ok(())
}

/// Every figure of two runs side by side, one of them renamed, equals that of the command line byte for byte, in every
/// format.
#[test]
fn every_figure_is_what_the_command_line_writes() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let runs = ["none", "branch"].map(|name| parent.path().join(name));
    copy("solar-none", &runs[0])?;
    copy("solar-branch", &runs[1])?;
    std::fs::write(runs[1].join("notes.json"), r#"{"name": "CSBA: long/tail"}"#)?;
    let settings = parent.path().join("settings.json");
    std::fs::write(&settings, SMALL)?;
    let mut window = window(Options {
        runs: runs.to_vec(),
        settings: Some(settings),
        ..Options::default()
    });
    let view = window.state_mut().figure_view();
    view.pair = Some((0, 4));
    view.class = Some(4);
    view.step = Some(288);
    view.difference = true;
    settle(&mut window);
    let [none, branch] = runs.each_ref().map(|run| run.to_str().unwrap_or_default());
    let written = parent.path().join("written");
    let image = written.join("Overview/CSBA_ long_tail-conflict-difference.png");
    let mut seen = BTreeSet::new();
    for (page, name, card) in [
        ("Overview", "overview", "Per-class F1, none"),
        ("Conflicts", "conflicts", "Network map, none"),
        ("One class", "class", "Class influence, none"),
        ("Mistakes", "mistakes", "Confusion matrix, none"),
        (
            "Gates",
            "gates",
            "Attention gates by class and channel, CSBA: long/tail",
        ),
        (
            "Compare",
            "compare",
            "Per-class F1, change between groups, CSBA: long/tail",
        ),
    ] {
        click(&mut window, page);
        ask(&mut window, card);
        click(&mut window, &format!("All figures of “{page}”"));
        click(&mut window, "SVG");
        click(&mut window, "PDF");
        click(&mut window, "CSV");
        let folder = written.join(page);
        type_path(&mut window, "Folder", &folder);
        click(&mut window, "Export");
        ensure!(has(&window, "files to"), "{page}");
        click(&mut window, "Dismiss");

        let command = parent.path().join("command").join(name);
        let view = ["--view", image.to_str().context("path")?, "--page", name];
        let size = [
            "--size",
            "240x180",
            "--dpi",
            "96",
            "--format",
            "png,svg,pdf,csv",
        ];
        export_command(&[&[none, branch][..], &view, &size].concat(), &command)?;
        let names = files(&folder)?;
        assert_eq!(names, files(&command)?, "{page}");
        for file in names {
            let both = [&folder, &command].map(|folder| std::fs::read(folder.join(&file)));
            let [own, other] = both;
            ensure!(own? == other?, "{page}: {file} differs");
            seen.insert(file);
        }
        let arguments = [&[none, branch][..], &view].concat();
        as_one(&mut window, card, &arguments, &written)?;
    }
    // A run shows its matrix in one of three ways at a time, and here as the difference from the other run; and layers by
    // moments of all pairs of classes, not of one.
    let others = [Kind::BatchNormDifference, Kind::PairDepth];
    let shown = Kind::ALL.iter().filter(|kind| !others.contains(kind));
    for kind in shown {
        for format in ["png", "svg", "pdf", "csv"] {
            let end = format!("-{}.{format}", kind.name());
            ensure!(seen.iter().any(|file| file.ends_with(&end)), "no {end}");
        }
    }
    Ok(())
}

/// In the size on screen, every figure of a page has the size of its own card: figures beside each other are of one size,
/// those of the row that stays in view among them.
#[test]
fn figures_of_a_page_keep_the_sizes_of_their_cards() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut options = two_runs(parent.path())?;
    options.runs.truncate(1);
    let mut window = window(options);
    click(&mut window, "Conflicts");
    ask(&mut window, "Network map, baseline");
    click(&mut window, "All figures of “Conflicts”");
    let folder = parent.path().join("figures");
    type_path(&mut window, "Folder", &folder);
    click(&mut window, "Export");
    let size = |kind: Kind| -> anyhow::Result<[i64; 2]> {
        let image = image::open(folder.join(format!("baseline-{}.png", kind.name())))?;
        // Two pixels to a point.
        Ok([image.width(), image.height()].map(|side| i64::from(side) / 2))
    };
    let [width, map] = size(Kind::Architecture)?;
    let depth = size(Kind::DepthTime)?;
    ensure!(depth == size(Kind::ConflictMatrix)?);
    ensure!(
        width > 2 * depth[0] && depth[1] > map + 80,
        "{map} {depth:?}"
    );
    let peaks = size(Kind::Peaks)?;
    ensure!(
        peaks == size(Kind::Layer)? && peaks[1] < depth[1],
        "{peaks:?} {depth:?}"
    );
    Ok(())
}

/// An image file is dropped on a window in which its runs are not open. They are found in the folders that the page of
/// runs searches.
#[test]
fn a_dropped_image_opens_its_runs_and_shows_its_view() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let runs = two_runs(parent.path())?.runs;
    let paths: Vec<_> = runs.iter().filter_map(|run| run.to_str()).collect();
    let view = [
        "--layer",
        "branch2.conv1",
        "--step",
        "20",
        "--pair",
        "1",
        "4",
    ];
    let figure = ["--figure", "conflict-matrix", "--format", "png"];
    let images = parent.path().join("images");
    export_command(&[&paths[..], &figure, &view].concat(), &images)?;
    let image = images.join("branch-conflict-matrix.png");

    let mut elsewhere = window(Options {
        output: parent.path().join("images"),
        ..Options::default()
    });
    drop_on(&mut elsewhere, &image);
    ensure!(has(
        &elsewhere,
        "The image shows the run branch, which is neither open nor where the page Runs looks"
    ));

    let mut window = window(Options {
        output: parent.path().to_owned(),
        ..Options::default()
    });
    ensure!(has(&window, "None yet."));
    drop_on(&mut window, &image);
    ensure!(has(&window, "Back to the view of branch"));
    ensure!(is_on(&window, "Show baseline on the left"));
    ensure!(is_on(&window, "Show branch on the right"));
    ensure!(has(&window, "Pair Dusty × Physical-damage"));
    ensure!(has(&window, "step 20 · epoch 2.0 · held"));
    ensure!(window.state_mut().figure_view().scope.name() == "branch2.conv1");
    click(&mut window, "Back");
    ensure!(
        !has(&window, "Pair Dusty × Physical-damage"),
        "one can go back"
    );
    Ok(())
}

/// An image that was exported during training shows the same moment after training has gone on.
#[test]
fn an_image_of_a_live_run_keeps_its_moment() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let dir = parent.path().join("live");
    let image = parent.path().join("matrix.png");
    SHORT.write(&dir, |event| event.step() > 20)?;
    let run = dir.to_str().context("path")?;
    export_command(&[run, "--figure", "conflict-matrix"], &image)?;
    std::fs::remove_dir_all(&dir)?;
    SHORT.write(&dir, |_| false)?;
    let mut window = window(Options {
        runs: vec![dir],
        ..Options::default()
    });
    ensure!(has(&window, "step 40 · epoch 4.0 · newest"));
    drop_on(&mut window, &image);
    ensure!(has(&window, "step 20 · epoch 2.0 · held"));
    Ok(())
}

/// A table could not say that probes are missing from it: the notice does. What was there before is not replaced unsaid.
#[test]
fn tables_without_probes_and_replaced_files_are_said() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut options = two_runs(parent.path())?;
    options.runs.truncate(1);
    let probe = crosscurrent::run::log::probe_file(40);
    std::fs::write(options.runs[0].join(probe), "damaged")?;
    let mut window = window(options);
    click(&mut window, "Conflicts");
    ask(&mut window, "Network map, baseline");
    click(&mut window, "All figures of “Conflicts”");
    click(&mut window, "CSV");
    let folder = parent.path().join("figures");
    type_path(&mut window, "Folder", &folder);
    click(&mut window, "Export");
    ensure!(has(&window, "files to") && !has(&window, "in place of"));
    ensure!(has(&window, "cells are empty where probes are not read"));
    ask(&mut window, "Network map, baseline");
    click(&mut window, "All figures of “Conflicts”");
    type_path(&mut window, "Folder", &folder);
    click(&mut window, "Export");
    ensure!(has(&window, "in place of"));
    Ok(())
}
