//! This end of a connection: starts `ssh`, asks, and says in a sentence why there is no answer.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::RemoteError;
use super::address::Address;
use super::protocol::{
    Answer, GREETING, LONGEST_LINE, ListedFile, ListedRun, MOST_FILES, MOST_RUNS, PROTOCOL, Request,
};
use super::ssh::Ssh;

/// Most bytes that a login may print before the program answers.
const LONGEST_WELCOME: u64 = 64 << 10;

/// Most bytes that are kept of what is said on stderr.
const LONGEST_ERROR: usize = 64 << 10;

/// How long a program that has closed its output may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection to the program on a server.
pub(super) struct Connection {
    host: String,
    ssh: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// What was said on stderr.
    said: Arc<Mutex<Vec<u8>>>,
    listener: Option<JoinHandle<()>>,
}

impl Connection {
    /// Connects, and opens the folder of an address.
    ///
    /// # Errors
    /// Where the server, the program there or the folder cannot be reached.
    pub(super) fn open(address: &Address, ssh: &Ssh) -> Result<Self, RemoteError> {
        let no_ssh = |error: io::Error| {
            let program = ssh.program.clone();
            RemoteError::NoSsh { program, error }
        };
        let mut child = ssh.command(address)?.spawn().map_err(no_ssh)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            return Err(no_ssh(io::ErrorKind::BrokenPipe.into()));
        };
        let said = Arc::<Mutex<Vec<u8>>>::default();
        let heard = Arc::clone(&said);
        let listener = std::thread::Builder::new().name("ssh".to_owned());
        let listener = listener.spawn(move || listen(errors, &heard));
        let mut connection = Self {
            host: address.host.clone(),
            ssh: child,
            input: Some(input),
            output: BufReader::new(output),
            said,
            listener: listener.ok(),
        };
        connection.greet()?;
        let folder = address.folder.clone();
        match connection.ask(&Request::Open { folder })? {
            Answer::Opened => Ok(connection),
            Answer::Runs(_) | Answer::Files(_) | Answer::Bytes { .. } | Answer::Error(_) => {
                Err(connection.unclear("something else than that the folder is open"))
            }
        }
    }

    /// Waits for the first line of the program. What a login prints before is passed over.
    fn greet(&mut self) -> Result<(), RemoteError> {
        let mut left = LONGEST_WELCOME;
        loop {
            let mut line = Vec::new();
            let read = (&mut self.output).take(left).read_until(b'\n', &mut line);
            let read = read.unwrap_or(0) as u64;
            left -= read;
            if read == 0 || left == 0 {
                return Err(self.ended());
            }
            let line = String::from_utf8_lossy(&line);
            let Some(greeting) = line.strip_prefix(GREETING) else {
                continue;
            };
            let protocol = greeting
                .split_whitespace()
                .next()
                .and_then(|number| number.parse().ok());
            let protocol: u32 = protocol.unwrap_or(0);
            let other = if protocol < PROTOCOL {
                "older"
            } else {
                "newer"
            };
            let host = self.host.clone();
            return match protocol {
                PROTOCOL => Ok(()),
                _ => Err(RemoteError::Version { host, other }),
            };
        }
    }

    /// The runs in the folder.
    pub(super) fn runs(&mut self) -> Result<Vec<ListedRun>, RemoteError> {
        match self.ask(&Request::Runs)? {
            Answer::Runs(runs) if runs.len() <= MOST_RUNS => Ok(runs),
            Answer::Runs(_) => Err(self.unclear("too many runs")),
            Answer::Opened | Answer::Files(_) | Answer::Bytes { .. } | Answer::Error(_) => {
                Err(self.unclear("something else than runs"))
            }
        }
    }

    /// The files of a run.
    pub(super) fn files(&mut self, run: &str) -> Result<Vec<ListedFile>, RemoteError> {
        let run = run.to_owned();
        match self.ask(&Request::Files { run })? {
            Answer::Files(files) if files.len() <= MOST_FILES => Ok(files),
            Answer::Files(_) => Err(self.unclear("too many files")),
            Answer::Opened | Answer::Runs(_) | Answer::Bytes { .. } | Answer::Error(_) => {
                Err(self.unclear("something else than files"))
            }
        }
    }

    /// Begins to read a file. Gives the number of bytes, all of which have to be taken from [`Connection::bytes`], and when
    /// the file was changed.
    pub(super) fn read(
        &mut self,
        run: &str,
        file: &str,
        from: u64,
        most: u64,
    ) -> Result<(u64, u64), RemoteError> {
        let (run, file) = (run.to_owned(), file.to_owned());
        let request = Request::Read {
            run,
            file,
            from,
            most,
        };
        match self.ask(&request)? {
            Answer::Bytes { length, changed } if length <= most => Ok((length, changed)),
            Answer::Bytes { .. } => Err(self.unclear("more bytes than it was asked for")),
            Answer::Opened | Answer::Runs(_) | Answer::Files(_) | Answer::Error(_) => {
                Err(self.unclear("something else than bytes"))
            }
        }
    }

    /// The bytes behind an answer.
    pub(super) fn bytes(&mut self) -> &mut impl Read {
        &mut self.output
    }

    fn ask(&mut self, request: &Request) -> Result<Answer, RemoteError> {
        let mut line = serde_json::to_vec(request).unwrap_or_default();
        line.push(b'\n');
        let sent = self
            .input
            .as_mut()
            .map(|input| input.write_all(&line).and_then(|()| input.flush()));
        if !matches!(sent, Some(Ok(()))) {
            return Err(self.ended());
        }
        let mut line = Vec::new();
        let read = (&mut self.output)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line);
        if read.is_err() || line.last() != Some(&b'\n') {
            return Err(self.ended());
        }
        let host = self.host.clone();
        match serde_json::from_slice(&line) {
            Ok(Answer::Error(said)) => {
                let said = said.chars().take(500).collect();
                Err(RemoteError::Said { host, said })
            }
            Ok(answer) => Ok(answer),
            Err(error) => Err(RemoteError::Unclear {
                host,
                reason: error.to_string(),
            }),
        }
    }

    fn unclear(&self, reason: &str) -> RemoteError {
        let (host, reason) = (self.host.clone(), reason.to_owned());
        RemoteError::Unclear { host, reason }
    }

    /// Why the connection is over.
    pub(super) fn ended(&mut self) -> RemoteError {
        // Without input, the other end ends if it has not yet.
        self.input = None;
        let begun = Instant::now();
        let code = loop {
            match self.ssh.try_wait() {
                Ok(Some(status)) => break status.code(),
                _ if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(10)),
                _ => break None,
            }
        };
        // A shared connection that goes on in the background keeps stderr open.
        let is_listening = || {
            self.listener
                .as_ref()
                .is_some_and(|thread| !thread.is_finished())
        };
        while code.is_some() && is_listening() && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let said = String::from_utf8_lossy(&said).into_owned();
        why(self.host.clone(), code, &said)
    }
}

