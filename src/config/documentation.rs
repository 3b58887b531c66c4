//! `assets/docs/configuration.md`, written from the table of fields.

use std::fmt::Write as _;
use std::path::Path;

use super::field::{Field, Group};
use super::fields::RunConfig;
use super::value::Kind;

/// The environment variable with which the test writes the document instead of comparing it.
const UPDATE: &str = "UPDATE_DOCS";

const OPENING: &str = "# Configuration

This page is for everyone who sets up a run: every field of a configuration, in the order of `run.toml`. The same field is set by its
flag (`crosscurrent train --batch 64`), by its key in TOML (`batch = 64` in a file for `--config`, in a run's `run.toml`,
or in the tables `[run]` and `[grid]` of a sweep), and by its row in the setup panel, where what is rarely changed
stands under “More”. A flag overrides the file; a field in neither has its default. A field that says when it applies has
no effect otherwise, and a value given all the same is warned about.

This page is written from the table in `src/config/fields.rs`; after a change there,
`UPDATE_DOCS=1 cargo test --lib config::documentation` writes it anew.
";

/// The whole document.
fn document() -> Result<String, std::fmt::Error> {
    let mut text = OPENING.to_owned();
    for group in Group::ALL {
        write!(text, "\n## {}\n\n", group.title())?;
        text.push_str("| flag | key in TOML | meaning | unit | default | range | applies with |\n");
        text.push_str("|---|---|---|---|---|---|---|\n");
        for field in group.fields() {
            text.push_str(&row(field));
        }
        for field in group.fields() {
            if let Kind::Choice(choices) = field.kind {
                write!(text, "\n{} (`{}`):\n\n", field.label, field.name)?;
                for choice in choices {
                    let name = match choice.label {
                        label if label == choice.name => String::new(),
                        label => format!("{label}. "),
                    };
                    writeln!(text, "- `{}`: {name}{}.", choice.name, choice.help)?;
                }
            }
        }
    }
    Ok(text)
}

fn row(field: &Field<RunConfig>) -> String {
    let default = match field.default_text() {
        text if text.is_empty() => field.unset.to_owned(),
        text => format!("`{text}`"),
    };
    let values = match field.kind {
        Kind::Choice(choices) => {
            let names: Vec<_> = choices.iter().map(|x| format!("`{}`", x.name)).collect();
            names.join(", ")
        }
        Kind::Flag => "`true`, `false`".to_owned(),
        Kind::Source => "`solar`, `folder:PATH`".to_owned(),
        Kind::Splits => "`none`, `train=FOLDER,val=FOLDER,test=FOLDER`".to_owned(),
        Kind::Name => "a name".to_owned(),
        Kind::Shares => format!("`SHARE,SHARE,…`, each {}", field.bounds),
        Kind::Prior => "`as-trained`, `balanced`, `NUMBER,NUMBER,…`".to_owned(),
        Kind::Wholes => format!("`N,N,…`, each {}", field.bounds),
        Kind::Size => format!("`WIDTHxHEIGHT`, each {}", field.bounds),
        Kind::Whole if field.range().is_empty() => "0 or more".to_owned(),
        Kind::Number | Kind::Whole => field.bounds.to_string(),
    };
    let needs = field.applies.as_ref().map_or("", |x| x.needs);
    format!(
        "| `--{}` | `{}` | {} | {} | {default} | {values} | {needs} |\n",
        field.flag, field.name, field.help, field.unit
    )
}

#[test]
fn the_reference_says_what_the_table_says() -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs/configuration.md");
    let expected = document()?;
    if std::env::var_os(UPDATE).is_some() {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, &expected)?;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found.replace("\r\n", "\n") == expected,
        "assets/docs/configuration.md is stale; write it anew with `{UPDATE}=1 cargo test --lib config::documentation`"
    );
    Ok(())
}
