//! A sheet of sample images, as one image.

use image::{Rgb, RgbImage, imageops};

use super::dataset::Dataset;

/// Smallest side, in pixels, that images are enlarged to (by whole factors, so that pixels stay pixels).
const SIDE: usize = 64;
/// Pixels between images.
const GAP: usize = 4;

/// Up to `per_class` training images of each class: one row a class, in class order, enlarged.
pub fn sheet(data: &Dataset, per_class: usize) -> RgbImage {
    let factor = SIDE.div_ceil(data.height.max(1)).max(1);
    let (width, height) = (data.width * factor, data.height * factor);
    let columns = per_class.max(1);
    let mut sheet = RgbImage::from_pixel(
        (GAP + columns * (width + GAP)) as u32,
        (GAP + data.classes.len() * (height + GAP)) as u32,
        Rgb([32, 32, 32]),
    );
    for class in 0..data.classes.len() {
        let own = data
            .train
            .iter()
            .filter(|&&index| usize::from(data.labels[index as usize]) == class);
        for (column, &index) in own.take(columns).enumerate() {
            let pixels = data.image(index);
            let thumbnail = RgbImage::from_fn(width as u32, height as u32, |x, y| {
                let at = (y as usize / factor * data.width + x as usize / factor) * data.channels;
                Rgb(std::array::from_fn(|channel| {
                    pixels[at + channel.min(data.channels - 1)]
                }))
            });
            let (x, y) = (GAP + column * (width + GAP), GAP + class * (height + GAP));
            imageops::replace(&mut sheet, &thumbnail, x as i64, y as i64);
        }
    }
    sheet
}
