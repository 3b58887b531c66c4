//! Reading files that strangers may have made: regular files alone, of no more than a number of bytes. Imports nothing of
//! the crate.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Opens a file for reading. A path that leads to anything else, such as a device or a pipe, is refused: reading it might
/// never end.
///
/// # Errors
/// Where there is no file, or it cannot be read.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Asked before opening, since opening a pipe waits for its writer.
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is no regular file",
        ))
    }
}

/// All bytes of a file, which are `most` or fewer.
///
/// # Errors
/// As [`open`]; also where the file is longer than `most`.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let too_long = || {
        let reason = format!("it is longer than the {most} bytes that are read of such a file");
        io::Error::new(ErrorKind::FileTooLarge, reason)
    };
    let length = file.metadata()?.len();
    if length > most {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length as usize)?;
    // The file may grow meanwhile.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_long());
    }
    Ok(bytes)
}
