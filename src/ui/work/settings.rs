//! Finds, reads and writes the file with the window's settings.

use std::path::{Path, PathBuf};

use crate::run::log::write_whole;
use crate::ui::state::settings::Settings;

/// The path of the file, in the user's folder for settings. `None` if the system has no such folder.
pub(crate) fn usual_path() -> Option<PathBuf> {
    Some(dirs::config_dir()?.join("crosscurrent/settings.json"))
}

impl Settings {
    /// Reads the file; without a file, gives the defaults. A damaged file is set aside under another name, which the
    /// returned sentence tells.
    pub(crate) fn load(path: &Path) -> (Self, Option<String>) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return (Self::default(), None);
            }
            Err(error) => return (Self::default(), Some(unreadable(path, &error))),
        };
        match serde_json::from_str::<Self>(&text) {
            Ok(mut settings) => {
                settings.place.figure.step = None;
                (settings, None)
            }
            Err(error) => {
                let aside = path.with_extension("damaged.json");
                let sentence = match std::fs::rename(path, &aside) {
                    Ok(()) => format!(
                        "The settings could not be read ({error}) and start anew; the file was set aside as {}",
                        aside.display()
                    ),
                    Err(_) => unreadable(path, &error),
                };
                (Self::default(), Some(sentence))
            }
        }
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// Gives a sentence that says why the file was not written.
    pub(crate) fn save(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        write_whole(path, &text).map_err(|error| error.to_string())
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("The settings are not kept: {error}: {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Scope;
    use crate::ui::state::queue::Job;
    use crate::ui::state::queue::{End, Queue};

    #[test]
    fn saved_settings_are_read_again() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("new/settings.json");
        assert_eq!(Settings::load(&path), (Settings::default(), None));
        let mut settings = Settings {
            light: Some(true),
            window: Some([1000.0, 700.0]),
            ..Settings::default()
        };
        settings.place.figure.scope = Scope::Layer("stem.conv1".to_owned());
        let jobs = vec![
            Job::Resume {
                dir: PathBuf::from("stopped"),
            },
            Job::Train {
                dir: PathBuf::from("new"),
                config: Box::default(),
            },
        ];
        let queue = Queue::default();
        queue.add(jobs, End::Back);
        settings.queue = queue.waiting();
        settings.folders = vec![PathBuf::from("/data/runs")];
        settings.save(&path).map_err(anyhow::Error::msg)?;
        assert_eq!(Settings::load(&path), (settings, None));
        Ok(())
    }

    #[test]
    fn a_damaged_file_is_set_aside() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("settings.json");
        for damaged in [
            "",
            "{\"light\":",
            "[1,2]",
            "{\"light\": \"perhaps\"}",
            "\u{0}",
        ] {
            std::fs::write(&path, damaged)?;
            let (settings, sentence) = Settings::load(&path);
            assert_eq!(settings, Settings::default());
            assert!(sentence.is_some_and(|sentence| sentence.contains("set aside")));
            assert!(!path.exists());
            let aside = dir.path().join("settings.damaged.json");
            assert_eq!(std::fs::read_to_string(aside)?, damaged);
        }
        Ok(())
    }

    #[test]
    fn fields_of_other_versions_do_no_harm() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("settings.json");
        std::fs::write(&path, "{\"light\": false, \"later\": 7}")?;
        let (settings, sentence) = Settings::load(&path);
        assert_eq!((settings.light, sentence), (Some(false), None));
        Ok(())
    }
}
