//! Which column of a shard holds the images, and which the labels.

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::schema::types::SchemaDescriptor;
use serde_json::Value;

/// Names that a column of images may have, the likeliest first.
const IMAGES: [&str; 8] = [
    "image",
    "img",
    "images",
    "picture",
    "photo",
    "jpg",
    "png",
    "image_bytes",
];
/// Names that a column of labels may have, the likeliest first.
const LABELS: [&str; 9] = [
    "label",
    "labels",
    "fine_label",
    "class",
    "target",
    "category",
    "class_label",
    "label_name",
    "class_name",
];

/// A column without its parts: a field at the top of the schema.
struct Field {
    name: String,
    /// Numbers and types of the columns that it is made of.
    leaves: Vec<Leaf>,
}

struct Leaf {
    at: usize,
    /// Name within the field; empty where the field is the column.
    part: String,
    kind: Kind,
    /// Whether a row holds a list of values.
    is_list: bool,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bytes,
    Text,
    Integer,
    Truth,
    Other,
}

/// The columns of a shard that are read.
pub(super) struct Columns {
    /// Number of the column of encoded images.
    pub(super) image: usize,
    /// Number of the column with the paths of images, where there is one.
    pub(super) path: Option<usize>,
    /// Number of the column of labels.
    pub(super) label: usize,
    /// Name of the column of labels.
    pub(super) label_name: String,
    /// A sentence where another column could have been chosen.
    pub(super) notes: Vec<String>,
}

/// The columns of images and labels, by the names that the user gives, the features that the metadata tells, and their
/// types. An error says which columns there are.
pub(super) fn columns(
    schema: &SchemaDescriptor,
    features: &Value,
    (image, label): (Option<&str>, Option<&str>),
) -> Result<Columns, String> {
    let fields = fields(schema);
    let mut notes = Vec::new();
    let image = image_field(&fields, features, image, &mut notes)?;
    let content = content(image)?;
    let path = image
        .leaves
        .iter()
        .find(|leaf| leaf.part == "path" && !leaf.is_list);
    let label = label_field(&fields, features, (label, image), &mut notes)?;
    Ok(Columns {
        image: content,
        path: path.map(|leaf| leaf.at),
        label: label_leaf(label)?,
        label_name: label.name.clone(),
        notes,
    })
}

fn fields(schema: &SchemaDescriptor) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for (at, column) in schema.columns().iter().enumerate() {
        let mut parts = column.path().parts().iter();
        let name = parts.next().cloned().unwrap_or_default();
        let part = parts.map(String::as_str).collect::<Vec<_>>().join(".");
        let is_text = column.logical_type_ref() == Some(&LogicalType::String)
            || matches!(
                column.converted_type(),
                ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON
            );
        let kind = match column.physical_type() {
            Type::BYTE_ARRAY if is_text => Kind::Text,
            Type::BYTE_ARRAY => Kind::Bytes,
            Type::INT32 | Type::INT64 => Kind::Integer,
            Type::BOOLEAN => Kind::Truth,
            Type::INT96 | Type::FLOAT | Type::DOUBLE | Type::FIXED_LEN_BYTE_ARRAY => Kind::Other,
        };
        let leaf = Leaf {
            at,
            part,
            kind,
            is_list: column.max_rep_level() > 0,
        };
        match fields.last_mut().filter(|field| field.name == name) {
            Some(field) => field.leaves.push(leaf),
            None => fields.push(Field {
                name,
                leaves: vec![leaf],
            }),
        }
    }
    fields
}

/// The field that the user names, or an error that lists all.
fn named<'a>(fields: &'a [Field], name: &str, option: &str) -> Result<&'a Field, String> {
    let found = fields.iter().find(|field| field.name == name);
    found.ok_or_else(|| {
        format!(
            "`{option}` names the column `{name}`, and its columns are {}",
            list(fields.iter())
        )
    })
}

