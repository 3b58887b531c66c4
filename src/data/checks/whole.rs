//! Whether an image file is there to its end. Decoders fill in what is missing of some formats, so that a file that was cut
//! short would be trained on with a grey rest.

use image::ImageFormat;

/// How much of a file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum End {
    /// All, as far as can be told before decoding it.
    Whole,
    /// All pixels, without the mark at the end.
    Unmarked,
    /// Less than all pixels.
    Cut,
}

/// How much of a file is there, as Pillow judges by default: a JPEG file needs the mark at its end.
pub(in crate::data) fn end(bytes: &[u8], format: ImageFormat) -> End {
    let is_gif_open = || bytes.iter().rev().find(|byte| **byte != 0) != Some(&0x3b);
    if format == ImageFormat::Jpeg && !jpeg_ends(bytes)
        || format == ImageFormat::Tiff && tiff_announces_more(bytes)
    {
        End::Cut
    } else if format == ImageFormat::Png && png_completed(bytes).is_some()
        || format == ImageFormat::Gif && is_gif_open()
    {
        End::Unmarked
    } else {
        End::Whole
    }
}

/// Whether the end mark of a JPEG file follows its last scan. Marks within other segments, such as those of a thumbnail, are
/// passed over.
fn jpeg_ends(bytes: &[u8]) -> bool {
    const RESTARTS: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;
    const END: u8 = 0xd9;
    const SCAN: u8 = 0xda;
    let (mut at, mut has_scan) = (2, false);
    loop {
        // To the next marker; the data of a scan contain 0xff only before 0 and before restart markers.
        let Some(step) = bytes
            .get(at..)
            .and_then(|rest| rest.iter().position(|byte| *byte == 0xff))
        else {
            return false;
        };
        at += step + 1;
        match bytes.get(at) {
            None => return false,
            Some(&END) => return has_scan,
            Some(0 | 0x01 | 0xff) => {}
            Some(marker) if RESTARTS.contains(marker) => {}
            Some(marker) => {
                has_scan |= *marker == SCAN;
                let Some([high, low]) = bytes.get(at + 1..at + 3) else {
                    return false;
                };
                at += 1 + usize::from(u16::from_be_bytes([*high, *low]));
            }
        }
    }
}

/// Whether a tag in the first directory of a TIFF file, classic or big, announces more bytes than the whole file has. The
/// decoder reserves memory for all values of a tag before it looks for them.
fn tiff_announces_more(bytes: &[u8]) -> bool {
    let is_little = bytes.starts_with(b"II");
    let number = |at: usize, size: usize| -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(size)?)?;
        let join = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
        Some(match is_little {
            true => bytes.iter().rev().fold(0, join),
            false => bytes.iter().fold(0, join),
        })
    };
    let is_big = number(2, 2) == Some(43);
    // Sizes of a position or a count of values, and of the count of tags; position of the first directory's position.
    let (wide, few, at) = if is_big { (8, 8, 8) } else { (4, 2, 4) };
    let Some((directory, tags)) = number(at, wide).and_then(|directory| {
        let directory = usize::try_from(directory).ok()?;
        Some((directory, number(directory, few)?))
    }) else {
        return false;
    };
    let entry = 4 + 2 * wide;
    let starts = (0..tags as usize).map_while(|tag| {
        let from = directory.checked_add(few + tag.checked_mul(entry)?)?;
        (from < bytes.len()).then_some(from)
    });
    let announced = |from: usize| {
        let size = match number(from + 2, 2)? {
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16..=18 => 8,
            1 | 2 | 6 | 7 => 1,
            // Tags of unknown types are passed over.
            _ => return None,
        };
        Some(number(from + 4, wide)?.saturating_mul(size))
    };
    starts
        .filter_map(announced)
        .any(|announced| announced > bytes.len() as u64)
}

/// A PNG file that lacks its last chunk, with it; none where that chunk is there, or more than it is missing.
pub(in crate::data) fn png_completed(bytes: &[u8]) -> Option<Vec<u8>> {
    const LAST: &[u8; 12] = b"\0\0\0\0IEND\xae\x42\x60\x82";
    let mut at = 8_usize;
    while let Some([a, b, c, d, kind @ ..]) = bytes.get(at..at + 8) {
        if kind == b"IEND" && bytes.len() >= at + LAST.len() {
            return None;
        }
        let next = at
            .saturating_add(12)
            .saturating_add(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
        if next > bytes.len() {
            break;
        }
        at = next;
    }
    // What is left is less than the last chunk has, and part of it.
    let rest = bytes.get(at..)?;
    LAST.starts_with(rest)
        .then(|| [&bytes[..at], LAST].concat())
}

#[cfg(test)]
mod tests;
