//! Does the actions that the user asked for while the window was drawn.

use super::App;
use crate::ui::state::action::Action;
use crate::ui::state::command_palette::Palette;
use crate::ui::state::place::Page;

impl App {
    /// Does an action, and notes the place that was looked at before it, so that the user can go back there.
    pub(super) fn apply(&mut self, action: Action, ctx: &egui::Context) {
        ctx.request_repaint();
        let before = self.state.view.clone();
        let is_way = matches!(action, Action::Back | Action::Forward);
        self.act(action, ctx);
        self.agree_on_classes();
        if !is_way {
            self.state.history.moved(before, &self.state.view);
        }
    }

    fn act(&mut self, action: Action, ctx: &egui::Context) {
        match action {
            Action::Back => {
                let place = self.state.history.back(&self.state.view);
                self.state.view = place.unwrap_or_else(|| self.state.view.clone());
            }
            Action::Forward => {
                let place = self.state.history.forward(&self.state.view);
                self.state.view = place.unwrap_or_else(|| self.state.view.clone());
            }
            Action::TogglePalette => {
                self.state.palette = match self.state.palette {
                    Some(_) => None,
                    None => Some(Palette::default()),
                };
            }
            Action::SetTime(axis) => self.state.view.figure.time = axis,
            Action::Start => self.start(),
            Action::SkipAndTrain => self.skip_and_train(),
            Action::Pause => self.pause(true),
            Action::Resume => self.pause(false),
            Action::Stop => self.stop(),
            Action::Continue(id) => self.resume_run(id),
            Action::ContinueDir(dir) => self.continue_dir(dir),
            Action::Fork(dir, config, at) => self.fork(dir, config, at),
            Action::SetUp(id, settings) => self.set_up(id, &settings),
            Action::GoOn => self.go_on(),
            Action::ShiftJob(id, by) => self.state.queue.shift(id, by),
            Action::CancelJob(id) => self.state.queue.cancel(id),
            Action::Open(path) => self.open_path(&path),
            Action::OpenAll(dirs) => self.open_others(dirs),
            Action::CompareAll(dirs) => self.compare_all(dirs),
            Action::ShowDir(dir, right) => self.show_dir(dir, right),
            Action::AddFolder(dir) => self.add_folder(dir),
            Action::ForgetFolder(dir) => self.forget_folder(&dir),
            Action::SaveNotes(dir, notes) => self.background.save_notes(dir, notes),
            Action::Reveal(dir) => self.background.reveal(dir),
            Action::AskTrash(dir) => {
                // The dialog that asks for confirmation is part of the page of runs.
                self.state.view.page = Page::Runs;
                self.state.browser.to_trash = Some(dir);
            }
            Action::Trash(dir) => self.discard(dir),
            Action::Remove(id) => self.remove(id),
            Action::ShowLeft(id) => self.show_left(id),
            Action::ShowRight(id) => self.show_right(id),
            Action::SideBySide(on) => self.show_side_by_side(on),
            Action::Pick(pick) => self.pick(pick),
            Action::OrderBySimilarity => self.order_by_similarity(),
            Action::LockScales(on) => self.lock_scales(on, ctx),
            Action::ShowEvidence(id, page, evidence) => self.show_evidence(id, page, evidence),
            Action::CompareTo(run) => self.state.view.compare.baseline = Some(run),
            Action::Compare(run) => self.state.view.compare.other = Some(run),
            Action::Show(page) => self.state.view.page = page,
            Action::GoTo(step) => self.state.view.figure.step = step,
            Action::StepBy(count) => self.step_by(count),
            Action::SetTheme(theme) => ctx.set_theme(theme),
            Action::Choose(purpose, start) => self.background.choose(purpose, &start),
            Action::AskExport(kind, id, sizes) => self.ask_export(kind, id, &sizes, ctx.theme()),
            Action::Export => self.write_export(ctx.theme()),
            Action::CopyFigure => self.copy_figure(ctx.theme()),
            Action::CancelExport => self.state.export = None,
            Action::HideImages => self.state.view.figure.confused = None,
            Action::NoClass => self.state.view.figure.class = None,
            Action::ClearSelection => self.clear_selection(),
            Action::ShowCurves => self.state.view.figure.hidden.clear(),
            Action::ExplainFigure(kind) => self.state.explained = kind,
            Action::ToggleKeyboard => self.state.is_keyboard_open = !self.state.is_keyboard_open,
            Action::EndFirstRun => {
                self.state.is_first_run = false;
                self.settings.knows_first_steps = true;
            }
            Action::Dismiss => {
                self.state.notice = None;
                self.state.failed.clear();
            }
        }
    }
}
