//! Decodes images of any size and colour, and brings them to pixels of one size.

use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use rayon::prelude::*;

use crate::config::{RunConfig, Size};
use crate::text::one_or_more;

use super::checks::whole::{End, end, png_completed};
use super::dataset::{Dataset, Unsplit};
use super::error::DataError;

/// Largest side, in pixels, of images that keep their own size where all images have the same size.
const OWN_SIZE: u32 = 64;
/// Side, in pixels, to which all other images are resized.
const DEFAULT_SIZE: usize = 32;
/// Smallest width and height, in pixels, that the network takes.
const SMALLEST: usize = 16;
/// Largest number of bytes that the pixels of a data set may take.
pub(super) const MOST_BYTES: usize = 16 << 30;
/// Bytes of memory that decoding one image may take, so that a hostile file cannot take all of it.
const DECODE_BYTES: u64 = 1 << 30;

/// Bytes of pixels that a file of an image may announce, so that the memory that is taken follows from what is there and not
/// from what a header says. No compression that is read packs photographs, or drawings of more than one colour, so densely.
fn most_unpacked(bytes: usize) -> u64 {
    const ALWAYS: u64 = 32 << 20;
    const DENSEST: u64 = 4096;
    (bytes as u64).saturating_mul(DENSEST).max(ALWAYS)
}

/// A decoded image, already resized where the configuration gives a size or the image is large.
pub(super) struct Small {
    image: DynamicImage,
    /// Size in the file.
    own: (u32, u32),
    grey: bool,
    /// Whether the file lacks the mark at its end.
    is_unmarked: bool,
    /// Whether it is a grey image of 16 bits that uses only the lowest 12.
    is_dark: bool,
}

impl Small {
    /// Decodes the bytes of a file; `path` names the file in an error.
    pub(super) fn decode(bytes: &[u8], path: &Path, size: Option<Size>) -> Result<Self, DataError> {
        let unreadable = |reason: &dyn std::fmt::Display| DataError::Unreadable {
            reason: reason.to_string(),
            path: path.to_owned(),
        };
        let format = image::guess_format(bytes).map_err(|e| unreadable(&e))?;
        let end = end(bytes, format);
        if end == End::Cut {
            return Err(unreadable(&"the file is cut short"));
        }
        let completed = if format == ImageFormat::Png {
            png_completed(bytes)
        } else {
            None
        };
        let bytes = completed.as_deref().unwrap_or(bytes);
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut limits = Limits::default();
        limits.max_alloc = Some(DECODE_BYTES);
        reader.limits(limits);
        let failed = |error: ImageError| {
            if let ImageError::Unsupported(reason) = error {
                let (reason, path) = (reason.to_string(), path.to_owned());
                return DataError::Unsupported { reason, path };
            }
            unreadable(&error)
        };
        let mut decoder = reader.into_decoder().map_err(failed)?;
        // Decoders do not keep to the limit by themselves.
        if decoder.total_bytes() > DECODE_BYTES {
            let (width, height) = decoder.dimensions();
            return Err(unreadable(&format!(
                "{width}×{height} pixels are more than are decoded, 1 GiB"
            )));
        }
        if decoder.total_bytes() > most_unpacked(bytes.len()) {
            let (width, height) = decoder.dimensions();
            return Err(unreadable(&format!(
                "it announces {width}×{height} pixels, more than its {} bytes can hold",
                bytes.len()
            )));
        }
        let orientation = decoder.orientation().map_err(failed)?;
        let mut image = DynamicImage::from_decoder(decoder).map_err(failed)?;
        image.apply_orientation(orientation);
        let is_dark =
            matches!(&image, DynamicImage::ImageLuma16(grey) if uses_12_bits(grey.as_raw()));
        Ok(Self {
            is_unmarked: end == End::Unmarked,
            is_dark,
            ..Self::new(image, size)
        })
    }

    /// An image that needs no decoding.
    pub(super) fn new(mut image: DynamicImage, size: Option<Size>) -> Self {
        let own = (image.width(), image.height());
        let grey = !image.color().has_color();
        // A photograph is brought down at once, so that a folder of them need not fit into memory.
        let target = match size {
            Some(size) => Some((size.width as u32, size.height as u32)),
            None if own.0.max(own.1) > OWN_SIZE => Some((DEFAULT_SIZE as u32, DEFAULT_SIZE as u32)),
            None => None,
        };
        if let Some((width, height)) = target {
            image = resize(&image, width, height);
        }
        Self {
            image,
            own,
            grey,
            is_unmarked: false,
            is_dark: false,
        }
    }

    /// Pixels [H, W, C] at the given size.
    pub(super) fn pixels(&self, size: Size, channels: usize) -> Vec<u8> {
        let image = resize(&self.image, size.width as u32, size.height as u32);
        if channels == 1 {
            image.to_luma8().into_raw()
        } else {
            image.to_rgb8().into_raw()
        }
    }

    /// The image, for looking at.
    pub(super) fn into_image(self) -> DynamicImage {
        self.image
    }
}

/// Whether the grey values of 16 bits of an image are all in the lowest 12 bits, and not all black: detectors of 12 bits
/// give such values, of which the 8 bits that are trained on tell 17 levels apart.
fn uses_12_bits(values: &[u16]) -> bool {
    let most = values.iter().max();
    most.is_some_and(|most| (1..4096).contains(most))
}

