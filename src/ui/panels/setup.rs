//! The setup panel: data, networks and training of the next runs.

use std::path::PathBuf;

use egui::{RichText, SliderClamping};

use super::setup_more::{field_ui, more_ui, warning_ui};
use crate::config::{
    Choice, ClassWeights, DataSource, DeviceKind, FIELDS, Field, Group, Kind, Loss, RunConfig,
    Sampler,
};
use crate::data::Plan;
use crate::text::grouped;
use crate::ui::state::action::{Action, Purpose};
use crate::ui::state::draft::{Draft, Preview};
use crate::ui::state::words::capitalised;
use crate::ui::widgets::{labelled_ui, problem_ui};

/// Greatest height of the class-count bars, in points; if there are more bars, they scroll.
const BARS_HEIGHT: f32 = 176.0;

/// Draws the whole panel.
pub(crate) fn setup_ui(ui: &mut egui::Ui, draft: &mut Draft, actions: &mut Vec<Action>) {
    ui.label(RichText::new("New experiment").heading());
    let problems = draft.problems();
    let problem = |field: &str| {
        let found = problems.iter().find(|(name, _)| *name == field);
        found.map(|(_, message)| message.as_str())
    };
    source_ui(ui, draft, actions);
    preview_ui(ui, draft, actions);
    imbalance_ui(ui, draft, problem("imbalance"));
    row_ui(ui, draft, "profile");
    ui.add_space(6.0);
    variants_ui(ui, draft, problem("variants"));
    row_ui(ui, draft, "width");
    row_ui(ui, draft, "device");
    for field in FIELDS.iter().filter(|field| is_plain(field)) {
        field_ui(ui, draft, field, problem(field.name));
    }
    if let Some(warning) = draft.config.misfit_rate() {
        warning_ui(ui, warning);
    }
    balance_ui(ui, draft, &problem);
    more_ui(ui, draft, &problem);
    // The folder belongs to no group of settings.
    ui.add_space(6.0);
    let help = "New runs go here, each into a folder of its own, named after data and network.";
    labelled_ui(ui, "Save runs in", help, problem("output"), |ui| {
        ui.add(egui::TextEdit::singleline(&mut draft.output).desired_width(f32::INFINITY))
    });
    let sweep = ui.button("Run a sweep…").on_hover_text(
        "Train every run of a grid of configurations and seeds that is not there yet: a TOML file, as `crosscurrent \
         sweep` takes it",
    );
    if sweep.clicked() {
        actions.push(choose_sweep());
    }
}

/// The main fields for which this file has a control of their own.
const BY_HAND: &[&str] = &[
    "data",
    "imbalance",
    "profile",
    "attention",
    "width",
    "device",
];

/// Whether a field is a plain row of its own, above the sections that open.
fn is_plain(field: &Field) -> bool {
    field.is_main && !BY_HAND.contains(&field.name)
}

/// The action that asks the user for the file of a sweep.
fn choose_sweep() -> Action {
    Action::Choose(Purpose::Sweep, PathBuf::new())
}

fn source_ui(ui: &mut egui::Ui, draft: &mut Draft, actions: &mut Vec<Action>) {
    let is_folder = matches!(draft.config.data, DataSource::Folder(_));
    let mut folder = is_folder;
    ui.horizontal(|ui| {
        ui.radio_value(&mut folder, false, "Built-in solar modules").on_hover_text(
            "Generated photographs of solar modules in six classes; damage is rare, as in the field",
        );
        ui.radio_value(&mut folder, true, "Image folder")
            .on_hover_text(
                "Your own images: one subfolder per class, or train, val and test folders that hold them. CIFAR's binary \
                 batches, IDX files and the parquet shards of Hugging Face data sets are recognised.",
            );
    });
    let mut changed = folder != is_folder;
    if folder {
        ui.horizontal(|ui| {
            let button = ui
                .button("Choose folder…")
                .on_hover_text("Pick the folder in a dialog; or type its path beside");
            if button.clicked() {
                let start = PathBuf::from(draft.folder.trim());
                actions.push(Action::Choose(Purpose::ImageFolder, start));
            }
            let edit = egui::TextEdit::singleline(&mut draft.folder)
                .hint_text("path of the folder")
                .desired_width(f32::INFINITY);
            changed |= ui
                .add(edit)
                .accessible_name("Path of the image folder")
                .changed();
        });
    }
    if folder && !is_folder {
        draft.use_folder_anew();
    } else if changed {
        draft.use_folder(folder);
    }
}

