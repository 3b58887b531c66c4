//! Runs whose probes do not fit into memory.

use anyhow::{Context as _, Result, ensure};
use crosscurrent::ui::Page;

use super::{click, drop_on, export_command, has, settle, two_runs, type_path, window};

/// With memory for next to no probe, figures over time are complete all the same. Their exports equal those of the
/// command line, which reads every file.
#[test]
fn figures_over_time_are_complete_if_memory_is_short() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let mut options = two_runs(parent.path())?;
    options.runs.truncate(1);
    options.probe_memory = 1;
    let run = parent.path().join("baseline");
    let run = run.to_str().context("path")?;
    let mut window = window(options);
    window.state_mut().show(Page::Class);
    window.state_mut().figure_view().pair = Some((1, 4));
    settle(&mut window);
    ensure!(has(&window, "Class influence over time"));
    ensure!(!has(&window, "probes are read."), "a hole");
    for (title, figure) in [
        ("Selected pair over time", "pair-cosine"),
        ("Class influence over time", "ledger-time"),
        ("Class influence by layer and time", "ledger-depth"),
        ("What-if: class weights and gradient surgery", "what-if"),
    ] {
        for format in ["CSV", "PNG"] {
            let name = format!("{figure}.{}", format.to_lowercase());
            click(&mut window, &format!("Export… {title}, baseline"));
            click(&mut window, format);
            if format == "PNG" {
                click(&mut window, "Single column");
            }
            let file = parent.path().join(&name);
            type_path(&mut window, "File", &file);
            click(&mut window, "Export");
            ensure!(has(&window, "Exported to"), "{name}");
            click(&mut window, "Dismiss");
            let command = parent.path().join("command").join(&name);
            let size = "--size 85mmx64mm --dpi 300 --text 75 --dark --pair 1 4 --figure";
            let arguments: Vec<_> = [run].into_iter().chain(size.split(' ')).collect();
            export_command(&[&arguments[..], &[figure]].concat(), &command)?;
            let bytes = std::fs::read(&file)?;
            ensure!(bytes.len() > 300, "{name} has {} bytes", bytes.len());
            ensure!(bytes == std::fs::read(&command)?, "{name} is another");
        }
    }
    Ok(())
}

/// What figures keep of a run is forgotten when the run is closed.
#[test]
fn closed_runs_leave_no_values_behind() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(two_runs(parent.path())?);
    let look = |window: &mut super::Window| {
        for page in Page::ALL {
            window.state_mut().show(*page);
            settle(window);
        }
        crosscurrent::figure::count_kept(&window.ctx)
    };
    let first = look(&mut window);
    ensure!(first > 10, "{first}");
    for _ in 0..3 {
        click(&mut window, "Remove baseline");
        drop_on(&mut window, &parent.path().join("baseline"));
        settle(&mut window);
        let again = look(&mut window);
        ensure!(again <= first, "{again} values after {first}");
    }
    Ok(())
}
