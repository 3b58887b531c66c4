//! Exports figures.

use super::App;
use crate::figure::Kind;
use crate::ui::state::export_draft::ExportDraft;
use crate::ui::state::runs::RunId;
use crate::ui::work::{Export, Exported, Made, copy_job, write_job};

impl App {
    pub(super) fn ask_export(
        &mut self,
        kind: Kind,
        id: RunId,
        sizes: &[(Kind, egui::Vec2)],
        theme: egui::Theme,
    ) {
        if let Some(entry) = self.state.runs.get(id) {
            let run = (id, entry.name.as_str());
            let draft = ExportDraft::new(kind, run, self.state.view.page, sizes);
            let draft = draft.like(&self.settings.export, theme);
            self.state.export = Some(draft.among(self.state.view.compared(&self.state.runs)));
        }
    }

    pub(super) fn write_export(&mut self, theme: egui::Theme) {
        let Some(export) = self.state.export.take() else {
            return;
        };
        self.settings.export = export.habit(theme);
        let job = write_job(&export, &self.state.runs, &self.state.view);
        self.run_export(job);
    }

    pub(super) fn copy_figure(&mut self, theme: egui::Theme) {
        let Some(export) = self.state.export.take() else {
            return;
        };
        self.settings.export = export.habit(theme);
        let job = copy_job(&export, &self.state.runs, &self.state.view);
        self.run_export(job);
    }

    fn run_export(&mut self, job: Result<Export, String>) {
        match job {
            Ok(export) => self.background.export(export),
            Err(sentence) => self.tell(sentence, true),
        }
    }

    pub(super) fn exported(&mut self, exported: Exported) {
        let text = match exported.made {
            Made::File(path) => {
                let path = std::path::absolute(&path).unwrap_or(path);
                format!("Exported to {}", path.display())
            }
            Made::Folder(path, count) => {
                format!("Exported {count} files to {}", path.display())
            }
            Made::Image(image) => {
                self.copied = Some(egui::OutputCommand::CopyImage(image));
                "The figure is on the clipboard".to_owned()
            }
            Made::Table(table) => {
                self.copied = Some(egui::OutputCommand::CopyText(table));
                "The table is on the clipboard".to_owned()
            }
        };
        let replaced = match exported.replaced {
            0 => String::new(),
            1 => ", in place of an earlier file".to_owned(),
            n => format!(", in place of {n} earlier files"),
        };
        let unread = exported.unread.as_ref();
        let lacks =
            unread.map(|reason| format!("; cells are empty where probes are not read: {reason}"));
        let text = format!("{text}{replaced}{}", lacks.unwrap_or_default());
        self.tell(text, exported.unread.is_some());
    }
}
