//! The table “What the program reads, and what it does with what it cannot” of the documentation: every row is made and
//! read, and what happens is what the row says.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use crosscurrent::config::{DataSource, RunConfig};
use crosscurrent::data;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// What makes the input of a row in a folder and a configuration, by the first cell of the row.
type Make = fn(&Path, &mut RunConfig) -> Result<()>;

/// What became of an input: `Ok` with the notes, or `Err` with the refusal.
fn read(make: Make) -> Result<Result<String, String>> {
    let root = tempfile::tempdir()?;
    let mut config = RunConfig {
        data: DataSource::Folder(root.path().to_owned()),
        ..RunConfig::default()
    };
    make(root.path(), &mut config)?;
    Ok(match data::load(&config, &|_, _| true) {
        Err(error) => Err(error.to_string()),
        Ok(loaded) => match loaded.plan.refusal(&config) {
            Some(reason) => Err(reason),
            None => Ok(loaded.sentences().join("\n")),
        },
    })
}

/// A picture that no other number gives.
fn picture(number: usize) -> RgbImage {
    RgbImage::from_fn(24, 20, |x, y| {
        let noise = (x * 31 + y * 17 + number as u32 * 7) % 50;
        Rgb([(number * 3) as u8, noise as u8 * 5, (x * 9) as u8])
    })
}

fn encoded(number: usize, format: ImageFormat) -> Result<Vec<u8>> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture(number).write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

fn put(root: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = root.join(name);
    fs::create_dir_all(path.parent().context("a file has a folder")?)?;
    Ok(fs::write(path, bytes)?)
}

/// Writes ten pictures into each of these folders, all different.
fn classes(root: &Path, folders: &[&str]) -> Result<()> {
    for (class, folder) in folders.iter().enumerate() {
        for i in 0..10 {
            put(
                root,
                &format!("{folder}/{i}.png"),
                &encoded(class * 10 + i, ImageFormat::Png)?,
            )?;
        }
    }
    Ok(())
}

/// Two classes, and beside them these files with a byte in each.
fn beside(root: &Path, files: &[&str]) -> Result<()> {
    classes(root, &["cat", "dog"])?;
    files.iter().try_for_each(|file| put(root, file, b"x"))
}

#[cfg(unix)]
fn link(root: &Path, to: &str, name: &str) -> Result<()> {
    Ok(std::os::unix::fs::symlink(to, root.join(name))?)
}

enum Labels<'a> {
    Numbers(&'a [i64]),
    Texts(&'a [&'a str]),
    Truths(&'a [bool]),
}

impl Labels<'_> {
    fn schema(&self, name: &str) -> String {
        match self {
            Self::Numbers(_) => format!("REQUIRED INT64 {name};"),
            Self::Texts(_) => format!("REQUIRED BYTE_ARRAY {name} (UTF8);"),
            Self::Truths(_) => format!("REQUIRED BOOLEAN {name};"),
        }
    }
}

/// Writes a shard with a column of images, or of `paths` in their place, and these columns of labels.
fn shard(
    root: &Path,
    name: &str,
    rows: usize,
    columns: &[(&str, Labels<'_>)],
    paths: bool,
) -> Result<()> {
    let image = if paths {
        "REQUIRED BYTE_ARRAY image (UTF8);"
    } else {
        "REQUIRED BYTE_ARRAY image;"
    };
    let labels: String = columns
        .iter()
        .map(|(name, labels)| labels.schema(name))
        .collect();
    let schema = Arc::new(parse_message_type(&format!(
        "message schema {{ {image} {labels} }}"
    ))?);
    put(root, name, b"")?;
    let file = fs::File::create(root.join(name))?;
    let mut writer =
        SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::builder().build()))?;
    let mut group = writer.next_row_group()?;
    let mut column = group.next_column()?.context("column")?;
    let mut images = Vec::new();
    for i in 0..rows {
        images.push(ByteArray::from(if paths {
            b"a.png".to_vec()
        } else {
            encoded(i, ImageFormat::Png)?
        }));
    }
    column
        .typed::<ByteArrayType>()
        .write_batch(&images, None, None)?;
    column.close()?;
    for (_, labels) in columns {
        let mut column = group.next_column()?.context("column")?;
        match labels {
            Labels::Numbers(values) => column
                .typed::<Int64Type>()
                .write_batch(values, None, None)?,
            Labels::Truths(values) => column.typed::<BoolType>().write_batch(values, None, None)?,
            Labels::Texts(values) => {
                let values: Vec<ByteArray> =
                    values.iter().map(|text| ByteArray::from(*text)).collect();
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&values, None, None)?
            }
        };
        column.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

const TEN: [i64; 10] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1];

