//! A PyTorch process that does the same work as our program. tests/peers/torch_step.py describes the protocol.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// One process for one kind of work in one variant.
pub(crate) struct Peer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    request: Value,
    /// Name of the variant.
    pub(crate) variant: String,
    /// Largest memory of the process so far, and the part of it that interpreter and libraries take, in bytes.
    pub(crate) peak_bytes: (u64, u64),
}

impl Peer {
    /// Starts a process and lets it set up and warm up.
    pub(crate) fn start(
        python: &str,
        threads: usize,
        variant: &str,
        request: &Value,
    ) -> Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/torch_step.py");
        let mut process = Command::new(python)
            .args([script, "--serve", "--threads", &threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {python}"))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("{python} has no pipes");
        };
        let mut request = request.clone();
        request["variant"] = json!(variant);
        let output = BufReader::new(output);
        let mut peer = Self {
            process,
            input,
            output,
            request,
            variant: variant.to_owned(),
            peak_bytes: (0, 0),
        };
        peer.run(0)?;
        Ok(peer)
    }

    /// Does the work `repeats` times; returns the seconds of each time.
    pub(crate) fn run(&mut self, repeats: usize) -> Result<Vec<f64>> {
        self.request["repeats"] = json!(repeats);
        writeln!(self.input, "{}", self.request)?;
        self.input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let answer: Value =
            serde_json::from_str(&line).with_context(|| format!("{}: {line:?}", self.variant))?;
        if let Some(error) = answer.get("error") {
            bail!("{}: {error}", self.variant);
        }
        let bytes = |key: &str| answer[key].as_u64().unwrap_or(0);
        self.peak_bytes = (bytes("peak_rss_bytes"), bytes("base_rss_bytes"));
        Ok(serde_json::from_value(answer["secs"].clone())?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The process holds nothing that would be lost.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
