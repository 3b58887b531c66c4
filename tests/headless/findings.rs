//! The command `findings` on a recorded run, and on a copy in which one class is never recognised.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::Value;

/// The output of `crosscurrent findings`.
fn findings(arguments: &[&Path], json: bool) -> Result<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosscurrent"));
    command.arg("findings").args(arguments);
    if json {
        command.arg("--json");
    }
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn a_class_that_is_never_recognised_comes_first_and_is_put_down_to_its_run() -> Result<()> {
    let root = tempfile::tempdir()?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    let worse = root.path().join("worse");
    std::fs::create_dir_all(worse.join("probes"))?;
    for file in std::fs::read_dir(sample.join("probes"))? {
        let file = file?;
        std::fs::copy(file.path(), worse.join("probes").join(file.file_name()))?;
    }
    // In the copy, the F1 of the rarest class, Physical-damage, is 0 in every evaluation.
    let mut lines = Vec::new();
    for line in std::fs::read_to_string(sample.join("events.jsonl"))?.lines() {
        let mut event: Value = serde_json::from_str(line)?;
        if event["event"] == "eval" {
            event["f1"][4] = Value::from(0.0);
        }
        lines.push(event.to_string());
    }
    std::fs::write(worse.join("events.jsonl"), lines.join("\n") + "\n")?;

    let sentence = "Physical-damage is never recognised (F1 0, recall below 21 %)";
    let text = findings(&[&worse], false)?;
    assert!(text.starts_with(sentence), "{text}");
    let all: Vec<Value> = serde_json::from_str(&findings(&[&worse], true)?)?;
    assert_eq!(all[0]["kind"], "score");
    assert_eq!(all[0]["evidence"]["class"], 4);
    // Where two runs are compared, each finding names its run.
    let both = [sample.as_path(), Path::new("--against"), worse.as_path()];
    let text = findings(&both, false)?;
    assert!(
        text.contains(&format!("{}: {sentence}", worse.display())),
        "{text}"
    );
    assert!(
        !text.contains(&format!("{}: {sentence}", sample.display())),
        "{text}"
    );
    Ok(())
}