fn preview_ui(ui: &mut egui::Ui, draft: &Draft, actions: &mut Vec<Action>) {
    match draft.preview() {
        Preview::Nothing(sentence) => {
            ui.label(RichText::new(sentence).weak());
        }
        Preview::Looking => {
            ui.label(RichText::new("Looking through the images…").weak());
        }
        Preview::Problem(sentence) => problem_ui(ui, Some(&sentence)),
        Preview::Counts(summary, plan) => {
            egui::ScrollArea::vertical()
                .id_salt("class counts")
                .max_height(BARS_HEIGHT)
                .show(ui, |ui| bars_ui(ui, &summary.classes, &plan));
            totals_ui(ui, &plan);
            problem_ui(ui, plan.refusal(&draft.as_trained()).as_deref());
            unreadable_ui(ui, draft, actions);
            notes_ui(ui, draft);
        }
    }
}

/// Says what was recognised or left out, and which images were found more than once, in small letters.
fn notes_ui(ui: &mut egui::Ui, draft: &Draft) {
    let Some(found) = draft.found() else {
        return;
    };
    let small = |note: &str| RichText::new(format!("{}.", capitalised(note))).small();
    for note in &found.notes {
        ui.label(small(note).weak());
    }
    for note in &found.repeated {
        ui.label(small(note).color(ui.visuals().warn_fg_color));
    }
}

/// Says before the start that some images cannot be decoded, and offers to leave them out.
fn unreadable_ui(ui: &mut egui::Ui, draft: &Draft, actions: &mut Vec<Action>) {
    let files = draft.found().map_or(&[][..], |found| &found.unreadable);
    if files.is_empty() {
        return;
    }
    let shown: Vec<&str> = files
        .iter()
        .take(UNREADABLE_NAMED)
        .map(String::as_str)
        .collect();
    let help = shown.join("\n");
    let number = files.len();
    if draft.config.skip_unreadable {
        let text = match number {
            1 => "1 file could not be decoded and is left out.".to_owned(),
            number => format!("{number} files could not be decoded and are left out."),
        };
        ui.label(RichText::new(text).small().weak())
            .on_hover_text(help);
        return;
    }
    let text =
        format!("{number} of the images cannot be decoded, and training would stop at them.");
    let text = RichText::new(text).color(ui.visuals().warn_fg_color);
    ui.label(text).on_hover_text(&help);
    let reason = draft.reason_not_to_start();
    let skip = ui
        .add_enabled(reason.is_none(), egui::Button::new("Skip and train"))
        .on_hover_text("Leave these images out, and press Start")
        .on_disabled_hover_text(reason.unwrap_or_default());
    if skip.clicked() {
        actions.push(Action::SkipAndTrain);
    }
}

/// Files that the tooltip names.
const UNREADABLE_NAMED: usize = 12;

fn bars_ui(ui: &mut egui::Ui, classes: &[String], plan: &Plan) {
    let largest = plan.train.iter().copied().max().unwrap_or(1).max(1);
    ui.spacing_mut().item_spacing.y = 1.0;
    for (class, name) in classes.iter().enumerate() {
        let count = |counts: &[usize]| counts.get(class).copied().unwrap_or(0);
        let train = count(&plan.train);
        let row = ui.horizontal(|ui| {
            let height = 15.0;
            let cell = |ui: &mut egui::Ui, width: f32, align: egui::Align, text: String| {
                let layout = egui::Layout::left_to_right(egui::Align::Center)
                    .with_main_align(align)
                    .with_main_justify(true);
                ui.allocate_ui_with_layout(egui::vec2(width, height), layout, |ui| {
                    ui.add(
                        egui::Label::new(RichText::new(text).small())
                            .truncate()
                            .halign(align),
                    );
                });
            };
            cell(ui, 104.0, egui::Align::LEFT, name.clone());
            let width = (ui.available_width() - 58.0).max(20.0);
            let (rect, _) = ui.allocate_exact_size(egui::vec2(width, height), egui::Sense::hover());
            let mut bar = rect.shrink2(egui::vec2(0.0, 2.5));
            bar.set_width((width * train as f32 / largest as f32).max(1.0));
            let colour = crate::figure::palette::class(class);
            ui.painter().rect_filled(bar, 1.0, colour);
            cell(ui, 48.0, egui::Align::RIGHT, grouped(train as u64));
        });
        row.response.on_hover_text(format!(
            "{name}: {} training, {} validation and {} test images; {} training images before the cut",
            grouped(train as u64),
            grouped(count(&plan.val) as u64),
            grouped(count(&plan.test) as u64),
            grouped(count(&plan.natural) as u64),
        ));
    }
}

