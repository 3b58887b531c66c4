use std::fs;
use std::path::Path;

use anyhow::Result;
use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};

use super::fingerprint::Hash;
use super::*;
use crate::config::{DataSource, Profile, RunConfig, Size};

fn colour(width: u32, height: u32, seed: u8) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 7) as u8 ^ seed, (y * 5) as u8, seed])
    })
    .into()
}

fn grey(width: u32, height: u32) -> DynamicImage {
    GrayImage::from_fn(width, height, |x, y| Luma([(x * 9 + y) as u8])).into()
}

fn write(root: &Path, name: &str, image: &DynamicImage) -> Result<()> {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap())?;
    image.save(path)?;
    Ok(())
}

fn folder(root: &Path) -> RunConfig {
    RunConfig {
        data: DataSource::Folder(root.to_owned()),
        ..RunConfig::default()
    }
}

fn quiet(_: usize, _: usize) -> bool {
    true
}

/// Two classes of `n` images each, 20×16.
fn two_classes(root: &Path, n: usize) -> Result<()> {
    for i in 0..n {
        write(root, &format!("cat/{i:03}.png"), &colour(20, 16, i as u8))?;
        write(
            root,
            &format!("dog/{i:03}.png"),
            &colour(20, 16, 128 + i as u8),
        )?;
    }
    Ok(())
}

fn error(config: &RunConfig) -> String {
    load(config, &quiet).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn image_files_of_every_format_size_and_colour_are_read() -> Result<()> {
    let root = tempfile::tempdir()?;
    for ending in ["png", "jpg", "JPEG", "bmp", "webp", "tiff", "gif", "ppm"] {
        write(
            root.path(),
            &format!("b class/ü {ending}.{ending}"),
            &colour(40, 30, 9),
        )?;
    }
    write(root.path(), "a/deep/er/x.pgm", &grey(100, 90))?;
    write(
        root.path(),
        "a/sixteen.png",
        &DynamicImage::ImageLuma16(grey(33, 17).to_luma16()),
    )?;
    fs::write(root.path().join("a/notes.txt"), "not an image")?;
    fs::write(root.path().join("a/.hidden.png"), "nor this")?;
    let mut config = folder(root.path());
    config.val = Some(0);
    let data = load(&config, &quiet)?.dataset;
    assert_eq!(data.classes, ["a", "b class"]);
    assert_eq!(
        (data.width, data.height, data.channels, data.labels.len()),
        (32, 32, 3, 10)
    );
    assert_eq!(data.files.as_ref().unwrap()[0], "a/deep/er/x.pgm");
    // All pixels have the same blue value, 9. BMP files keep it exactly, and resizing keeps the mean.
    let bmp = data
        .files
        .as_ref()
        .unwrap()
        .iter()
        .position(|file| file.ends_with(".bmp"))
        .unwrap();
    let blue: f64 = data
        .image(bmp as u32)
        .chunks(3)
        .map(|pixel| f64::from(pixel[2]))
        .sum::<f64>()
        / 1024.0;
    assert!((blue - 9.0).abs() < 1.0, "{blue}");
    config.size = Some(Size {
        width: 24,
        height: 40,
    });
    config.channels = Some(1);
    let data = load(&config, &quiet)?.dataset;
    assert_eq!(
        (data.width, data.height, data.channels, data.images.len()),
        (24, 40, 1, 10 * 24 * 40)
    );
    Ok(())
}

/// Of 16 bits, 8 are trained on: an image that uses the lowest 12 keeps 17 levels.
#[test]
fn grey_images_of_16_bits_that_use_12_are_said() -> Result<()> {
    let root = tempfile::tempdir()?;
    let sixteen = |factor: u16, first: u16| {
        let level = |x: u32, _: u32| Luma([x as u16 * factor + first]);
        DynamicImage::ImageLuma16(image::ImageBuffer::from_fn(20, 16, level))
    };
    for i in 0..6 {
        write(root.path(), &format!("cat/{i}.png"), &sixteen(200, i))?;
        write(root.path(), &format!("dog/{i}.png"), &sixteen(3000, i))?;
    }
    write(root.path(), "dog/black.png", &sixteen(0, 0))?;
    let said = "6 images of 16 bits use only their lowest 12 bits and are nearly black; scale the values to 16 bits";
    let notes = load(&folder(root.path()), &quiet)?.notes;
    assert!(notes.iter().any(|note| note == said), "{notes:?}");
    fs::remove_dir_all(root.path().join("cat"))?;
    fs::rename(root.path().join("dog"), root.path().join("cat"))?;
    two_classes(root.path(), 6)?;
    let notes = load(&folder(root.path()), &quiet)?.notes.join("\n");
    assert!(!notes.contains("16 bits"), "{notes}");
    Ok(())
}

#[test]
fn images_keep_their_own_size_where_all_agree() -> Result<()> {
    let root = tempfile::tempdir()?;
    two_classes(root.path(), 10)?;
    let data = load(&folder(root.path()), &quiet)?.dataset;
    assert_eq!((data.width, data.height, data.channels), (20, 16, 3));
    let first = data.image(0);
    assert_eq!(first, colour(20, 16, 0).to_rgb8().as_raw().as_slice());
    let again = load(&folder(root.path()), &quiet)?.dataset;
    assert_eq!(data, again);
    let other = load(
        &RunConfig {
            data_seed: 1,
            ..folder(root.path())
        },
        &quiet,
    )?
    .dataset;
    assert_eq!(data.fingerprint(), other.fingerprint());
    assert_ne!(
        data.train, other.train,
        "another data seed splits differently"
    );
    fs::remove_file(root.path().join("cat/003.png"))?;
    assert_ne!(
        data.fingerprint(),
        load(&folder(root.path()), &quiet)?.dataset.fingerprint()
    );
    Ok(())
}

#[test]
fn splits_are_disjoint_and_as_planned() -> Result<()> {
    let root = tempfile::tempdir()?;
    two_classes(root.path(), 40)?;
    for i in 0..7 {
        write(
            root.path(),
            &format!("rare/{i}.png"),
            &colour(20, 16, 60 + i),
        )?;
    }
    write(root.path(), "single/1.png", &colour(20, 16, 200))?;
    for (imbalance, profile, val) in [
        (1.0, Profile::Exp, None),
        (10.0, Profile::Exp, None),
        (8.0, Profile::Step, Some(3)),
        (1.0, Profile::Exp, Some(0)),
    ] {
        let config = RunConfig {
            imbalance,
            profile,
            val,
            ..folder(root.path())
        };
        let data = load(&config, &quiet)?.dataset;
        let plan = scan(&config)?.plan(&config);
        assert_eq!(data.counts(&data.train), plan.train);
        assert_eq!(data.counts(&data.val), plan.val);
        assert_eq!(data.counts(&data.test), plan.test);
        assert!(plan.train.iter().all(|&n| n > 0), "{plan:?}");
        assert_eq!(plan.train[3], 1, "a single image trains");
        let mut all = [data.train.clone(), data.val.clone(), data.test.clone()].concat();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "an image is in two splits");
    }
    Ok(())
}

