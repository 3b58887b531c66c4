//! Runs of a server in the window: opened by their address, followed while they are trained, and again after the server was
//! gone.

use super::runs_page::wait;
use super::*;
#[path = "../sshd/mod.rs"]
mod sshd;
use sshd::Server;

/// Runs frames until something is so.
fn wait_until(
    window: &mut Window,
    what: &str,
    is_so: impl Fn(&Window) -> bool,
) -> anyhow::Result<()> {
    let patience = std::time::Instant::now() + 3 * PATIENCE;
    while !is_so(window) {
        ensure!(std::time::Instant::now() < patience, "{what}");
        wait(window, 2.5);
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[test]
fn a_run_of_a_server_is_followed_and_found_again() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    let mut server = match Server::start(root.path())? {
        Ok(server) => server,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(());
        }
    };
    let dir = root.path().join("home/runs/far");
    let mut events = SHORT.events().into_iter();
    let mut writer = Writer::create(&dir)?;
    for event in events.by_ref().take(6) {
        SHORT.write_event(&mut writer, &dir, &event)?;
    }
    let options = |runs: &[&str]| Options {
        runs: runs.iter().map(std::path::PathBuf::from).collect(),
        output: root.path().join("new"),
        settings: Some(root.path().join("settings.json")),
        ssh: server.ssh(),
        ..Options::default()
    };
    let (here, again) = (options(&["ssh://server/~/runs"]), options(&[]));
    let mut window = window(here);
    wait_until(&mut window, "it is opened", |window| {
        has(window, "running elsewhere")
    })?;

    // The server is gone, and comes back with more steps and the end.
    server.stop();
    wait_until(&mut window, "it is said", |window| {
        has(window, "as they were copied last")
    })?;
    ensure!(has(&window, "far"), "the run is still shown");
    for event in events {
        SHORT.write_event(&mut writer, &dir, &event)?;
    }
    drop(writer);
    server.start_again()?;
    wait_until(&mut window, "it is followed again", |window| {
        !has(window, "as they were copied last") && !has(window, "running elsewhere")
    })?;
    ensure!(summary(&window).is_some(), "its probes are there");

    // The next window opens it again, also without the server.
    wait(&mut window, 2.5);
    drop(window);
    server.stop();
    let window = super::window(again);
    ensure!(has(&window, "far") && summary(&window).is_some());
    Ok(())
}

/// The list says where a run of a server is, and a server whose runs are all closed is left alone.
#[test]
fn nothing_is_copied_any_more_once_the_runs_of_a_server_are_closed() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    let server = match Server::start(root.path())? {
        Ok(server) => server,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(());
        }
    };
    for name in ["far", "farther"] {
        let dir = root.path().join("home/runs").join(name);
        let mut writer = Writer::create(&dir)?;
        for event in SHORT.events() {
            SHORT.write_event(&mut writer, &dir, &event)?;
        }
    }
    let mut window = window(Options {
        runs: vec!["ssh://server/~/runs".into()],
        ssh: server.ssh(),
        ..Options::default()
    });
    wait_until(&mut window, "both are opened", |window| {
        window.query_by_label("Remove far").is_some()
            && window.query_by_label("Remove farther").is_some()
            && summary(window).is_some()
    })?;
    window
        .get_all_by_label("farther")
        .for_each(|name| name.hover());
    wait_until(&mut window, "its address is shown", |window| {
        has(window, "ssh://server/~/runs/farther")
    })?;
    click(&mut window, "Remove far");
    settle(&mut window);
    ensure!(server.is_in_use(), "the other one is followed");
    click(&mut window, "Remove farther");
    wait_until(&mut window, "the connection is closed", |_| {
        !server.is_in_use()
    })
}

#[test]
fn an_address_that_leads_nowhere_is_answered_with_a_sentence() -> anyhow::Result<()> {
    let mut window = window(Options {
        ssh: crosscurrent::remote::Ssh {
            program: "/nonexistent/ssh".into(),
            ..Default::default()
        },
        ..Options::default()
    });
    for (text, said) in [
        ("ssh://h/runs", "cannot start"),
        ("ssh://-x/runs", "ssh://host/folder"),
    ] {
        type_path(&mut window, "Path of a run to open", Path::new(text));
        window.get_by_label("Path of a run to open").focus();
        window.key_press(egui::Key::Enter);
        settle(&mut window);
        ensure!(
            has(&window, said) || has(&window, &said.replacen('c', "C", 1)),
            "{said}"
        );
    }
    Ok(())
}
