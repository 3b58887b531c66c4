//! Runs on a server: a server on this machine, started for the test, whose runs are listed, exported and followed, and what
//! is said where it cannot be reached or names files that are none of a run.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use crosscurrent::config::RunConfig;
use crosscurrent::remote::{Address, Mirror, Ssh};
use crosscurrent::run::glance::Glance;
use crosscurrent::run::log;
use crosscurrent::run::notes::Notes;

use crate::common::{config, images, train};
use crate::recorder::as_recorded;
#[path = "../sshd/mod.rs"]
mod sshd;
use sshd::{HOSTS, Server};

/// A server with the runs `a b/one` and `two`; `None`, with the reason printed, where there can be none.
fn server(root: &Path) -> Result<Option<Server>> {
    let server = match Server::start(root)? {
        Ok(server) => server,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(None);
        }
    };
    images(&root.join("data"))?;
    let short = RunConfig {
        epochs: 2,
        ..config(&root.join("data"))
    };
    let runs = root.join("home/runs");
    train(&runs.join("a b/one"), &short)?;
    train(&runs.join("two"), &RunConfig { seed: 1, ..short })?;
    Ok(Some(server))
}

fn crosscurrent(server: &Server, arguments: &[&str]) -> Result<Output> {
    let mut command = server.command(env!("CARGO_BIN_EXE_crosscurrent"));
    Ok(command.args(arguments).output()?)
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Every file below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files(&path),
            path => vec![path],
        })
        .collect();
    found.sort();
    found
}

#[test]
fn runs_of_a_server_are_listed_and_exported() -> Result<()> {
    let root = tempfile::tempdir()?;
    let Some(server) = server(root.path())? else {
        return Ok(());
    };
    let at = server.root.as_path();
    let all = crosscurrent(&server, &["summary", "ssh://server/~/runs"])?;
    let text = said(&all);
    assert!(all.status.success(), "{text}");
    assert!(text.contains("one") && text.contains("two"), "{text}");
    assert_eq!(text.matches("finished").count(), 2, "{text}");
    let copied = files(&at.join("cache"));
    let is_tensor = |path: &&PathBuf| path.extension().is_some_and(|end| end == "safetensors");
    assert_eq!(
        copied.iter().find(is_tensor),
        None,
        "a table takes logs alone"
    );

    // But for a recorded run, whose log alone does not tell its interference.
    let recorded = at.join("home/recorded/three");
    fs::create_dir_all(recorded.join("probes"))?;
    let two = at.join("home/runs/two");
    for file in files(&two.join("probes")) {
        let name = file.strip_prefix(&two)?.to_owned();
        fs::copy(&file, recorded.join(name))?;
    }
    fs::copy(log::events_path(&two), log::events_path(&recorded))?;
    as_recorded(&recorded)?;
    let [far, near] = ["ssh://server/~/recorded", "home/recorded/three"];
    let [far, near] = [far, near].map(|run| crosscurrent(&server, &["summary", "--json", run]));
    // The run of the server lies elsewhere here.
    let but_path = |text: String| {
        let lines = text.lines().filter(|line| !line.contains("\"path\""));
        lines.collect::<Vec<_>>().join("\n")
    };
    let (far, near) = (but_path(said(&far?)), but_path(said(&near?)));
    assert!(!far.contains("left out"), "{far}");
    assert_eq!(far, near);

    // The same figure as from the run itself; the address of a run is that of its directory.
    let one = format!("ssh://server{}", at.join("home/runs/a b/one").display());
    for (run, out) in [(one.as_str(), "far.svg"), ("home/runs/a b/one", "near.svg")] {
        let arguments = ["export", run, "--figure", "conflict-matrix", "--out", out];
        let exported = crosscurrent(&server, &arguments)?;
        assert!(exported.status.success(), "{}", said(&exported));
    }
    assert_eq!(
        fs::read(at.join("far.svg"))?,
        fs::read(at.join("near.svg"))?
    );
    let found = [
        crosscurrent(&server, &["findings", &one])?,
        crosscurrent(&server, &["findings", "home/runs/a b/one"])?,
    ];
    assert_eq!(said(&found[0]), said(&found[1]));
    let copied = files(&at.join("cache"));
    assert!(copied.iter().any(|path| path.ends_with("data.safetensors")));
    assert!(
        !copied.iter().any(|path| path.ends_with("last.safetensors")),
        "no checkpoints"
    );

    let compared = crosscurrent(
        &server,
        &["compare", "ssh://server/~/runs", "home/runs/two"],
    )?;
    assert!(said(&compared).contains("one"), "{}", said(&compared));
    for command in ["resume", "fork", "verify"] {
        let refused = crosscurrent(&server, &[command, &one])?;
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(
            said(&refused).contains("run this command there"),
            "{}",
            said(&refused)
        );
    }

    // A run that is gone is gone from the copy, too.
    fs::remove_dir_all(at.join("home/runs/two"))?;
    let rest = crosscurrent(&server, &["summary", "ssh://server/~/runs"])?;
    assert!(!said(&rest).contains("two"), "{}", said(&rest));
    let none = crosscurrent(&server, &["summary", "ssh://server/~/nothing"])?;
    assert_eq!(none.status.code(), Some(1));
    assert!(
        said(&none).contains("cannot read the folder"),
        "{}",
        said(&none)
    );
    Ok(())
}

