//! The dialog that asks for format, size, colours and place of exported figures.

use std::path::PathBuf;

use egui::{RichText, vec2};

use crate::figure::export::{Format, PRESETS, Preset, Settings, TEXT, Unit};
use crate::ui::state::action::{Action, Purpose};
use crate::ui::state::export_draft::{ExportDraft, What};
use crate::ui::widgets::{labelled_ui, problem_ui};

/// Asks how to export a figure, in a dialog over everything else.
pub(crate) fn export_ui(ctx: &egui::Context, export: &mut ExportDraft, actions: &mut Vec<Action>) {
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(16);
    let modal = egui::Modal::new(egui::Id::unique("export")).frame(frame);
    let modal = modal.show(ctx, |ui| {
        ui.set_width(500.0);
        ui.label(RichText::new("Export a figure").heading());
        ui.add_space(6.0);
        what_ui(ui, export);
        format_ui(ui, export);
        let is_drawn = export.is_drawn();
        ui.add_enabled_ui(is_drawn, |ui| {
            size_ui(ui, export);
            colours_ui(ui, &mut export.settings);
        });
        path_ui(ui, export, actions);
        let (problem, path_problem) = (export.problem(), export.path_problem());
        problem_ui(ui, problem.as_deref().or(path_problem.as_deref()));
        ui.add_space(8.0);
        buttons_ui(ui, export, problem, path_problem, actions);
    });
    if modal.should_close() {
        actions.push(Action::CancelExport);
    }
}

fn what_ui(ui: &mut egui::Ui, export: &mut ExportDraft) {
    let help = "One figure; every figure of the page for every run shown, each in a file of its own; or the page as one \
                figure with panels a, b, c and so on, in the arrangement of the page";
    labelled_ui(ui, "What", help, None, |ui| {
        let all = format!("All figures of “{}”", export.page.title());
        let choices = [
            (What::Figure, export.kind.title()),
            (What::Each, &all),
            (What::AsOne, "The page as one figure"),
        ];
        ui.horizontal_wrapped(|ui| {
            for (what, text) in choices {
                if ui.selectable_label(export.what() == what, text).clicked() {
                    export.choose(what);
                }
            }
        });
        ui.response()
    });
}

fn format_ui(ui: &mut egui::Ui, export: &mut ExportDraft) {
    let help = "PNG are pixels, for slides and the web. SVG are lines and text that stay sharp and can be edited. PDF \
                are the same for a paper, with the fonts inside. CSV are the numbers behind the figure.";
    labelled_ui(ui, "Format", help, None, |ui| {
        let is_each = export.what() == What::Each;
        let is_drawn = |format: &Format| export.what() != What::AsOne || *format != Format::Csv;
        for format in Format::ALL.into_iter().filter(is_drawn).collect::<Vec<_>>() {
            let name = format.extension().to_uppercase();
            let chosen = if is_each {
                export.formats.contains(&format)
            } else {
                export.settings.format == format
            };
            let response = ui.selectable_label(chosen, name);
            if response.clicked() && !is_each {
                export.set_format(format);
            } else if response.clicked() && chosen {
                export.formats.retain(|other| *other != format);
            } else if response.clicked() {
                export.formats.push(format);
            }
        }
        if is_each {
            ui.weak("one or several");
        }
        // The label names the whole row, and not one of its buttons.
        ui.response()
    });
}

fn size_ui(ui: &mut egui::Ui, export: &mut ExportDraft) {
    let help = "Sizes that are often wanted";
    let on_screen = Preset {
        name: "As on screen",
        help: "The size that the figure has in the window, at two pixels to a point",
        size: export.on_screen(export.kind),
        dpi: Settings::default().dpi,
        text: 1.0,
    };
    let is_one = export.what() == What::AsOne;
    let settings = &mut export.settings;
    labelled_ui(ui, "Size", help, None, |ui| {
        let on_screen = Some(on_screen).filter(|_| !is_one);
        for preset in on_screen.into_iter().chain(PRESETS) {
            let chosen =
                settings.size == preset.size && settings.dpi.to_bits() == preset.dpi.to_bits();
            let response = ui
                .selectable_label(chosen, preset.name)
                .on_hover_text(preset.help);
            if response.clicked() {
                (settings.size, settings.dpi) = (preset.size, preset.dpi);
                settings.text = preset.text;
            }
        }
        // The label names the whole row, and not one of its buttons.
        ui.response()
    });
    let help =
        "In millimetres on paper, in pixels, or in points as the window measures (96 to an inch)";
    let label = if is_one { "Width" } else { "Width × height" };
    labelled_ui(ui, label, help, None, |ui| {
        let decimals = usize::from(settings.size.unit == Unit::Mm);
        let drag = |value| {
            egui::DragValue::new(value)
                .range(1.0..=10_000.0)
                .max_decimals(decimals)
        };
        let width = ui.add(drag(&mut settings.size.width));
        if !is_one {
            ui.label("×");
            ui.add(drag(&mut settings.size.height))
                .on_hover_text("Height");
        }
        for unit in Unit::ALL {
            let chosen = settings.size.unit == unit;
            if ui.selectable_label(chosen, unit.sign()).clicked() && !chosen {
                settings.size = settings.size.to(unit, settings.dpi);
            }
        }
        if is_one {
            ui.weak("the height follows from the arrangement");
        }
        width
    });
    let help = "Pixels to an inch on paper: 300 for print, 192 for screens that show two pixels to a point. SVG \
                and PDF are as sharp at any size.";
    labelled_ui(ui, "Resolution", help, None, |ui| {
        let dpi = egui::DragValue::new(&mut settings.dpi)
            .range(48.0..=768.0)
            .max_decimals(0);
        let response = ui.add(dpi.suffix(" dpi"));
        let [width, height] = settings.pixels();
        ui.weak(if is_one {
            format!("{width} pixels wide")
        } else {
            format!("{width} × {height} pixels")
        });
        response
    });
    text_ui(ui, settings);
}