pub(crate) fn numbered(root: &Path, name: &str) -> Result<()> {
    shard(root, name, 10, &[("label", Labels::Numbers(&TEN))], false)
}

fn idx(root: &Path, kind: u8) -> Result<()> {
    let mut images = vec![0, 0, kind, 3, 0, 0, 0, 20, 0, 0, 0, 20, 0, 0, 0, 20];
    images.extend((0..8000).map(|i| (i / 400 * 3 + i % 7) as u8));
    let mut labels = vec![0, 0, 8, 1, 0, 0, 0, 20];
    labels.extend((0..20).map(|i| i % 2));
    put(root, "train-images-idx3-ubyte", &images)?;
    put(root, "train-labels-idx1-ubyte", &labels)
}

/// Image files of all endings that are read; the content of each is of the format that its ending says.
fn all_endings(root: &Path, _: &mut RunConfig) -> Result<()> {
    classes(root, &["cat", "dog"])?;
    let endings = [
        "png", "apng", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "webp", "tif", "tiff", "gif",
        "ppm", "pgm", "pnm", "pbm",
    ];
    for (number, ending) in endings.into_iter().enumerate() {
        let format = match ending {
            "jpg" | "jpeg" | "jpe" | "jfif" => ImageFormat::Jpeg,
            "bmp" | "dib" => ImageFormat::Bmp,
            "webp" => ImageFormat::WebP,
            "tif" | "tiff" => ImageFormat::Tiff,
            "gif" => ImageFormat::Gif,
            "ppm" | "pgm" | "pnm" | "pbm" => ImageFormat::Pnm,
            _ => ImageFormat::Png,
        };
        put(
            root,
            &format!("cat/of.{ending}"),
            &encoded(30 + number, format)?,
        )?;
    }
    let config = RunConfig {
        data: DataSource::Folder(root.to_owned()),
        ..RunConfig::default()
    };
    let read = data::load(&config, &|_, _| true)?.dataset.labels.len();
    ensure!(read == 20 + endings.len(), "{read} images are read");
    Ok(())
}

/// An image cut to half its bytes in each format, each of which is refused.
fn cut_short(root: &Path, config: &mut RunConfig) -> Result<()> {
    classes(root, &["cat", "dog"])?;
    for (ending, format) in [
        ("jpg", ImageFormat::Jpeg),
        ("png", ImageFormat::Png),
        ("bmp", ImageFormat::Bmp),
        ("gif", ImageFormat::Gif),
        ("tiff", ImageFormat::Tiff),
        ("webp", ImageFormat::WebP),
        ("ppm", ImageFormat::Pnm),
    ] {
        let whole = encoded(1, format)?;
        let path = root.join(format!("cat/short.{ending}"));
        fs::write(&path, &whole[..whole.len() / 2])?;
        ensure!(
            data::load(config, &|_, _| true).is_err(),
            "half of {format:?} is read"
        );
        fs::remove_file(path)?;
    }
    let whole = encoded(1, ImageFormat::Jpeg)?;
    put(root, "cat/short.jpg", &whole[..whole.len() / 2])
}

