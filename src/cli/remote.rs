//! Commands on runs of other machines: an address stands in place of a path, and the command works on the copy.

use std::io;
use std::path::{Path, PathBuf};

use super::output::{Usage, fail};
use crate::remote::{Address, Mirror, Ssh, share};
use crate::run::log;

/// Answers another machine's requests for runs of this one.
pub(super) fn answer() -> anyhow::Result<()> {
    match share(io::stdin().lock(), io::stdout().lock()) {
        // The other end has gone, and nobody is left to be told.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        shared => Ok(shared?),
    }
}

/// The copies that a command works on. Those of runs in training count as being trained here for as long as this exists.
#[derive(Default)]
pub(super) struct Copies {
    /// Whether more than logs is copied.
    pub(super) are_whole: bool,
    of: Vec<(Address, Mirror, Vec<PathBuf>)>,
}

impl Copies {
    /// Puts the places of copies in place of addresses, one for each run there.
    pub(super) fn put_all(&mut self, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
        let mut places = Vec::new();
        for path in std::mem::take(paths) {
            match self.copied(&path)? {
                Some((address, _, [])) => {
                    anyhow::bail!("there is no run in this folder: {address}")
                }
                Some((_, _, runs)) => places.extend_from_slice(runs),
                None => places.push(path),
            }
        }
        *paths = places;
        Ok(())
    }

    /// Puts the place of a copy in place of an address.
    pub(super) fn put(&mut self, path: &mut PathBuf) -> anyhow::Result<()> {
        if let Some((_, dir, _)) = self.copied(path)? {
            *path = dir.to_owned();
        }
        Ok(())
    }

    /// The address at a path, its place here, and its runs; `None` for a path of this machine.
    fn copied(&mut self, path: &Path) -> anyhow::Result<Option<(&Address, &Path, &[PathBuf])>> {
        let Some(address) = Address::of(path).map_err(|error| Usage(error.to_string()))? else {
            return Ok(None);
        };
        if !self.of.iter().any(|(known, _, _)| *known == address) {
            let mut mirror = Mirror::open(&address, &Ssh::default())?;
            let mut round = mirror.update(&|_| self.are_whole)?;
            if !self.are_whole && round.runs.iter().any(|run| log::is_recorded(run)) {
                // Their logs lack the summaries of the probes, which are computed from the probes' files.
                round = mirror.update(&|run| log::is_recorded(run))?;
            }
            for problem in round.problems {
                fail(&problem);
            }
            self.of.push((address.clone(), mirror, round.runs));
        }
        let found = self.of.iter().find(|(known, _, _)| *known == address);
        Ok(found.map(|(address, mirror, runs)| (address, mirror.dir(), &runs[..])))
    }
}

/// Refuses an address.
pub(super) fn only_here(path: &Path) -> anyhow::Result<()> {
    if let Ok(None) = Address::of(path) {
        return Ok(());
    }
    Err(Usage(format!(
        "a run of another machine can be looked at and exported here, and nothing else; run this command there, with `ssh`: \
         {}",
        path.display()
    ))
    .into())
}
