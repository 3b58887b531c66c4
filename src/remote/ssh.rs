//! How servers are reached from this machine.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::RemoteError;
use super::address::Address;

/// What the server runs. A shell that is not a login's knows fewer folders.
const PROGRAM: &str = "sh -c 'PATH=\"$PATH:$HOME/.cargo/bin:$HOME/.local/bin:$HOME/bin\"; export PATH; exec crosscurrent share'";

/// The programs at both ends, and where copies lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// The program that connects.
    pub program: PathBuf,
    /// The path of the program on the server, where it is not found by its name.
    pub remote: Option<String>,
    /// The folder for copies; `None` where the system names none.
    pub copies: Option<PathBuf>,
}

impl Default for Ssh {
    /// The system's `ssh`, or the program that the environment variable CROSSCURRENT_SSH names; on the server the program in
    /// CROSSCURRENT_REMOTE; copies in the user's folder for caches.
    fn default() -> Self {
        let named = std::env::var_os("CROSSCURRENT_SSH");
        Self {
            program: named.map_or_else(|| PathBuf::from("ssh"), PathBuf::from),
            remote: std::env::var("CROSSCURRENT_REMOTE").ok(),
            copies: dirs::cache_dir().map(|dir| dir.join("crosscurrent/remote")),
        }
    }
}

impl Ssh {
    /// The command that connects to a server and starts the program there.
    pub(super) fn command(&self, address: &Address) -> Result<Command, RemoteError> {
        let mut command = Command::new(&self.program);
        // There is nobody to type a password; a network that is gone is noticed; what a login prints, and forwarded ports of
        // the configuration, disturb nothing.
        for option in [
            "BatchMode=yes",
            "ConnectTimeout=15",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=3",
            "ClearAllForwardings=yes",
            "LogLevel=ERROR",
        ] {
            command.args(["-o", option]);
        }
        command.arg("-T");
        if let Some(port) = address.port {
            command.args(["-p", &port.to_string()]);
        }
        if let Some(user) = &address.user {
            command.args(["-l", user]);
        }
        command.args(["--", &address.host, &self.remote_command()?]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }

    /// What the server's shell is given.
    fn remote_command(&self) -> Result<String, RemoteError> {
        let Some(named) = &self.remote else {
            return Ok(PROGRAM.to_owned());
        };
        let is_plain = |c: char| c.is_alphanumeric() || "_-./~+".contains(c);
        match !named.is_empty() && !named.starts_with('-') && named.chars().all(is_plain) {
            true => Ok(format!("{named} share")),
            false => Err(RemoteError::Address(
                "CROSSCURRENT_REMOTE must be a path of letters, digits and _-./~+, since the server's shell reads it".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_named_is_read_by_a_shell_or_as_an_option() {
        let address = Address::parse("ssh://me@h:2222/a; b").unwrap();
        let mut ssh = Ssh {
            remote: Some("~/bin/crosscurrent".to_owned()),
            ..Ssh::default()
        };
        let command = ssh.command(&address).unwrap();
        let arguments: Vec<_> = command.get_args().collect();
        let end = [
            "-T",
            "-p",
            "2222",
            "-l",
            "me",
            "--",
            "h",
            "~/bin/crosscurrent share",
        ];
        assert!(
            arguments.ends_with(&end.map(std::ffi::OsStr::new)),
            "{arguments:?}"
        );
        for wrong in ["", "-x", "a b", "a;b", "$(x)", "a\nb"] {
            ssh.remote = Some(wrong.to_owned());
            assert!(ssh.command(&address).is_err(), "{wrong}");
        }
    }
}
