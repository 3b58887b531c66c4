//! A server on this machine: an `sshd` in a folder of its own, with its own keys and port, that is ended with the test.
#![allow(dead_code, reason = "not all tests use all of it")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use crosscurrent::remote::Ssh;

/// Hosts in the configuration of the client: the server; the same with a key that it does not know; the same where another
/// key of the server is expected; and a port where nobody listens.
pub(crate) const HOSTS: [&str; 4] = ["server", "stranger", "changed", "nobody"];

pub(crate) struct Server {
    pub(crate) root: PathBuf,
    port: u16,
    daemon: Option<Child>,
}

impl Server {
    /// Starts a server in a folder. Gives the reason where there is none.
    pub(crate) fn start(root: &Path) -> Result<Result<Self, String>> {
        let Some(sshd) = installed("sshd") else {
            return Ok(Err(
                "sshd is not installed (Debian: openssh-server)".to_owned()
            ));
        };
        if installed("ssh").is_none() || installed("ssh-keygen").is_none() {
            return Ok(Err(
                "ssh is not installed (Debian: openssh-client)".to_owned()
            ));
        }
        fs::create_dir_all(root.join("home"))?;
        fs::create_dir_all(root.join("bin"))?;
        for key in ["host", "other", "client", "unknown"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(root.join(key))
                .status()?;
            ensure!(made.success(), "ssh-keygen");
        }
        fs::copy(root.join("client.pub"), root.join("authorized"))?;
        let program = Path::new(env!("CARGO_BIN_EXE_crosscurrent"));
        symlink(program, root.join("bin/crosscurrent"))?;
        let port = free_port()?;
        fs::write(root.join("sshd.conf"), sshd_config(root, port))?;
        fs::write(root.join("ssh.conf"), ssh_config(root, port)?)?;
        let wrapper = root.join("ssh");
        let text = format!(
            "#!/bin/sh\nexec ssh -F '{}' \"$@\"\n",
            root.join("ssh.conf").display()
        );
        fs::write(&wrapper, text)?;
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
        let mut server = Self {
            root: root.to_owned(),
            port,
            daemon: None,
        };
        // Where root runs it, sshd demands this folder, which the system's own makes when it starts.
        let _ = fs::create_dir_all("/run/sshd");
        if let Err(error) = server.listen(&sshd) {
            return Ok(Err(format!("sshd does not come up here: {error:#}")));
        }
        let login = server
            .command(&wrapper)
            .args(["-o", "BatchMode=yes", "server", "true"])
            .output()?;
        if !login.status.success() {
            let said = String::from_utf8_lossy(&login.stderr).into_owned();
            return Ok(Err(format!("nobody can log in to this machine: {said}")));
        }
        Ok(Ok(server))
    }

    fn listen(&mut self, sshd: &Path) -> Result<()> {
        let log = fs::File::create(self.root.join("sshd.log"))?;
        let mut daemon = Command::new(sshd)
            .args(["-D", "-e", "-f"])
            .arg(self.root.join("sshd.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || fs::read_to_string(self.root.join("sshd.log")).unwrap_or_default();
            ensure!(daemon.try_wait()?.is_none(), "sshd ended: {}", log());
            if begun.elapsed() > Duration::from_secs(20) {
                let _ = daemon.kill();
                anyhow::bail!("sshd does not listen: {}", log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Starts a server again that was stopped.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        let sshd = installed("sshd").context("sshd")?;
        self.listen(&sshd)
    }

    /// Ends the server and all its connections.
    pub(crate) fn stop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else {
            return;
        };
        for id in self.connections(daemon.id()) {
            let _ = Command::new("kill")
                .args(["-KILL", &id.to_string()])
                .output();
        }
        let _ = daemon.kill();
        let _ = daemon.wait();
    }

    /// Whether anybody is logged in.
    pub(crate) fn is_in_use(&self) -> bool {
        let daemon = self.daemon.as_ref();
        daemon.is_some_and(|daemon| !self.connections(daemon.id()).is_empty())
    }

    /// Numbers of the processes below the server's, the innermost first.
    fn connections(&self, parent: u32) -> Vec<u32> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids =
            entries.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
        let parent_of = |id: u32| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            let (_, fields) = stat.rsplit_once(')')?;
            fields.split_whitespace().nth(1)?.parse::<u32>().ok()
        };
        let children = ids.filter(|&id| parent_of(id) == Some(parent));
        children
            .flat_map(|child| {
                let mut below = self.connections(child);
                below.push(child);
                below
            })
            .collect()
    }

    /// How this server is reached. Copies are in the folder of the server, too.
    pub(crate) fn ssh(&self) -> Ssh {
        Ssh {
            program: self.root.join("ssh"),
            remote: None,
            copies: Some(self.root.join("cache/crosscurrent/remote")),
        }
    }

    /// A program that reaches this server.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("SSH_AUTH_SOCK")
            .env("CROSSCURRENT_SSH", self.root.join("ssh"))
            .env("XDG_CACHE_HOME", self.root.join("cache"))
            .env("HOME", self.root.join("home"))
            .current_dir(&self.root);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn sshd_config(root: &Path, port: u16) -> String {
    let root = root.display();
    // A session with a home and a PATH of its own: programs of this machine's user are not found.
    format!(
        "Port {port}\n\
         ListenAddress 127.0.0.1\n\
         HostKey {root}/host\n\
         PidFile none\n\
         AuthorizedKeysFile {root}/authorized\n\
         StrictModes no\n\
         UsePAM no\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         PermitRootLogin yes\n\
         SetEnv PATH={root}/bin:/usr/bin:/bin HOME={root}/home\n"
    )
}

fn ssh_config(root: &Path, port: u16) -> Result<String> {
    let closed = free_port()?;
    let [host, other] = ["host.pub", "other.pub"].map(|name| fs::read_to_string(root.join(name)));
    fs::write(root.join("known"), format!("key {}", host?))?;
    fs::write(root.join("wrong"), format!("key {}", other?))?;
    let root = root.display();
    let [server, stranger, changed, nobody] = HOSTS;
    Ok(format!(
        "Host *\n\
         HostName 127.0.0.1\n\
         HostKeyAlias key\n\
         IdentitiesOnly yes\n\
         IdentityAgent none\n\
         GlobalKnownHostsFile /dev/null\n\
         StrictHostKeyChecking yes\n\
         Host {server} {changed}\n\
         Port {port}\n\
         IdentityFile {root}/client\n\
         Host {stranger}\n\
         Port {port}\n\
         IdentityFile {root}/unknown\n\
         Host {nobody}\n\
         Port {closed}\n\
         Host {changed}\n\
         UserKnownHostsFile {root}/wrong\n\
         Host *\n\
         UserKnownHostsFile {root}/known\n"
    ))
}

/// The path of a program, which may be one of those that only root uses.
fn installed(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&folders).chain([PathBuf::from("/usr/sbin")]);
    folders
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}
