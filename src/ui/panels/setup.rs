//! Setting up an experiment: data, network, training.

use std::path::PathBuf;

use egui::{RichText, SliderClamping};

use crate::config::{
    Attention, ClassWeights, DataSource, DeviceKind, Loss, Profile, RunConfig, Sampler, Width,
};
use crate::data::Plan;
use crate::ui::state::action::{Action, Purpose};
use crate::ui::state::draft::{
    BALANCE_FIELDS, Draft, MAIN_FIELDS, MORE_FIELDS, Preview, TextField,
};
use crate::ui::state::words::{grouped, variant_name};
use crate::ui::widgets::{labelled_ui, problem_ui};

/// The bars of more classes than this scroll.
const BARS_HEIGHT: f32 = 176.0;

pub(crate) fn setup_ui(ui: &mut egui::Ui, draft: &mut Draft, actions: &mut Vec<Action>) {
    ui.label(RichText::new("New experiment").heading());
    let problems = draft.problems();
    let problem = |field: &str| {
        let found = problems.iter().find(|(name, _)| *name == field);
        found.map(|(_, message)| message.as_str())
    };
    source_ui(ui, draft, actions);
    preview_ui(ui, draft);
    imbalance_ui(ui, draft, problem("imbalance"));
    ui.add_space(6.0);
    variants_ui(ui, draft, problem("variants"));
    width_ui(ui, draft);
    device_ui(ui, draft);
    for field in MAIN_FIELDS {
        field_ui(ui, draft, field, problem(field.name));
    }
    balance_ui(ui, draft, &problem);
    more_ui(ui, draft, &problem);
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

/// Asks for the file of a sweep.
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
    if changed {
        draft.use_folder(folder);
    }
}

fn preview_ui(ui: &mut egui::Ui, draft: &Draft) {
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
        }
    }
}

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
    let help = "How many times more training images the largest class keeps than the smallest. 1 leaves the counts as they are.";
    labelled_ui(ui, "Imbalance", help, problem, |ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 62.0).max(60.0);
        let slider = egui::Slider::new(&mut draft.config.imbalance, 1.0..=1000.0)
            .logarithmic(true)
            .clamping(SliderClamping::Never)
            .max_decimals(1)
            .suffix(" ×");
        ui.add(slider)
    });
    let help = "Exponential: each class keeps a fixed share of the one before. Step: half of the classes keep all, half keep few.";
    labelled_ui(ui, "Profile", help, None, |ui| {
        let mut row = |ui: &mut egui::Ui| {
            let exp = ui.selectable_value(&mut draft.config.profile, Profile::Exp, "Exponential");
            let step = ui.selectable_value(&mut draft.config.profile, Profile::Step, "Step");
            exp.on_hover_text(help);
            step
        };
        row(ui)
    });
}

fn variants_ui(ui: &mut egui::Ui, draft: &mut Draft, problem: Option<&str>) {
    ui.label("Networks to train")
        .on_hover_text("All of them start from the same weights where they share them, so that only the attention differs");
    ui.horizontal_wrapped(|ui| {
        for (attention, chosen) in &mut draft.variants {
            let help = match attention {
                Attention::None => "Three branches without attention",
                Attention::Branch => {
                    "Class-Specific Branch Attention: each branch weighs its own channels"
                }
                Attention::Shared => {
                    "One gate over all branches together, with as many parameters as branch attention: the control"
                }
                Attention::Constant => {
                    "A learned constant for each channel of the branches: attention that does not look at the image"
                }
                Attention::Wide => {
                    "No attention, and branches so much wider that there are as many parameters as with branch attention"
                }
            };
            ui.checkbox(chosen, variant_name(*attention)).on_hover_text(help);
        }
    });
    problem_ui(ui, problem);
    let chosen = draft.variants.iter().filter(|(_, chosen)| *chosen).count();
    if chosen > 1 {
        let text = RichText::new("Trained one after the other, baseline first.")
            .small()
            .weak();
        ui.label(text);
    }
}

fn width_ui(ui: &mut egui::Ui, draft: &mut Draft) {
    let help = "Scale of every channel count. 1 is the reference network with 1.35 million parameters; 1/4 suits a processor without a GPU.";
    labelled_ui(ui, "Network width", help, None, |ui| {
        let mut last = None;
        for &width in Width::ALL {
            last = Some(
                ui.selectable_value(&mut draft.config.width, width, width.name())
                    .on_hover_text(help),
            );
        }
        last.unwrap_or_else(|| ui.label(""))
    });
}

fn device_ui(ui: &mut egui::Ui, draft: &mut Draft) {
    let built = DeviceKind::built();
    if built.len() < 2 {
        return;
    }
    let help = "Where the network is computed. Where the device is not there, the processor is used and a notice says so.";
    labelled_ui(ui, "Device", help, None, |ui| {
        for kind in built {
            ui.selectable_value(&mut draft.config.device, kind, kind.label())
                .on_hover_text(help);
        }
        // The row bears the label; each choice keeps its own name.
        ui.response()
    });
}

fn field_ui(ui: &mut egui::Ui, draft: &mut Draft, field: &TextField, problem: Option<&str>) {
    let mut text = draft.text_of(field);
    let mut changed = false;
    labelled_ui(ui, field.label, field.help, problem, |ui| {
        let edit = egui::TextEdit::singleline(&mut text)
            .hint_text(field.hint)
            .desired_width(110.0);
        let response = ui.add(edit);
        changed = response.changed();
        response
    });
    if changed {
        draft.typed(field, text);
    }
}