fn list<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    fields
        .map(|field| format!("`{}`", field.name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// One of several candidates: the only one, or the one with the likeliest name.
fn one<'a>(
    candidates: &[&'a Field],
    likely: &[&str],
    (what, option): (&str, &str),
    notes: &mut Vec<String>,
) -> Result<Option<&'a Field>, String> {
    match candidates {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        several => {
            let known = likely
                .iter()
                .find_map(|name| several.iter().find(|field| field.name == *name));
            let all = list(several.iter().copied());
            let Some(known) = known else {
                return Err(format!(
                    "its columns {all} may all hold {what}; choose one with `{option}`"
                ));
            };
            let others = list(
                several
                    .iter()
                    .copied()
                    .filter(|field| field.name != known.name),
            );
            notes.push(format!(
                "{what} are read from the column `{}` and not from {others}; `{option}` decides",
                known.name
            ));
            Ok(Some(known))
        }
    }
}

fn image_field<'a>(
    fields: &'a [Field],
    features: &Value,
    name: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<&'a Field, String> {
    const WHAT: (&str, &str) = ("images", "--image-column");
    if let Some(name) = name {
        return named(fields, name, WHAT.1);
    }
    let is_feature = |field: &&Field| features[&field.name]["_type"] == "Image";
    let has_bytes = |field: &&Field| {
        field
            .leaves
            .iter()
            .any(|leaf| leaf.part == "bytes" && leaf.kind == Kind::Bytes && !leaf.is_list)
    };
    let is_bytes = |field: &&Field| matches!(field.leaves.as_slice(), [leaf] if leaf.part.is_empty() && leaf.kind == Kind::Bytes);
    let is_named = |field: &&Field| IMAGES.contains(&field.name.as_str());
    let tries: [&dyn Fn(&&Field) -> bool; 4] = [
        &is_feature,
        &has_bytes,
        &|field| is_bytes(field) && is_named(field),
        &is_bytes,
    ];
    for fits in tries {
        let candidates: Vec<_> = fields.iter().filter(|field| fits(field)).collect();
        if let Some(found) = one(&candidates, &IMAGES, WHAT, notes)? {
            return Ok(found);
        }
    }
    // A column that is called so, but holds something else, is worth a reason of its own.
    let found = IMAGES
        .iter()
        .find_map(|name| fields.iter().find(|field| field.name == *name));
    found.ok_or_else(|| {
        format!(
            "none of its columns {} holds encoded images; choose an image data set, or name the column with `--image-column`",
            list(fields.iter())
        )
    })
}

/// The number of the column with the bytes of the images of a field.
fn content(field: &Field) -> Result<usize, String> {
    let name = &field.name;
    let leaf = field
        .leaves
        .iter()
        .find(|leaf| leaf.part == "bytes")
        .or_else(|| field.leaves.first());
    let reason = match leaf {
        Some(leaf) if leaf.is_list && leaf.part.ends_with("bytes") => {
            "holds lists of images, and one image a row is read"
        }
        Some(leaf) if leaf.is_list => {
            "holds lists of numbers, and encoded images (such as PNG) are read"
        }
        Some(leaf)
            if leaf.kind == Kind::Bytes && (leaf.part.is_empty() || leaf.part == "bytes") =>
        {
            return Ok(leaf.at);
        }
        Some(leaf) if leaf.kind == Kind::Text => {
            "holds texts, such as paths or addresses of images, and not the images"
        }
        _ => "holds no encoded images",
    };
    Err(format!(
        "its column `{name}` {reason}; get a version of the data set with the images in it"
    ))
}

fn label_field<'a>(
    fields: &'a [Field],
    features: &Value,
    (name, image): (Option<&str>, &Field),
    notes: &mut Vec<String>,
) -> Result<&'a Field, String> {
    const WHAT: (&str, &str) = ("labels", "--label-column");
    if let Some(name) = name {
        return named(fields, name, WHAT.1);
    }
    let is_class = |field: &&Field| features[&field.name]["_type"] == "ClassLabel";
    let mut classes: Vec<_> = fields.iter().filter(is_class).collect();
    let others = || fields.iter().filter(|field| field.name != image.name);
    let known: Vec<_> = others()
        .filter(|field| LABELS.contains(&field.name.as_str()))
        .collect();
    // The only column with class names may tell something else, such as the source, where another is called `label`.
    let is_unusual = matches!(classes.as_slice(), [only] if !LABELS.contains(&only.name.as_str()));
    if is_unusual {
        let usable = known.iter().copied();
        classes.extend(usable.filter(|field| label_leaf(field).is_ok()));
    }
    if let Some(found) = one(&classes, &LABELS, WHAT, notes)? {
        return Ok(found);
    }
    if let Some(found) = one(&known, &LABELS, WHAT, notes)? {
        return Ok(found);
    }
    let fitting: Vec<_> = others().filter(|field| label_leaf(field).is_ok()).collect();
    match fitting.as_slice() {
        [only] => {
            notes.push(format!(
                "labels are read from the column `{}`; `--label-column` decides",
                only.name
            ));
            Ok(only)
        }
        [] => Err(format!(
            "none of its columns {} holds labels; choose a data set for classification, or name the column with \
             `--label-column`",
            list(fields.iter())
        )),
        several => Err(format!(
            "its columns {} may all hold labels; choose one with `--label-column`",
            list(several.iter().copied())
        )),
    }
}

/// The number of the column of a field of labels.
fn label_leaf(field: &Field) -> Result<usize, String> {
    let reason = match field.leaves.as_slice() {
        [leaf] if leaf.is_list => "holds several labels for an image, and one is needed",
        [leaf]
            if leaf.part.is_empty()
                && matches!(
                    leaf.kind,
                    Kind::Integer | Kind::Text | Kind::Truth | Kind::Bytes
                ) =>
        {
            return Ok(leaf.at);
        }
        [leaf] if leaf.part.is_empty() => {
            "holds numbers with decimals, and labels are whole numbers, texts or truth values"
        }
        _ => "holds more than a label",
    };
    Err(format!(
        "its column `{}` {reason}; choose another with `--label-column`",
        field.name
    ))
}