fn text_ui(ui: &mut egui::Ui, settings: &mut Settings) {
    let help = "Size of text and lines, in percent of that on screen (50 to 200): 75 makes text of 7 to 10 typographic \
                points, as papers use it. Smaller text leaves more room to the figure.";
    labelled_ui(ui, "Text size", help, None, |ui| {
        let mut percent = 100.0 * settings.text;
        let range = 100.0 * TEXT.start()..=100.0 * TEXT.end();
        let drag = egui::DragValue::new(&mut percent)
            .range(range)
            .max_decimals(0);
        let response = ui.add(drag.suffix(" %"));
        if response.changed() {
            settings.text = percent / 100.0;
        }
        response
    });
}

fn colours_ui(ui: &mut egui::Ui, settings: &mut Settings) {
    let help = "Colours of the figure, whatever the window uses";
    labelled_ui(ui, "Colours", help, None, |ui| {
        ui.selectable_value(&mut settings.dark, false, "Light");
        ui.selectable_value(&mut settings.dark, true, "Dark");
        ui.add_space(8.0);
        ui.checkbox(&mut settings.transparent, "No background")
            .on_hover_text("Leave out the background, so that the page shows through");
        ui.response()
    });
}

fn path_ui(ui: &mut egui::Ui, export: &mut ExportDraft, actions: &mut Vec<Action>) {
    let (label, purpose) = if export.what() == What::Each {
        ("Folder", Purpose::ExportFolder)
    } else {
        ("File", Purpose::ExportFile)
    };
    let help = "Where it is written; existing files of that name are replaced";
    labelled_ui(ui, label, help, None, |ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let choose = ui
                .button("Choose…")
                .on_hover_text("Pick the place in a dialog; or type it beside");
            let path = export.path();
            if choose.clicked() {
                let start = PathBuf::from(path.trim());
                actions.push(Action::Choose(purpose, start));
            }
            ui.add(egui::TextEdit::singleline(path).desired_width(f32::INFINITY))
        })
        .inner
    });
}

fn buttons_ui(
    ui: &mut egui::Ui,
    export: &ExportDraft,
    problem: Option<String>,
    path_problem: Option<String>,
    actions: &mut Vec<Action>,
) {
    let line = vec2(ui.available_width(), ui.spacing().interact_size.y);
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    ui.allocate_ui_with_layout(line, layout, |ui| {
        let why = problem.clone().or(path_problem);
        let write = ui
            .add_enabled(why.is_none(), egui::Button::new("Export"))
            .on_disabled_hover_text(why.unwrap_or_default());
        if write.clicked() {
            actions.push(Action::Export);
        }
        if ui.button("Cancel").clicked() {
            actions.push(Action::CancelExport);
        }
        if export.what() == What::Figure {
            copy_ui(ui, export, problem, actions);
        }
    });
}

fn copy_ui(
    ui: &mut egui::Ui,
    export: &ExportDraft,
    problem: Option<String>,
    actions: &mut Vec<Action>,
) {
    let (text, help) = if export.is_drawn() {
        ("Copy image", "Put the figure on the clipboard, as pixels")
    } else {
        (
            "Copy table",
            "Put the numbers on the clipboard, to paste into a spreadsheet",
        )
    };
    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
        let copy = ui
            .add_enabled(problem.is_none(), egui::Button::new(text))
            .on_hover_text(help)
            .on_disabled_hover_text(problem.unwrap_or_default());
        if copy.clicked() {
            actions.push(Action::CopyFigure);
        }
    });
}
