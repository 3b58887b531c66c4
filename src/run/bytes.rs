//! The bytes of a run's files: files that are written whole, safetensors files, and little-endian numbers.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};

use super::error::RunError;
use crate::files;

/// Most bytes of a file of tensors that are read, so that a run of strangers cannot take all memory: a probe of 1,000
/// classes has a tenth of them.
const MOST_BYTES: u64 = 8 << 30;

/// All bytes of a file of tensors.
///
/// # Errors
/// Where there is no such file, it cannot be read, or it is longer than 8 GiB.
pub fn read_tensors(path: &Path) -> io::Result<Vec<u8>> {
    files::read(path, MOST_BYTES)
}

/// Writes a file so that either the whole file is there or nothing: temporary file, fsync, rename. Makes the file's
/// directory. A link in place of the file, or of the temporary file, is replaced and not followed.
///
/// # Errors
/// Where the directory cannot be made or the file cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    write_whole_by(path, &mut |file| file.write_all(bytes))
}

/// As [`write_whole`], for a file that is written piece by piece.
///
/// # Errors
/// As [`write_whole`], and where `write` fails.
pub fn write_whole_by(
    path: &Path,
    write: &mut dyn FnMut(&mut File) -> io::Result<()>,
) -> Result<(), RunError> {
    let mut write = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)?;
        let written = write(&mut file)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            // On a full disk, the half of a file would take the room that others need.
            let _ = fs::remove_file(&temporary);
        }
        written
    };
    write().map_err(|e| RunError::io("write the file", path, e))
}

/// Writes tensors (name, type, shape and little-endian bytes) as one safetensors file, whole ([`write_whole`]).
///
/// # Errors
/// Where a shape does not fit its bytes, or the file cannot be written.
pub fn write_tensors<N: AsRef<str>>(
    path: &Path,
    tensors: &[(N, Dtype, Vec<usize>, Vec<u8>)],
    metadata: Option<HashMap<String, String>>,
) -> Result<(), RunError> {
    let mut views = Vec::with_capacity(tensors.len());
    for (name, dtype, shape, bytes) in tensors {
        let view = TensorView::new(*dtype, shape.clone(), bytes)
            .map_err(|e| RunError::damaged(path, e))?;
        views.push((name.as_ref(), view));
    }
    let file = safetensors::serialize(views, metadata).map_err(|e| RunError::damaged(path, e))?;
    write_whole(path, &file)
}

/// The bytes of numbers in little-endian order.
pub(super) fn little_endian(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Numbers from their bytes in little-endian order; bytes beyond the last whole number are ignored.
pub(super) fn from_little_endian(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_whole_leaves_nothing_behind() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("file");
        write_whole(&path, b"before")?;
        let result = write_whole_by(&path, &mut |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("the disk is full"))
        });
        let said = result.map_err(|error| error.to_string()).unwrap_err();
        assert!(said.contains("the disk is full"), "{said}");
        assert_eq!(fs::read(&path)?, b"before");
        assert_eq!(fs::read_dir(dir.path())?.count(), 1);
        Ok(())
    }
}