#[test]
fn validation_images_are_set_apart_before_the_long_tail_is_cut() {
    let balanced = Summary {
        train: vec![5000; 10],
        test: Some(vec![1000; 10]),
        ..Summary::default()
    };
    let config = RunConfig {
        imbalance: 100.0,
        ..RunConfig::default()
    };
    let plan = balanced.plan(&config);
    assert_eq!((plan.val[0], plan.train[0], plan.train[9]), (100, 4900, 49));
    let published = balanced.plan(&RunConfig {
        val: Some(0),
        ..config
    });
    assert_eq!(
        published.train,
        [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    );
    let natural = Summary {
        train: vec![1000, 50, 4],
        test: Some(vec![9; 3]),
        ..Summary::default()
    };
    assert_eq!(natural.plan(&RunConfig::default()).val, [100, 5, 0]);
    let own = Summary {
        val: Some(vec![7; 3]),
        ..natural
    };
    assert_eq!(own.plan(&RunConfig::default()).val, [7; 3]);
}

#[test]
fn the_sources_own_splits_are_kept() -> Result<()> {
    let root = tempfile::tempdir()?;
    two_classes(&root.path().join("train"), 8)?;
    two_classes(&root.path().join("valid"), 2)?;
    two_classes(&root.path().join("test"), 3)?;
    let data = load(&folder(root.path()), &quiet)?.dataset;
    assert_eq!(
        (data.train.len(), data.val.len(), data.test.len()),
        (16, 4, 6)
    );
    let files = data.files.as_ref().unwrap();
    assert!(
        data.test
            .iter()
            .all(|&i| files[i as usize].starts_with("test/"))
    );
    Ok(())
}

#[test]
fn bad_input_is_named_with_the_remedy() -> Result<()> {
    let root = tempfile::tempdir()?;
    two_classes(root.path(), 6)?;
    let broken = root.path().join("cat/broken.jpg");
    fs::write(&broken, b"\xff\xd8\xff\xe0 this is no photograph")?;
    let whole = fs::read(root.path().join("dog/000.png"))?;
    fs::write(root.path().join("dog/short.png"), &whole[..whole.len() / 2])?;
    let message = error(&folder(root.path()));
    assert!(
        message.contains("Skip unreadable images")
            && (message.contains("broken.jpg") || message.contains("short.png")),
        "{message}"
    );
    let skipping = RunConfig {
        skip_unreadable: true,
        ..folder(root.path())
    };
    let loaded = load(&skipping, &quiet)?;
    assert_eq!(loaded.dataset.labels.len(), 12);
    let notes = loaded.sentences().join("\n");
    assert!(
        notes.contains("2 files") && notes.contains("broken.jpg") && notes.contains("short.png"),
        "{notes}"
    );
    fs::remove_file(broken)?;
    fs::remove_file(root.path().join("dog/short.png"))?;

    fs::create_dir(root.path().join("eel"))?;
    let message = error(&folder(root.path()));
    assert!(
        message.contains("class `eel` has no training image") && message.contains("delete"),
        "{message}"
    );
    fs::remove_dir(root.path().join("eel"))?;

    let message = error(&folder(&root.path().join("nowhere")));
    assert!(message.contains("nowhere"), "{message}");
    let message = error(&folder(&root.path().join("cat")));
    assert!(message.contains("0 class folders"), "{message}");
    let cancelled = load(&folder(root.path()), &|_, _| false)
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(cancelled, DataError::Cancelled));
    Ok(())
}

