//! Every field of a configuration can be set in the setup panel.

use anyhow::{Result, ensure};
use crosscurrent::config::{FIELDS, Group, Kind};
use crosscurrent::ui::Options;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::{PATIENCE, Window, click, has, settle, window};

const SEARCH: &str = "Search these settings";
/// These fields have controls with other labels: the images have several controls, and `attention` is the list of
/// networks to train.
const BY_HAND: &[&str] = &["data", "attention"];

/// The panel with all sections open, in a window that is high enough for all of it.
fn open_panel() -> Window {
    let mut window = window(Options::default());
    window.set_size(egui::vec2(1280.0, 3000.0));
    settle(&mut window);
    click(&mut window, Group::RareClasses.title());
    click(&mut window, "More");
    window
}

fn type_into(window: &mut Window, label: &str, text: &str) {
    let edit = |window: &Window| window.get_by_role_and_label(Role::TextInput, label).focus();
    edit(window);
    settle(window);
    window
        .get_by_role_and_label(Role::TextInput, label)
        .type_text(text);
    settle(window);
}

fn clear(window: &mut Window, label: &str) {
    window.get_by_role_and_label(Role::TextInput, label).focus();
    settle(window);
    super::press(window, egui::Modifiers::COMMAND, egui::Key::A);
    super::press(window, egui::Modifiers::NONE, egui::Key::Backspace);
}

/// How often class gradients are measured follows the configuration while it is edited.
#[test]
fn the_cadence_of_probes_is_shown() -> Result<()> {
    let mut window = open_panel();
    ensure!(has(&window, "A probe every ") && has(&window, " in this run; a probe costs about "));
    type_into(&mut window, "Probe every", "7");
    ensure!(has(&window, "A probe every 7 steps, about "));
    clear(&mut window, "Probe every");
    ensure!(!has(&window, "A probe every 7 steps"));
    Ok(())
}

#[test]
fn every_field_can_be_set_in_the_setup_panel() -> Result<()> {
    let window = open_panel();
    for field in FIELDS {
        // What has no effect in the default configuration has no control, or one that is disabled.
        let has_condition = field.group == Group::RareClasses && field.applies.is_some();
        if !field.is_built || has_condition || BY_HAND.contains(&field.name) {
            continue;
        }
        let role = match field.kind {
            Kind::Flag => Role::CheckBox,
            Kind::Number
            | Kind::Whole
            | Kind::Choice(_)
            | Kind::Size
            | Kind::Source
            | Kind::Splits
            | Kind::Shares
            | Kind::Prior
            | Kind::Wholes
            | Kind::Name => Role::TextInput,
        };
        let found = match field.kind {
            Kind::Choice(_) => window.query_all_by_label(field.label).next().is_some(),
            // This field is a slider and takes no text.
            _ if field.name == "imbalance" => has(&window, field.label),
            Kind::Number
            | Kind::Whole
            | Kind::Flag
            | Kind::Size
            | Kind::Source
            | Kind::Splits
            | Kind::Shares
            | Kind::Prior
            | Kind::Wholes
            | Kind::Name => window.query_by_role_and_label(role, field.label).is_some(),
        };
        ensure!(found, "{} has no control named {}", field.name, field.label);
    }
    Ok(())
}

#[test]
fn the_search_shows_the_fields_that_have_all_words() -> Result<()> {
    let mut window = open_panel();
    type_into(&mut window, SEARCH, "random crop");
    let shown = |window: &Window, label: &str| {
        let found = window.query_by_role_and_label(Role::TextInput, label);
        found.is_some()
    };
    ensure!(shown(&window, "Crop padding") && !shown(&window, "Momentum"));
    clear(&mut window, SEARCH);
    type_into(&mut window, SEARCH, "focal");
    ensure!(
        has(&window, "Above: Loss (under"),
        "what stands elsewhere is named"
    );
    ensure!(!shown(&window, "Crop padding"));
    clear(&mut window, SEARCH);
    type_into(&mut window, SEARCH, "zebra");
    ensure!(has(&window, "No setting has these words"));
    clear(&mut window, SEARCH);
    ensure!(shown(&window, "Momentum") && shown(&window, "Crop padding"));
    Ok(())
}

#[test]
fn a_mistake_is_shown_under_its_field_whatever_is_searched_for() -> Result<()> {
    let mut window = open_panel();
    clear(&mut window, "Momentum");
    type_into(&mut window, "Momentum", "1");
    const MESSAGE: &str = "must be at least 0 and below 1, such as 0.9";
    ensure!(has(&window, MESSAGE));
    type_into(&mut window, SEARCH, "zebra");
    ensure!(has(&window, MESSAGE));
    Ok(())
}

/// Gate decay is disabled if no chosen network has gates. A value that was typed before stays within reach, with a
/// warning.
#[test]
fn a_field_without_effect_is_off() -> Result<()> {
    let mut window = open_panel();
    let is_off = |window: &Window| {
        let decay = window.get_by_role_and_label(Role::TextInput, "Gate decay");
        decay.accesskit_node().is_disabled()
    };
    ensure!(!is_off(&window), "branch attention is chosen");
    click(&mut window, "CSBA (branch attention)");
    ensure!(is_off(&window));
    click(&mut window, "CSBA (branch attention)");
    type_into(&mut window, "Gate decay", "0");
    click(&mut window, "CSBA (branch attention)");
    ensure!(!is_off(&window));
    ensure!(has(
        &window,
        "`gate_decay` has no effect without attention gates."
    ));
    Ok(())
}

/// Skipping images starts training, and needs what Start needs.
#[test]
fn images_are_skipped_only_where_training_can_start() -> Result<()> {
    let images = tempfile::tempdir()?;
    for class in ["cat", "dog"] {
        let folder = images.path().join(class);
        std::fs::create_dir(&folder)?;
        for index in 0..9 {
            image::RgbImage::new(16, 16).save(folder.join(format!("{index}.png")))?;
        }
    }
    std::fs::write(images.path().join("dog/broken.png"), b"no image")?;
    let mut window = window(Options::default());
    window.set_size(egui::vec2(1280.0, 3000.0));
    settle(&mut window);
    click(&mut window, "Image folder");
    let field = window.get_by_label("Path of the image folder");
    field.set_text_value_accesskit(&images.path().display().to_string());
    window.run_steps(6);
    let patience = std::time::Instant::now() + PATIENCE;
    while !has(&window, "1 of the images cannot be decoded") {
        settle(&mut window);
        ensure!(std::time::Instant::now() < patience, "it is not found");
    }
    let is_off = |window: &Window| {
        let skip = window.get_by_label("Skip and train");
        skip.accesskit_node().is_disabled()
    };
    ensure!(!is_off(&window));
    for network in ["Baseline", "CSBA (branch attention)"] {
        let choice = window.get_by_role_and_label(Role::CheckBox, network);
        choice.click();
        settle(&mut window);
    }
    ensure!(is_off(&window), "no network is chosen");
    Ok(())
}