/// Resizes an image. Where it becomes smaller, the filter averages over its pixels.
fn resize(image: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    if (image.width(), image.height()) == (width, height) {
        return image.clone();
    }
    image.resize_exact(width, height, FilterType::Triangle)
}

/// Decodes every image of `index`, a data set without pixels, on all threads: `decode` is given the number of an image.
/// Size and channels of the data set are known only after the last image was decoded. With `skip_unreadable`, images
/// that cannot be decoded are left out.
pub(super) fn load(
    root: &Path,
    index: Dataset,
    config: &RunConfig,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
    decode: impl Fn(usize) -> Result<Small, DataError> + Sync,
) -> Result<Unsplit, DataError> {
    let total = index.labels.len();
    let done = AtomicUsize::new(0);
    let one = |number: usize| {
        if !progress(done.fetch_add(1, Ordering::Relaxed), total) {
            return Err(DataError::Cancelled);
        }
        match decode(number) {
            Err(error) if config.skip_unreadable => Ok(Err(error)),
            decoded => decoded.map(Ok),
        }
    };
    let decoded: Vec<Result<Small, DataError>> = (0..total)
        .into_par_iter()
        .map(one)
        .collect::<Result<_, _>>()?;
    progress(total, total);

    let kept: Vec<bool> = decoded.iter().map(Result::is_ok).collect();
    let (mut read, mut unreadable) = (Vec::with_capacity(total), Vec::new());
    for image in decoded {
        match image {
            Ok(image) => read.push(image),
            Err(error) => unreadable.push(error.brief()),
        }
    }
    let Some(first) = read.first() else {
        return Err(DataError::Layout {
            problem: "there is no readable image".to_owned(),
            path: root.to_owned(),
        });
    };
    let notes = notes(&read);
    let (size, channels) = common(&read, first, config);
    let len = size.width * size.height * channels;
    if read.len().saturating_mul(len) > MOST_BYTES {
        let gib = read.len() as f64 * len as f64 / f64::from(1 << 30);
        return Err(DataError::TooLarge {
            images: read.len(),
            gib,
        });
    }
    let mut images = vec![0; read.len() * len];
    images
        .par_chunks_mut(len)
        .zip(&read)
        .for_each(|(out, small)| out.copy_from_slice(&small.pixels(size, channels)));
    let dataset = Dataset {
        images,
        height: size.height,
        width: size.width,
        channels,
        ..only(index, &kept)
    };
    Ok(Unsplit {
        dataset,
        notes,
        unreadable,
    })
}

/// Sentences about images that are read although something is amiss with them.
fn notes(read: &[Small]) -> Vec<String> {
    let unmarked = read.iter().filter(|image| image.is_unmarked).count();
    let mut notes = match unmarked {
        0 => Vec::new(),
        1 => vec!["1 image file lacks the mark at its end and is read all the same".to_owned()],
        count => vec![format!(
            "{count} image files lack the mark at their end and are read all the same"
        )],
    };
    let dark = read.iter().filter(|image| image.is_dark).count();
    if dark > 0 {
        let counted = one_or_more(
            dark,
            "image of 16 bits uses only its lowest 12 bits and is nearly black",
            "images of 16 bits use only their lowest 12 bits and are nearly black",
        );
        notes.push(format!("{counted}; scale the values to 16 bits"));
    }
    notes
}

/// The size and the number of channels that all images are brought to.
fn common(read: &[Small], first: &Small, config: &RunConfig) -> (Size, usize) {
    let agree = read.iter().all(|image| image.own == first.own);
    let small = first.own.0.max(first.own.1) <= OWN_SIZE;
    let size = match config.size {
        Some(size) => size,
        None if agree && small => Size {
            width: (first.own.0 as usize).max(SMALLEST),
            height: (first.own.1 as usize).max(SMALLEST),
        },
        None => Size {
            width: DEFAULT_SIZE,
            height: DEFAULT_SIZE,
        },
    };
    let grey = read.iter().all(|image| image.grey);
    (size, config.channels.unwrap_or(if grey { 1 } else { 3 }))
}

/// The data set of the images that are kept, numbered anew.
fn only(index: Dataset, kept: &[bool]) -> Dataset {
    if kept.iter().all(|&kept| kept) {
        return index;
    }
    let mut next = 0;
    let numbers: Vec<Option<u32>> = kept
        .iter()
        .map(|&kept| {
            let number = kept.then_some(next);
            next += u32::from(kept);
            number
        })
        .collect();
    let split = |indices: Vec<u32>| {
        let number = |i: u32| numbers[i as usize];
        indices.into_iter().filter_map(number).collect()
    };
    let is_kept = |i: &usize| kept[*i];
    Dataset {
        labels: (0..kept.len())
            .filter(is_kept)
            .map(|i| index.labels[i])
            .collect(),
        files: index.files.map(|files| {
            let files = files.into_iter().zip(kept);
            files
                .filter(|(_, kept)| **kept)
                .map(|(file, _)| file)
                .collect()
        }),
        classes: index.classes,
        train: split(index.train),
        val: split(index.val),
        test: split(index.test),
        ..Dataset::default()
    }
}