/// What makes rare classes count more: loss, class weights, sampler, and the numbers that belong to what is chosen.
fn balance_ui<'a>(
    ui: &mut egui::Ui,
    draft: &mut Draft,
    problem: &impl Fn(&str) -> Option<&'a str>,
) {
    let is_changed = |config: &RunConfig| {
        let plain = (Loss::Ce, ClassWeights::None, Sampler::Instance);
        (config.loss, config.class_weights, config.sampler) != plain || config.post_hoc.is_some()
    };
    let has_problem = BALANCE_FIELDS
        .iter()
        .any(|field| problem(field.name).is_some());
    egui::CollapsingHeader::new("Correct for rare classes")
        .open(has_problem.then_some(true))
        .show_unindented(ui, |ui| {
            let config = &mut draft.config;
            let help = "What training minimises";
            choice_ui(ui, ("Loss", help), &mut config.loss, Loss::ALL, loss_name);
            let help = "How much the images of each class count in the loss";
            choice_ui(
                ui,
                ("Class weights", help),
                &mut config.class_weights,
                ClassWeights::ALL,
                weights_name,
            );
            let help = "Which images an epoch sees";
            choice_ui(
                ui,
                ("Sampler", help),
                &mut config.sampler,
                Sampler::ALL,
                sampler_name,
            );
            for field in BALANCE_FIELDS {
                let concerns = match field.name {
                    "gamma" => draft.config.loss == Loss::Focal,
                    "tau" => draft.config.loss == Loss::LogitAdjusted,
                    "beta" => draft.config.class_weights == ClassWeights::Effective,
                    "weights_from" => draft.config.class_weights != ClassWeights::None,
                    _ => true,
                };
                if concerns || problem(field.name).is_some() {
                    field_ui(ui, draft, field, problem(field.name));
                }
            }
        });
    if is_changed(&draft.config) {
        for warning in draft.config.warnings() {
            let text = RichText::new(warning).small();
            ui.label(text.color(ui.visuals().warn_fg_color));
        }
    }
}

fn choice_ui<T: Copy + PartialEq>(
    ui: &mut egui::Ui,
    (label, help): (&str, &str),
    value: &mut T,
    all: &[T],
    name: fn(T) -> (&'static str, &'static str),
) {
    labelled_ui(ui, label, help, None, |ui| {
        egui::ComboBox::from_id_salt(label)
            .selected_text(name(*value).0)
            .width(160.0)
            .show_ui(ui, |ui| {
                for &choice in all {
                    let (name, help) = name(choice);
                    ui.selectable_value(value, choice, name).on_hover_text(help);
                }
            })
            .response
    });
}

/// Name and meaning.
fn loss_name(loss: Loss) -> (&'static str, &'static str) {
    match loss {
        Loss::Ce => ("Cross-entropy", "The usual loss"),
        Loss::Focal => (
            "Focal",
            "Images that are recognised already count less (Lin et al. 2017)",
        ),
        Loss::Ldam => (
            "LDAM",
            "Larger margins for rarer classes, with a cosine classifier (Cao et al. 2019); usually with deferred weights \
             by effective number",
        ),
        Loss::BalancedSoftmax => (
            "Balanced Softmax",
            "Logits are compared as if all classes were equally frequent (Ren et al. 2020)",
        ),
        Loss::LogitAdjusted => (
            "Logit-adjusted",
            "As Balanced Softmax, with a strength τ of its own (Menon et al. 2021)",
        ),
    }
}

/// Name and meaning.
fn weights_name(weights: ClassWeights) -> (&'static str, &'static str) {
    match weights {
        ClassWeights::None => ("None", "Every image counts alike"),
        ClassWeights::Inverse => ("Inverse frequency", "∝ 1/n: every class counts alike"),
        ClassWeights::Effective => (
            "Effective number",
            "∝ (1 − β)/(1 − β^n): between the two (Cui et al. 2019)",
        ),
    }
}

/// Name and meaning.
fn sampler_name(sampler: Sampler) -> (&'static str, &'static str) {
    match sampler {
        Sampler::Instance => ("Every image once", "Classes as often as they have images"),
        Sampler::SquareRoot => (
            "Square root",
            "Classes by the square root of their counts, with replacement",
        ),
        Sampler::Balanced => ("Class-balanced", "All classes alike, with replacement"),
        Sampler::Progressive => (
            "Progressive",
            "From every image once to all classes alike, over the epochs (Kang et al. 2020)",
        ),
    }
}

fn more_ui<'a>(ui: &mut egui::Ui, draft: &mut Draft, problem: &impl Fn(&str) -> Option<&'a str>) {
    // A mistake must not hide behind a closed header.
    let has_problem = MORE_FIELDS
        .iter()
        .any(|field| problem(field.name).is_some());
    egui::CollapsingHeader::new("More")
        .open(has_problem.then_some(true))
        .show_unindented(ui, |ui| {
            for field in MORE_FIELDS {
                field_ui(ui, draft, field, problem(field.name));
            }
            if DeviceKind::built().contains(&DeviceKind::Cuda) {
                tf32_ui(ui, draft);
            }
            ui.checkbox(&mut draft.config.skip_unreadable, "Skip unreadable images")
                .on_hover_text("Name image files that cannot be decoded and go on without them; otherwise the first one ends the run");
        });
}

fn tf32_ui(ui: &mut egui::Ui, draft: &mut Draft) {
    let on_cuda = draft.config.device == DeviceKind::Cuda;
    let check = egui::Checkbox::new(&mut draft.config.tf32, "Faster, rounded products (TF32)");
    ui.add_enabled(on_cuda, check)
        .on_hover_text(
            "Lets the CUDA device round what goes into matrix products to 10 bits of mantissa instead of 23: faster on \
             recent devices, and gradients are a little less exact",
        )
        .on_disabled_hover_text("Concerns CUDA devices only; others always compute in full precision");
}
