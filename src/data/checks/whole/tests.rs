use std::io::Cursor;
use std::path::Path;

use anyhow::Result;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Rgb, RgbImage};

use super::*;
use crate::data::decode::Small;

fn picture() -> DynamicImage {
    RgbImage::from_fn(64, 48, |x, y| {
        let noise = (x * 7919 + y * 104_729) % 41;
        Rgb([
            (x * 3 + noise) as u8,
            (y * 4 + noise) as u8,
            noise as u8 * 5,
        ])
    })
    .into()
}

fn encoded(format: ImageFormat) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture().write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

fn is_read(bytes: &[u8]) -> bool {
    Small::decode(bytes, Path::new("x"), None).is_ok()
}

/// Pillow 9.4 refuses the same files, cut in the same places: of JPEG as soon as the last byte is missing, of BMP, TIFF,
/// WebP and PPM too; of GIF once pixels are missing, and of PNG once data are.
#[test]
fn files_that_are_cut_short_are_refused() -> Result<()> {
    let formats = [
        (ImageFormat::Jpeg, 1),
        (ImageFormat::Bmp, 1),
        (ImageFormat::Tiff, 1),
        (ImageFormat::WebP, 1),
        (ImageFormat::Pnm, 1),
        (ImageFormat::Gif, 12),
        (ImageFormat::Png, 13),
    ];
    for (format, least) in formats {
        let whole = encoded(format)?;
        assert!(is_read(&whole), "{format:?}");
        for missing in [
            least,
            60,
            whole.len() / 10,
            whole.len() / 2,
            whole.len() * 19 / 20,
        ] {
            let missing = missing.max(least);
            assert!(
                !is_read(&whole[..whole.len() - missing]),
                "{format:?} without its last {missing} bytes"
            );
        }
    }
    Ok(())
}

/// A file that was allocated whole and filled in part, as an interrupted download leaves it.
#[test]
fn files_with_zeros_for_a_rest_are_refused() -> Result<()> {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let mut bytes = encoded(format)?;
        let half = bytes.len() / 2;
        bytes[half..].fill(0);
        assert!(!is_read(&bytes), "{format:?}");
    }
    Ok(())
}

#[test]
fn what_follows_the_end_of_a_file_does_no_harm() -> Result<()> {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::Bmp,
    ] {
        let mut bytes = encoded(format)?;
        bytes.extend([0; 100]);
        assert!(is_read(&bytes), "{format:?}");
        assert_eq!(end(&bytes, format), End::Whole, "{format:?}");
    }
    Ok(())
}

#[test]
fn files_that_lack_only_the_mark_at_their_end_are_read_and_counted() -> Result<()> {
    for (format, missing) in [
        (ImageFormat::Png, 1),
        (ImageFormat::Png, 8),
        (ImageFormat::Png, 12),
        (ImageFormat::Gif, 1),
    ] {
        let bytes = encoded(format)?;
        let nearly = &bytes[..bytes.len() - missing];
        assert_eq!(end(nearly, format), End::Unmarked, "{format:?}");
        assert!(is_read(nearly), "{format:?}");
    }
    Ok(())
}

/// The mark within a thumbnail is not that of the file.
#[test]
fn a_thumbnail_does_not_end_a_jpeg_file() -> Result<()> {
    let mut thumbnail = Vec::new();
    JpegEncoder::new(&mut thumbnail).encode_image(&picture().thumbnail(8, 8))?;
    let plain = encoded(ImageFormat::Jpeg)?;
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe2];
    bytes.extend((thumbnail.len() as u16 + 2).to_be_bytes());
    bytes.extend(&thumbnail);
    bytes.extend(&plain[2..]);
    assert!(is_read(&bytes));
    assert!(!is_read(&bytes[..bytes.len() - 2]));
    for length in 0..bytes.len() {
        assert_ne!(
            end(&bytes[..length], ImageFormat::Jpeg),
            End::Whole,
            "{length}"
        );
    }
    Ok(())
}

/// A small file that claims to be huge takes no memory: 45,000 × 45,000 pixels are 6 GB.
#[test]
fn a_file_that_claims_to_be_huge_is_refused() {
    let header = |width: u32, height: u32| {
        let mut bytes = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bytes.extend(width.to_le_bytes());
        bytes.extend(height.to_le_bytes());
        bytes.extend([1, 0, 24, 0]);
        bytes.extend([0; 24]);
        bytes
    };
    let refused = |bytes: &[u8]| {
        Small::decode(bytes, Path::new("x"), None)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let said = refused(&header(45_000, 45_000));
    assert!(
        said.contains("45000×45000 pixels are more than are decoded"),
        "{said}"
    );
    let said = refused(&header(450, 450));
    assert!(!said.contains("more than are decoded"), "{said}");
}

/// A tag that announces more values than the file has bytes makes the file one that was cut, in both byte orders and both
/// kinds of TIFF. One that announces as much as the file has, or values of an unknown type, does not.
#[test]
fn a_tag_of_a_tiff_file_cannot_announce_more_than_the_file() -> Result<()> {
    let whole = encoded(ImageFormat::Tiff)?;
    assert_eq!(end(&whole, ImageFormat::Tiff), End::Whole);
    for (is_little, is_big) in [(true, false), (false, false), (true, true), (false, true)] {
        let file = |kind: u64, count: u64| {
            let mut bytes = if is_little {
                b"II".to_vec()
            } else {
                b"MM".to_vec()
            };
            let mut push = |value: u64, size: usize| {
                let all = value.to_be_bytes();
                let mut own = all[8 - size..].to_vec();
                if is_little {
                    own.reverse();
                }
                bytes.extend(own);
            };
            let wide = if is_big { 8 } else { 4 };
            push(if is_big { 43 } else { 42 }, 2);
            if is_big {
                push(8, 2);
                push(0, 2);
            }
            push(if is_big { 16 } else { 8 }, wide);
            push(2, if is_big { 8 } else { 2 });
            for count in [1, count] {
                push(270, 2);
                push(kind, 2);
                push(count, wide);
                push(0, wide);
            }
            bytes
        };
        let length = file(2, 1).len() as u64;
        assert_eq!(end(&file(99, 1 << 30), ImageFormat::Tiff), End::Whole);
        for (kind, size) in [(2, 1), (3, 2), (4, 4), (5, 8), (13, 4), (16, 8)] {
            let is = |count| end(&file(kind, count), ImageFormat::Tiff);
            assert_eq!(is(length / size), End::Whole, "{kind} {is_little} {is_big}");
            assert_eq!(
                is(length / size + 1),
                End::Cut,
                "{kind} {is_little} {is_big}"
            );
        }
    }
    // A directory that is not there is for the decoder to name.
    for length in 0..12 {
        assert_eq!(end(&whole[..length], ImageFormat::Tiff), End::Whole);
    }
    Ok(())
}
