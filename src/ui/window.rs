//! The window itself: opening it, and saying in one sentence why it cannot be opened.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::signals::{self, Received, Signal};
use crate::text::one_line;
use crate::ui::app::{App, Options};
use crate::ui::frame_times::FrameTimes;
use crate::ui::state::words::panic_text;

/// The error of a window that could not be opened, or that closed unexpectedly.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// The window could not be opened.
    #[error(
        "no window can be opened here ({0}); everything works without one, too: see `crosscurrent train --help`"
    )]
    Open(String),
    /// The window was open, and then the window system or the program failed.
    #[error(
        "the window closed unexpectedly ({0}); everything recorded is kept, see `crosscurrent resume --help`"
    )]
    Lost(String),
}

/// Opens the window and returns when it is closed. It shows `runs`; if that list is empty, the runs that were open
/// last; if there are none, the sample runs. With `frame_times` it then prints how long its frames took. Gives the
/// signal that closed the window, if one did.
///
/// # Errors
/// Fails if there is no display or no OpenGL, if a library that the window system needs is missing, or if the window
/// system or the program fails while the window is open.
pub fn open(runs: Vec<PathBuf>, frame_times: bool) -> Result<Option<Signal>, WindowError> {
    // winit panics if it finds no library to read the keyboard with. The error below says more than the report of that
    // panic.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let was_open = Cell::new(false);
    let result = catch_unwind(AssertUnwindSafe(|| run(runs, frame_times, hook, &was_open)));
    let reason = match result {
        Ok(Ok(received)) => return Ok(received.first()),
        Ok(Err(error)) => reason_of_error(&error),
        Err(panic) => reason_of_panic(panic.as_ref()),
    };
    if was_open.get() {
        Err(WindowError::Lost(reason))
    } else {
        drop(std::panic::take_hook());
        Err(WindowError::Open(reason))
    }
}

type Hook = Box<dyn Fn(&std::panic::PanicHookInfo<'_>) + Sync + Send + 'static>;

/// Runs the window until it is closed. `hook` is put back once the window exists: from then on a panic is a fault of
/// the program and is reported as such.
fn run(
    runs: Vec<PathBuf>,
    frame_times: bool,
    hook: Hook,
    was_open: &Cell<bool>,
) -> eframe::Result<Received> {
    let icon = eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png"));
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("Crosscurrent")
        .with_app_id("crosscurrent")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([800.0, 560.0]);
    if let Ok(icon) = icon {
        viewport = viewport.with_icon(icon);
    }
    let app = App::new(Options::of_window(runs, sample_runs()));
    let close = app.closer();
    let received = signals::watch(move |signal| close(signal.reason()));
    let settings = app.settings().clone();
    if let Some(size) = settings.window {
        viewport = viewport.with_inner_size(size);
    }
    let options = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        centered: true,
        dithering: false,
        ..Default::default()
    };
    eframe::run_native(
        "Crosscurrent",
        options,
        Box::new(move |context| {
            std::panic::set_hook(hook);
            was_open.set(true);
            crate::figure::style::install(&context.egui_ctx);
            let theme = settings.light.map(|light| match light {
                true => egui::Theme::Light,
                false => egui::Theme::Dark,
            });
            theme
                .into_iter()
                .for_each(|theme| context.egui_ctx.set_theme(theme));
            context
                .egui_ctx
                .set_zoom_factor(settings.zoom.unwrap_or(1.0).clamp(0.5, 3.0));
            let frame_times = frame_times.then(FrameTimes::default);
            Ok(Box::new(Window { app, frame_times }))
        }),
    )?;
    Ok(received)
}

struct Window {
    app: App,
    /// The times of frames, if the user asked for them.
    frame_times: Option<FrameTimes>,
}

impl eframe::App for Window {
    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn raw_input_hook(&mut self, _ctx: &egui::Context, input: &mut egui::RawInput) {
        if let Some(times) = &mut self.frame_times {
            times.frame_begins(!input.events.is_empty(), self.app.is_training());
        }
    }

    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        if let Some(secs) = frame.info().cpu_usage {
            let time = Duration::from_secs_f32(secs);
            self.app.frame_took(time);
            if let Some(times) = &mut self.frame_times {
                times.frame_before_took(time);
            }
        }
        self.app.logic(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.app.ui(ui);
        if let Some(times) = &mut self.frame_times {
            times.frame_is_seen(self.app.page().title());
        }
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.app.save_settings();
        if let Some(times) = &self.frame_times {
            println!("{times}");
        }
    }
}

/// The recorded runs that come with the program: in the working directory, beside the executable, where a package puts
/// them, or in the source tree that the program was built from. Empty if none of these directories holds a run.
fn sample_runs() -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok();
    let beside = beside.as_deref().and_then(Path::parent);
    let above = beside.and_then(Path::parent);
    let places = [
        Some(PathBuf::from("sample_runs")),
        beside.map(|dir| dir.join("sample_runs")),
        // A package of Linux, and a bundle of macOS.
        above.map(|dir| dir.join("share/crosscurrent/sample_runs")),
        above.map(|dir| dir.join("Resources/sample_runs")),
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_runs")),
    ];
    let places = places.into_iter().flatten();
    places
        .map(|dir| crate::run::log::runs_in(&dir))
        .find(|runs| !runs.is_empty())
        .unwrap_or_default()
}

/// The last part of the error's text: the parts before it are places in the source code of libraries.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other errors of eframe are about OpenGL"
)]
fn reason_of_error(error: &eframe::Error) -> String {
    let text = one_line(&error.to_string());
    let last = text
        .rsplit(": ")
        .next()
        .unwrap_or(&text)
        .trim_end_matches('.');
    match error {
        eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => format!("no display: {last}"),
        eframe::Error::AppCreation(_) => text,
        _ => format!("no OpenGL: {last}"),
    }
}

fn reason_of_panic(panic: &(dyn Any + Send)) -> String {
    let text = panic_text(panic);
    if text.contains("xkbcommon") {
        "the library libxkbcommon-x11 is missing; install it, such as the Debian package libxkbcommon-x11-0".to_owned()
    } else {
        one_line(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_baseline_of_the_sample_runs_comes_before_its_other() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        std::fs::create_dir(dir.path().join("notes"))?;
        let sorted = [
            "cifar-none",
            "cifar-branch",
            "solar-baseline",
            "solar-attention",
        ];
        for name in sorted.iter().rev() {
            std::fs::create_dir(dir.path().join(name))?;
            std::fs::write(dir.path().join(name).join("events.jsonl"), "")?;
        }
        let runs = crate::run::log::runs_in(dir.path());
        let names: Vec<_> = runs.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, sorted);
        assert!(crate::run::log::runs_in(&dir.path().join("absent")).is_empty());
        Ok(())
    }

    #[test]
    fn a_missing_library_is_named() {
        let panic: Box<dyn Any + Send> =
            Box::new("Library libxkbcommon-x11.so could not be loaded.");
        let error = WindowError::Open(reason_of_panic(panic.as_ref())).to_string();
        assert!(
            error.contains("libxkbcommon-x11-0") && error.contains("crosscurrent train --help")
        );
    }
}
