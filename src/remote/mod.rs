//! Runs on another machine, reached by the system's `ssh`: an address, the program at the other end, which reads files and
//! writes none, and a copy of the runs on this machine, which all commands and the window open as ordinary runs.
//!
//! ```text
//! this machine                                             the server
//! mirror ── requests, a line of JSON each ──► ssh ──► sshd ──► crosscurrent share
//!        ◄── answers, a line of JSON each, and bytes ──────────┘
//! ```
//!
//! No port is opened and no key is kept: `ssh` uses the user's keys, its configuration and whatever hosts lie between. The
//! other end may be anybody's, and it names files: only names that a run's files have are taken, and nothing is written
//! outside the copy. A copy is never trained, and its notes are not changed ([`crate::run::mirrored`]). Imports `files`,
//! `run` and `text`.

mod address;
mod connection;
mod mirror;
mod protocol;
mod share;
mod ssh;
mod unused;

pub use address::Address;
pub use mirror::{Mirror, Round};
pub use share::share;
pub use ssh::Ssh;

use std::path::{Path, PathBuf};

use crate::text::{one_line, shown, visible};

/// Why runs on another machine cannot be read. Each message is one sentence with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// An address is none.
    #[error("{}", visible(.0))]
    Address(String),
    /// There is no `ssh`.
    #[error(
        "cannot start {} ({error}): install OpenSSH's client, which reaches the server",
        shown(program)
    )]
    NoSsh {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The server cannot be reached.
    #[error("{host} cannot be reached: {}", visible(&one_line(said)))]
    Unreachable {
        /// The server.
        host: String,
        /// What `ssh` said.
        said: String,
    },
    /// The server does not let the user in.
    #[error(
        "{host} refuses the login ({}): no password can be asked for here; put the key into ssh-agent with `ssh-add`, or log \
         in with `ssh` first and share that connection (ControlMaster in ssh_config)",
        visible(&one_line(said))
    )]
    Refused {
        /// The server.
        host: String,
        /// What `ssh` said.
        said: String,
    },
    /// The server's key is not known, or another one than before.
    #[error(
        "the key of {host} is not known here or has changed ({}): log in with `ssh` once, which shows the key and asks",
        visible(&one_line(said))
    )]
    HostKey {
        /// The server.
        host: String,
        /// What `ssh` said.
        said: String,
    },
    /// The program is not there.
    #[error(
        "crosscurrent is not found on {host}: install it there on the PATH, in ~/.cargo/bin, ~/.local/bin or ~/bin, or name \
         it here in the environment variable CROSSCURRENT_REMOTE"
    )]
    NotInstalled {
        /// The server.
        host: String,
    },
    /// The program at the other end is of another version.
    #[error(
        "the crosscurrent on {host} is {other} than this one and speaks another protocol; update the older one"
    )]
    Version {
        /// The server.
        host: String,
        /// `older` or `newer`.
        other: &'static str,
    },
    /// The connection ended.
    #[error("the connection to {host} ended{}", said_in_brackets(said))]
    Ended {
        /// The server.
        host: String,
        /// What was said at its end; may be empty.
        said: String,
    },
    /// The other end sent what no version sends.
    #[error(
        "{host} answers something that is not understood ({reason}); a login there must print nothing of its own"
    )]
    Unclear {
        /// The server.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The other end says that it cannot do what was asked.
    #[error("{host}: {}", visible(&one_line(said)))]
    Said {
        /// The server.
        host: String,
        /// Its sentence.
        said: String,
    },
    /// The copy on this machine cannot be written.
    #[error("cannot {action} the copy of the runs: {error}: {}", shown(path))]
    Copy {
        /// What was attempted.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// There is no folder for copies.
    #[error(
        "this system names no folder for caches, in which runs of other machines are copied; set XDG_CACHE_HOME"
    )]
    NoCache,
}

impl RemoteError {
    fn copy(action: &'static str, path: &Path, error: std::io::Error) -> Self {
        Self::Copy {
            action,
            path: path.to_owned(),
            error,
        }
    }
}

fn said_in_brackets(said: &str) -> String {
    match said.trim() {
        "" => String::new(),
        said => format!(" ({})", visible(&one_line(said))),
    }
}