/// A run of 400 steps in training; it is ended with the value.
struct Training(std::process::Child);

impl Training {
    fn start(server: &Server) -> Result<Self> {
        let config = RunConfig {
            epochs: 100,
            eval_every: Some(4),
            probe_every: Some(40),
            threads: Some(1),
            ..config(&server.root.join("data"))
        };
        fs::write(server.root.join("run.toml"), toml::to_string(&config)?)?;
        let mut command = server.command(env!("CARGO_BIN_EXE_crosscurrent"));
        let command = command
            .args(["train", "--config", "run.toml", "--out", "home/runs/live"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let mut kill = Command::new("kill");
        let status = kill.arg(signal).arg(self.0.id().to_string()).status()?;
        ensure!(status.success(), "kill {signal}");
        Ok(())
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !is_so()? {
        ensure!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

#[test]
fn a_run_in_training_is_followed_to_its_end() -> Result<()> {
    let root = tempfile::tempdir()?;
    let Some(mut server) = server(root.path())? else {
        return Ok(());
    };
    let address = Address::parse("ssh://server/~/runs")?;
    let mut mirror = Mirror::open(&address, &server.ssh())?;
    let live = mirror.dir().join("live");
    let mut training = Training::start(&server)?;
    let original = server.root.join("home/runs/live");
    // It is halted until it has been found: the server looks for new runs every ten seconds.
    wait_until("the run has begun", || Ok(Glance::read(&original).is_ok()))?;
    training.signal("-STOP")?;
    // The lock of its log is held here, too.
    wait_until("the run appears as one in training", || {
        let is_listed = mirror.update(&|dir| dir == live)?.runs.contains(&live);
        Ok(is_listed && Glance::read(&live).is_ok_and(|glance| glance.running))
    })?;
    let first = Glance::read(&live)?;
    training.signal("-CONT")?;
    wait_until("the run goes on", || {
        mirror.update(&|dir| dir == live)?;
        Ok(Glance::read(&live)?.step > first.step)
    })?;
    // Whatever the log names has been copied before.
    for probe in log::load(&live)?.run.probes {
        assert!(live.join(&probe.file).is_file(), "{}", probe.file);
    }
    training.0.wait()?;
    let round = mirror.update(&|dir| dir == live)?;
    assert_eq!(round.problems, Vec::<String>::new());
    let end = Glance::read(&live)?;
    assert!(!end.running && end.ending.is_some());
    for path in files(&original) {
        let below = path.strip_prefix(&original)?;
        if !below.starts_with("checkpoints") {
            assert_eq!(
                fs::read(&path)?,
                fs::read(live.join(below))?,
                "{}",
                below.display()
            );
        }
    }

    // A log that was replaced is copied anew, and notes are copied when they change.
    fs::copy(
        server.root.join("home/runs/two/events.jsonl"),
        original.join("events.jsonl"),
    )?;
    let notes = Notes {
        name: "mine".to_owned(),
        ..Notes::default()
    };
    notes.save(&original)?;
    mirror.update(&|dir| dir == live)?;
    assert_eq!(
        fs::read(live.join("events.jsonl"))?,
        fs::read(original.join("events.jsonl"))?
    );
    assert_eq!(Notes::load(&live)?, notes);
    let refused = Notes::default().save(&live).unwrap_err().to_string();
    assert!(refused.contains("ssh://server/~/runs/live"), "{refused}");
    let resumed = crosscurrent(&server, &["resume", &live.display().to_string()])?;
    assert!(
        said(&resumed).contains("copy of a run on another machine"),
        "{}",
        said(&resumed)
    );

    server.stop();
    let ended = mirror.update(&|_| false).unwrap_err().to_string();
    assert!(ended.contains("server"), "{ended}");
    Ok(())
}

#[test]
fn what_keeps_a_server_from_being_read_is_said_in_a_sentence() -> Result<()> {
    let root = tempfile::tempdir()?;
    let Some(server) = server(root.path())? else {
        return Ok(());
    };
    let try_at = |host: &str| -> Result<String> {
        let output = crosscurrent(&server, &["summary", &format!("ssh://{host}/~/runs")])?;
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        Ok(text)
    };
    for (host, words) in HOSTS.iter().zip([
        "",
        "ssh-add",
        "the key of changed is not known here or has changed",
        "nobody cannot be reached",
    ]) {
        if !words.is_empty() {
            let text = try_at(host)?;
            assert!(text.contains(words), "{text}");
        }
    }
    let program = server.root.join("bin/crosscurrent");
    fs::remove_file(&program)?;
    let text = try_at("server")?;
    assert!(
        text.contains("crosscurrent is not found on server"),
        "{text}"
    );
    for (script, words) in [
        ("echo crosscurrent share 99 9.9.9", "is newer than this one"),
        (
            "echo \"error: unrecognized subcommand 'share'\" >&2; exit 2",
            "is older than this one",
        ),
        ("echo hello", "the connection to server ended"),
        (
            "echo crosscurrent share 1 0.1.0; read -r request; echo nonsense",
            "is not understood",
        ),
    ] {
        fs::write(&program, format!("#!/bin/sh\n{script}\n"))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        let text = try_at("server")?;
        assert!(text.contains(words), "{script}: {text}");
    }
    let wrong = crosscurrent(&server, &["summary", "ssh://-oProxyCommand=touch/x"])?;
    assert_eq!(wrong.status.code(), Some(2), "{}", said(&wrong));
    Ok(())
}

/// A server that names files outside a run, and sends more than it was asked for.
#[test]
fn a_hostile_server_writes_nothing_outside_the_copy() -> Result<()> {
    let root = tempfile::tempdir()?;
    let Some(server) = server(root.path())? else {
        return Ok(());
    };
    let ssh = |name: &str, answers: &[&str]| -> Result<Ssh> {
        let script = server.root.join("bin").join(name);
        let mut text = "#!/bin/sh\necho crosscurrent share 1 0.1.0\n".to_owned();
        for answer in answers {
            text += &format!("read -r request\nprintf '%b' '{answer}'\n");
        }
        fs::write(&script, text + "cat >/dev/null\n")?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        Ok(Ssh {
            remote: Some(script.display().to_string()),
            ..server.ssh()
        })
    };
    let address = Address::parse("ssh://server/~/hostile")?;
    let opened = "\"opened\"\\n";
    let file = |path: &str| format!("{{\"path\":\"{path}\",\"bytes\":4,\"changed\":0}}");
    let run = |path: &str| format!("{{\"path\":\"{path}\",\"log\":4,\"running\":false}}");
    let bytes = "{\"bytes\":{\"length\":4,\"changed\":0}}\\nevil";
    let runs = ["../out", "/tmp/out", "a/../../out", "ok", ".ssh"]
        .map(run)
        .join(",");
    let names = [
        "../../out",
        "/etc/out",
        "mirror.json",
        "probes/../../out",
        "probes/1.safetensors",
    ];
    let names = names.map(file).join(",");
    let before = files(&server.root.join("home"));
    let answers = [
        opened,
        &format!("{{\"runs\":[{runs}]}}\\n"),
        &format!("{{\"files\":[{names}]}}\\n"),
        bytes,
        bytes,
    ];
    let mut mirror = Mirror::open(&address, &ssh("names", &answers)?)?;
    let round = mirror.update(&|_| true)?;
    assert_eq!(round.runs, [mirror.dir().join("ok")]);
    assert_eq!(round.problems.len(), 4 + 4, "{:?}", round.problems);
    let key = mirror.dir().parent().unwrap_or(Path::new("/")).to_owned();
    let copied: Vec<_> = files(&key)
        .iter()
        .filter_map(|path| Some(path.strip_prefix(&key).ok()?.display().to_string()))
        .collect();
    let wanted = [
        "hostile/mirror.json",
        "hostile/ok/events.jsonl",
        "hostile/ok/mirror.json",
        "hostile/ok/probes/1.safetensors",
        "hostile.lock",
    ];
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(copied), sorted(wanted.map(str::to_owned).to_vec()));
    assert!(fs::read_to_string(mirror.dir().join("ok/mirror.json"))?.contains("ssh://server"));
    assert_eq!(before, files(&server.root.join("home")));

    let more = "{\"bytes\":{\"length\":5,\"changed\":0}}\\nevil!";
    let one = format!("{{\"runs\":[{}]}}\\n", run("ok2"));
    let mut mirror = Mirror::open(
        &address,
        &ssh("more", &[opened, &one, "{\"files\":[]}\\n", more])?,
    )?;
    let refused = mirror.update(&|_| true).unwrap_err().to_string();
    assert!(
        refused.contains("more bytes than it was asked for"),
        "{refused}"
    );
    Ok(())
}