/// Keeps the beginning of what is said on stderr, and reads on: a full pipe would stop the other end.
fn listen(mut errors: impl Read, said: &Mutex<Vec<u8>>) {
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = errors.read(&mut bytes) {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        let room = LONGEST_ERROR.saturating_sub(said.len()).min(read);
        said.extend(bytes.iter().take(room));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.ssh.kill();
        let _ = self.ssh.wait();
    }
}

/// What the end of `ssh`, with its exit code and what was said on stderr, means.
fn why(host: String, code: Option<i32>, said: &str) -> RemoteError {
    let is_said = |words: &str| said.contains(words);
    // ssh names the reason last.
    let last = said
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let last = last.trim().to_owned();
    match code {
        Some(127) => RemoteError::NotInstalled { host },
        Some(2) if is_said("unrecognized subcommand") || is_said("unexpected argument") => {
            RemoteError::Version {
                host,
                other: "older",
            }
        }
        Some(255) if is_said("Host key verification failed") => {
            RemoteError::HostKey { host, said: last }
        }
        Some(255)
            if is_said("Permission denied") || is_said("Too many authentication failures") =>
        {
            RemoteError::Refused { host, said: last }
        }
        Some(255) => RemoteError::Unreachable { host, said: last },
        _ => RemoteError::Ended { host, said: last },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of OpenSSH 9.2, and of clap.
    #[test]
    fn the_end_of_ssh_is_explained() {
        for (code, said, named) in [
            (
                255,
                "ssh: connect to host h port 22: Connection refused\r\n",
                "cannot be reached: ssh: connect",
            ),
            (255, "me@h: Permission denied (publickey).\r\n", "ssh-add"),
            (
                255,
                "No ED25519 host key is known for h and you have requested strict checking.\r\nHost key verification failed.\r\n",
                "log in with `ssh` once",
            ),
            (
                127,
                "sh: 1: exec: crosscurrent: not found\n",
                "not found on h",
            ),
            (
                2,
                "error: unrecognized subcommand 'share'\n\nUsage: crosscurrent [OPTIONS] [RUNS]...\n",
                "older",
            ),
            (1, "x\u{1b}[31m\n", "ended (x\\u{1b}[31m)"),
            (0, "", "the connection to h ended"),
        ] {
            let sentence = why("h".to_owned(), Some(code), said).to_string();
            assert!(
                sentence.contains(named) && !sentence.contains('\n'),
                "{sentence}"
            );
        }
    }
}