#[test]
fn solar_is_the_same_everywhere() -> Result<()> {
    let config = RunConfig::default();
    let data = load(&config, &quiet)?.dataset;
    let plan = scan(&config)?.plan(&config);
    assert_eq!(data.counts(&data.train), plan.train);
    assert_eq!((data.width, data.height, data.channels), (32, 32, 3));
    assert_eq!(
        plan.train.iter().min(),
        Some(&plan.train[4]),
        "Physical-damage is the rarest"
    );
    let cut = RunConfig {
        imbalance: 100.0,
        ..config.clone()
    };
    let counts = scan(&cut)?.plan(&cut).train;
    assert_eq!((counts[0], counts[4], counts[5]), (1260, 12, 79));
    let large = RunConfig {
        size: Some(Size {
            width: 48,
            height: 40,
        }),
        channels: Some(1),
        ..config
    };
    let large = load(&large, &quiet)?.dataset;
    assert_eq!(large.image_len(), 48 * 40);
    Ok(())
}

#[test]
fn the_mean_is_over_training_images_and_the_probe_is_balanced() -> Result<()> {
    let root = tempfile::tempdir()?;
    two_classes(root.path(), 20)?;
    let data = load(&folder(root.path()), &quiet)?.dataset;
    let probe = data.probe_indices(5, 0);
    assert_eq!(probe.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5]);
    assert!(
        probe
            .concat()
            .iter()
            .all(|index| data.train.contains(index))
    );
    assert_ne!(probe, data.probe_indices(5, 1));
    let constant = Dataset {
        images: vec![51; 4],
        height: 2,
        width: 2,
        channels: 1,
        labels: vec![0],
        classes: vec!["a".into()],
        train: vec![0],
        ..Dataset::default()
    };
    let normalise = constant.normalise();
    assert!((normalise.mean[0] - 0.2).abs() < 1e-6 && normalise.std == [1.0]);
    Ok(())
}

#[test]
fn the_hash_does_not_depend_on_how_bytes_arrive() {
    let bytes: Vec<u8> = (0..100).collect();
    let mut whole = Hash::default();
    whole.bytes(&bytes);
    let mut parts = Hash::default();
    for part in [&bytes[..3], &bytes[3..4], &bytes[4..50], &bytes[50..]] {
        parts.bytes(part);
    }
    assert_eq!(whole.finish(), parts.finish());
}

/// A reader of single images gives the pixels that the whole data set has.
#[test]
fn single_images_are_those_of_the_data_set() -> Result<()> {
    let config = RunConfig::default();
    let data = load(&config, &|_, _| true)?.dataset;
    let shape = [data.height, data.width, data.channels];
    for index in [0, 1234, data.labels.len() as u32 - 1] {
        assert_eq!(
            Reader::open(&config)?.pixels(index, None, shape)?,
            data.image(index)
        );
    }
    let text = Reader::open(&config)?
        .pixels(1_000_000, None, shape)
        .unwrap_err()
        .to_string();
    assert!(text.contains("there is no image 1000000"), "{text}");

    let folder = tempfile::tempdir()?;
    for (class, shade) in [("a", 40), ("b", 200)] {
        let dir = folder.path().join(class);
        fs::create_dir(&dir)?;
        for i in 0..10_u8 {
            let pixel = Rgb([shade, 10 * i, 7]);
            let name = dir.join(format!("{i}.png"));
            RgbImage::from_fn(40, 24, |x, _| if x < 20 { pixel } else { Rgb([0; 3]) })
                .save(name)?;
        }
    }
    let config = RunConfig {
        data: DataSource::Folder(folder.path().to_owned()),
        size: Some(Size {
            width: 20,
            height: 16,
        }),
        ..RunConfig::default()
    };
    let data = load(&config, &|_, _| true)?.dataset;
    let shape = [data.height, data.width, data.channels];
    for (index, file) in data.files.iter().flatten().enumerate() {
        let index = index as u32;
        assert_eq!(
            Reader::open(&config)?.pixels(index, Some(file), shape)?,
            data.image(index)
        );
    }
    let text = Reader::open(&config)?
        .pixels(0, Some("a/gone.png"), shape)
        .unwrap_err();
    assert!(text.to_string().contains("gone.png"), "{text}");
    Ok(())
}