fn totals_ui(ui: &mut egui::Ui, plan: &Plan) {
    let sum = |counts: &[usize]| grouped(counts.iter().sum::<usize>() as u64);
    let text = format!(
        "{} training · {} validation · {} test",
        sum(&plan.train),
        sum(&plan.val),
        sum(&plan.test)
    );
    ui.label(RichText::new(text).small().weak())
        .on_hover_text("Images in all; the bars show the training images of each class");
}

fn imbalance_ui(ui: &mut egui::Ui, draft: &mut Draft, problem: Option<&str>) {
    let Some(field) = Field::named("imbalance") else {
        return;
    };
    labelled_ui(ui, field.label, &field.explanation(), problem, |ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 62.0).max(60.0);
        let slider = egui::Slider::new(&mut draft.config.imbalance, 1.0..=1000.0)
            .logarithmic(true)
            .clamping(SliderClamping::Never)
            .max_decimals(1)
            .suffix(" ×");
        ui.add(slider)
    });
}

fn variants_ui(ui: &mut egui::Ui, draft: &mut Draft, problem: Option<&str>) {
    let chosen = draft.variants.iter().filter(|(_, chosen)| *chosen).count();
    ui.horizontal(|ui| {
        let help = "All of them start from the same weights where they share them, so that only the attention differs";
        ui.label("Networks to train").on_hover_text(help);
        if chosen > 1 {
            ui.label(RichText::new("one after the other").small().weak())
                .on_hover_text("In the order of this list");
        }
    });
    ui.horizontal_wrapped(|ui| {
        for (attention, chosen) in &mut draft.variants {
            ui.checkbox(chosen, attention.label())
                .on_hover_text(attention.help());
        }
    });
    problem_ui(ui, problem);
}

/// Draws the values of a field beside each other, of which one is chosen. Draws nothing in a build that cannot use the
/// field.
fn row_ui(ui: &mut egui::Ui, draft: &mut Draft, field: &str) {
    let Some(field) = Field::named(field).filter(|field| field.is_built) else {
        return;
    };
    let Kind::Choice(choices) = field.kind else {
        return;
    };
    let built = DeviceKind::built();
    let is_offered = |choice: &&Choice| {
        field.name != "device" || built.iter().any(|kind| kind.name() == choice.name)
    };
    let explanation = field.explanation();
    let before = field.text(&draft.config);
    labelled_ui(ui, field.label, &explanation, None, |ui| {
        for choice in choices.iter().filter(is_offered) {
            let button = ui.selectable_label(choice.name == before, choice.label);
            let button = button.on_hover_text(format!("{}. {explanation}", choice.help));
            if button.clicked() {
                draft.typed(field, choice.name.to_owned());
            }
        }
        // The label names the whole row; each choice keeps its own name.
        ui.response()
    });
}

/// Draws the corrections for rare classes: loss, class weights, sampler, and the numbers that the chosen corrections
/// have.
fn balance_ui<'a>(
    ui: &mut egui::Ui,
    draft: &mut Draft,
    problem: &impl Fn(&str) -> Option<&'a str>,
) {
    let group = Group::RareClasses;
    let is_choice = |field: &&Field| matches!(field.kind, Kind::Choice(_));
    let (choices, numbers): (Vec<_>, Vec<_>) = group.fields().partition(is_choice);
    let has_problem = group.fields().any(|field| problem(field.name).is_some());
    egui::CollapsingHeader::new(group.title())
        .open(has_problem.then_some(true))
        .show_unindented(ui, |ui| {
            for field in choices {
                field_ui(ui, draft, field, problem(field.name));
            }
            let chosen = draft.chosen();
            for field in numbers {
                let problem = problem(field.name);
                let applies = chosen.iter().any(|config| field.applies(config));
                if applies || problem.is_some() {
                    field_ui(ui, draft, field, problem);
                }
            }
        });
    let config = &draft.config;
    let plain = (Loss::Ce, ClassWeights::None, Sampler::Instance);
    let is_changed = (config.loss, config.class_weights, config.sampler) != plain;
    if is_changed || config.post_hoc.is_some() || config.tau.is_some() {
        let all = draft.chosen();
        let twice = all.iter().find_map(RunConfig::overcorrection);
        // What has an effect in one of the networks has one.
        let idle = |field: &'static Field| {
            let said: Option<Vec<String>> = all.iter().map(|config| field.idle(config)).collect();
            said?.pop()
        };
        let idle = group.fields().filter_map(idle);
        for warning in twice.into_iter().chain(idle) {
            warning_ui(ui, warning);
        }
    }
}
