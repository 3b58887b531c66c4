//! The document about the architecture: its picture is the one in the crate's documentation, its table is the table of
//! rooms.

use anyhow::{Context as _, Result};

use super::table::Room;

/// The picture in the crate's documentation: the first code block there.
pub(super) fn picture(lib: &str) -> Result<String> {
    let documentation = lib.lines().map_while(|line| line.strip_prefix("//!"));
    let lines: Vec<_> = documentation
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .skip_while(|line| *line != "```text")
        .collect();
    let end = lines.iter().skip(1).position(|line| *line == "```");
    let end = end.context("src/lib.rs has no ```text block in its documentation")?;
    Ok(lines[..end + 2].join("\n"))
}

/// The table of rooms in Markdown.
pub(super) fn table(rooms: &[Room]) -> String {
    let mut lines = vec![
        "| place in `src` | what it is for | may import |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    for room in rooms {
        let may: Vec<_> = room.may.iter().map(|may| format!("`{may}`")).collect();
        let may = if may.is_empty() {
            "nothing".to_owned()
        } else {
            may.join(", ")
        };
        lines.push(format!("| `{}` | {} | {may} |", room.name, room.is_for));
    }
    lines.join("\n")
}

/// `document` with `text` in place of everything between the comments `<!-- name -->` and `<!-- end of name -->`.
pub(super) fn filled(document: &str, name: &str, text: &str) -> Result<String> {
    let (start, end) = (
        format!("<!-- {name} -->\n"),
        format!("\n<!-- end of {name} -->"),
    );
    let missing = || format!("no `{}` in the document", start.trim());
    let (before, rest) = document.split_once(&start).with_context(missing)?;
    let (_, after) = rest.split_once(&end).with_context(missing)?;
    Ok(format!("{before}{start}{text}{end}{after}"))
}