fn cifar(root: &Path, _: &mut RunConfig) -> Result<()> {
    let batch = |first: u8| {
        (0..10_u8)
            .flat_map(|k| [vec![k], vec![first + k; 3072]].concat())
            .collect::<Vec<u8>>()
    };
    for number in 1..=5_u8 {
        put(
            root,
            &format!("data_batch_{number}.bin"),
            &batch(20 * number),
        )?;
    }
    put(root, "test_batch.bin", &batch(200))
}

/// The rows of the table, in its order: the first cell, and what makes the input.
#[cfg(unix)]
const ROWS: &[(&str, Make)] = &[
    ("image files: png, ", all_endings),
    ("image files of other kinds: ", |root, _| {
        beside(
            root,
            &[
                "cat/a.heic",
                "cat/b.avif",
                "dog/c.jp2",
                "dog/d.jxl",
                "cat/e.svg",
                "cat/f.psd",
                "cat/g.tga",
            ],
        )
    }),
    ("a class whose images are all of such a kind", |root, _| {
        beside(root, &["eel/a.heic", "eel/b.heic"])
    }),
    ("a file without an ending", |root, _| {
        beside(root, &["cat/a"])
    }),
    ("an archive", |root, _| beside(root, &["more.zip"])),
    ("an image file that is cut short, ", cut_short),
    (
        "an image file that lacks only the mark at its end",
        |root, _| {
            classes(root, &["cat", "dog"])?;
            let whole = encoded(50, ImageFormat::Png)?;
            put(root, "cat/a.png", &whole[..whole.len() - 12])
        },
    ),
    (
        "an unreadable image, with `--skip-unreadable`",
        |root, config| {
            config.skip_unreadable = true;
            beside(root, &["cat/a.png"])
        },
    ),
    ("images beside the class folders", |root, _| {
        classes(root, &["cat", "dog"])?;
        put(root, "a.png", &encoded(50, ImageFormat::Png)?)
    }),
    ("folders and files of the system", |root, _| {
        beside(root, &["__MACOSX/cat/._1.png", "cat/Thumbs.db"])
    }),
    ("hidden files and folders", |root, _| {
        beside(root, &["cat/.a.png", ".git/config"])
    }),
    (
        "a folder beside the classes that holds no images",
        |root, _| beside(root, &["labels/1.xml"]),
    ),
    (
        "a folder with images beside those of the splits",
        |root, _| {
            classes(
                root,
                &[
                    "train/cat",
                    "train/dog",
                    "test/cat",
                    "test/dog",
                    "extra/cat",
                ],
            )
        },
    ),
    (
        "a test folder with images and no class folders",
        |root, _| classes(root, &["train/cat", "train/dog", "test"]),
    ),
    ("an empty class folder", |root, _| {
        classes(root, &["cat", "dog"])?;
        Ok(fs::create_dir(root.join("eel"))?)
    }),
    ("a class that is among the test images only", |root, _| {
        classes(root, &["train/cat", "train/dog", "test/cat", "test/eel"])
    }),
    ("a link to a folder above or to another class", |root, _| {
        classes(root, &["cat", "dog"])?;
        link(root, "..", "cat/up")?;
        link(root, "cat", "again")
    }),
    ("a link that leads nowhere", |root, _| {
        classes(root, &["cat", "dog"])?;
        link(root, "nowhere", "cat/a.png")
    }),
    ("a folder in a folder", |root, _| {
        classes(root, &["archive/data/cat", "archive/data/dog"])
    }),
    ("splits in other spellings", |root, _| {
        classes(
            root,
            &["Training/cat", "Training/dog", "Testing/cat", "Testing/dog"],
        )
    }),
    ("a class called `train`", |root, _| {
        classes(root, &["bus", "train"])
    }),
    ("`val` and `test` without a training split", |root, _| {
        classes(root, &["val/cat", "val/dog", "test/cat", "test/dog"])
    }),
    (
        "folders named after splits that hold no class folders",
        |root, _| classes(root, &["Train", "Test"]),
    ),
    ("two data sets side by side", |root, _| {
        classes(root, &["raw/cat", "raw/dog", "small/cat", "small/dog"])
    }),
    ("two data sets that each have splits", |root, _| {
        let splits = ["train", "test"].map(|split| {
            ["raw", "small"].map(|set| ["cat", "dog"].map(|class| format!("{set}/{split}/{class}")))
        });
        let folders = splits.as_flattened().as_flattened();
        classes(
            root,
            &folders.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    }),
    ("two data sets within the folders of splits", |root, _| {
        let splits = ["train", "test"].map(|split| {
            ["raw", "small"].map(|set| ["cat", "dog"].map(|class| format!("{split}/{set}/{class}")))
        });
        let folders = splits.as_flattened().as_flattened();
        classes(
            root,
            &folders.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    }),
    (
        "classes that hold folders of their own for the splits",
        |root, _| classes(root, &["cat/train", "cat/test", "dog/train", "dog/test"]),
    ),
    ("a split that is a link to another one", |root, _| {
        classes(root, &["train/cat", "train/dog", "test/cat", "test/dog"])?;
        link(root, "test", "val")
    }),
    ("masks beside the images", |root, _| {
        classes(root, &["cat", "dog"])?;
        (0..2).try_for_each(|i| {
            let mask = encoded(30 + i, ImageFormat::Png)?;
            put(root, &format!("cat/{i}_mask.png"), &mask)
        })
    }),
    (
        "the same images among the training and the test images",
        |root, _| {
            classes(root, &["train/cat", "train/dog", "test/cat", "test/dog"])?;
            Ok(fs::copy(root.join("train/cat/1.png"), root.join("test/cat/x.png")).map(|_| ())?)
        },
    ),
    ("the same image in two classes", |root, config| {
        config.val = Some(0);
        classes(root, &["cat", "dog"])?;
        Ok(fs::copy(root.join("cat/1.png"), root.join("dog/x.png")).map(|_| ())?)
    }),
    ("a class name in two Unicode forms", |root, _| {
        classes(root, &["caf\u{e9}", "cafe\u{301}", "dog"])
    }),
    ("class names that differ only in case", |root, _| {
        classes(root, &["cat", "Cat"])
    }),
    ("class names with control characters", |root, _| {
        classes(root, &["cat", "d\u{1b}[31mog"])
    }),
    ("class names that begin as formulas do", |root, _| {
        classes(root, &["=1+1", "dog"])
    }),
    ("CIFAR, binary version", cifar),
    ("CIFAR-10 and CIFAR-100", |root, config| {
        cifar(root, config)?;
        put(root, "cifar-100-binary/train.bin", b"x")
    }),
    ("CIFAR, Python version", |root, _| {
        put(root, "cifar-10-batches-py/data_batch_1", b"x")
    }),
    ("IDX files, plain or gzip, ", |root, _| idx(root, 8)),
    (
        "IDX files of other values than unsigned bytes",
        |root, _| idx(root, 13),
    ),
    ("IDX files of labels without", |root, _| {
        idx(root, 8)?;
        put(root, "t10k-labels-idx1-ubyte", b"x")
    }),
    (
        "parquet shards with labels that are numbers, texts or truth values",
        |root, config| {
            let texts = ["a", "b", "a", "b", "a", "b", "a", "b", "a", "b"];
            let truths = TEN.map(|label| label > 0);
            for labels in [Labels::Texts(&texts), Labels::Truths(&truths)] {
                shard(root, "train.parquet", 10, &[("label", labels)], false)?;
                ensure!(data::load(config, &|_, _| true)?.dataset.classes.len() == 2);
            }
            numbered(root, "train.parquet")
        },
    ),
    (
        "parquet shards whose test labels are all −1 or missing",
        |root, _| {
            numbered(root, "train.parquet")?;
            shard(
                root,
                "test.parquet",
                2,
                &[("label", Labels::Numbers(&[-1, -1]))],
                false,
            )
        },
    ),
    (
        "parquet shards of other splits than the three",
        |root, _| {
            ["train", "test", "extra"]
                .iter()
                .try_for_each(|split| numbered(root, &format!("{split}-0.parquet")))
        },
    ),
    (
        "parquet shards with several columns of labels",
        |root, _| {
            let columns = [
                ("breed", Labels::Numbers(&TEN)),
                ("colour", Labels::Numbers(&TEN)),
            ];
            shard(root, "train.parquet", 10, &columns, false)
        },
    ),
    ("parquet shards with the paths of images", |root, _| {
        shard(
            root,
            "train.parquet",
            10,
            &[("label", Labels::Numbers(&TEN))],
            true,
        )
    }),
    ("parquet shards of which some are not there", |root, _| {
        ["train-00000-of-00004", "train-00001-of-00004"]
            .iter()
            .try_for_each(|name| numbered(root, &format!("{name}.parquet")))
    }),
    ("parquet shards of two configurations", |root, _| {
        ["full", "small"]
            .iter()
            .try_for_each(|set| numbered(root, &format!("{set}/train-0.parquet")))
    }),
    (
        "images in one folder with their labels in a table",
        |root, _| {
            classes(root, &["images"])?;
            put(root, "labels.csv", b"file,label")
        },
    ),
    ("arrays and records: ", |root, _| {
        put(root, "data.npz", b"x")
    }),
    ("grey images of 16 bits that use", |root, _| {
        classes(root, &["cat", "dog"])?;
        for i in 0..2_u16 {
            let level = |x: u32, _: u32| image::Luma([x as u16 * 100 + i]);
            let dark = DynamicImage::ImageLuma16(image::ImageBuffer::from_fn(24, 20, level));
            dark.save(root.join(format!("cat/dark{i}.png")))?;
        }
        Ok(())
    }),
    (
        "`--val` of images that have a validation",
        |root, config| {
            config.val = Some(3);
            let folders = ["train", "val", "test"]
                .map(|split| ["cat", "dog"].map(|class| format!("{split}/{class}")));
            let folders = folders.as_flattened();
            classes(
                root,
                &folders.iter().map(String::as_str).collect::<Vec<_>>(),
            )
        },
    ),
    (
        "classes of so few images that none is left to measure on",
        |root, _| {
            (0..20).try_for_each(|i| {
                put(
                    root,
                    &format!("{}/{i}.png", i / 2),
                    &encoded(i, ImageFormat::Png)?,
                )
            })
        },
    ),
    (
        "`--val` that leaves one training image of each class",
        |root, config| {
            config.val = Some(1000);
            classes(root, &["cat", "dog"])
        },
    ),
];

#[cfg(unix)]
#[test]
fn the_table_of_what_is_read_is_what_happens() -> Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs/data.md");
    let page = fs::read_to_string(page)?;
    let table = page
        .lines()
        .skip_while(|line| *line != "| input | the program | and says |")
        .skip(2);
    let rows: Vec<Vec<&str>> = table
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(
        rows.len(),
        ROWS.len(),
        "the table and the test have the same rows"
    );
    for (row, (input, make)) in rows.iter().zip(ROWS) {
        let [what, does, says] = row[..] else {
            panic!("{row:?}");
        };
        assert!(
            what.starts_with(input),
            "`{input}` is not in its place: {what}"
        );
        let found = read(*make).with_context(|| what.to_owned())?;
        let is_refused = does.starts_with("refuses ");
        assert!(
            is_refused || does.starts_with("reads ") || does.starts_with("leaves "),
            "{does}"
        );
        assert_eq!(found.is_err(), is_refused, "{what}: {found:?}");
        let said = found.unwrap_or_else(|error| error);
        assert!(
            !is_refused || said.lines().count() == 1,
            "{what}: one sentence, not {said}"
        );
        let words = says.trim_matches(['“', '”']);
        assert!(said.contains(words), "{what}: “{words}” is not in: {said}");
    }
    Ok(())
}
