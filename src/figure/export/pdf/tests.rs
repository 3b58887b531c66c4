//! Figures as PDF, read again by lopdf, which shares no code with krilla.

use anyhow::{Context as _, Result};
use lopdf::{Document, Object};

use crate::figure::export::{Figure, Format, Settings, SheetSize, Unit};
use crate::figure::testing::{Recorded, recorded, view};
use crate::figure::{Kind, View};

/// A single column of a paper.
const COLUMN: Settings = Settings {
    format: Format::Pdf,
    size: SheetSize {
        width: 85.0,
        height: 64.0,
        unit: Unit::Mm,
    },
    dpi: 300.0,
    text: 0.75,
    dark: false,
    transparent: false,
};

fn written(run: &Recorded, kind: Kind, view: &View, settings: &Settings) -> Result<Vec<u8>> {
    let figure = Figure {
        kind,
        subject: run.subject(),
        shown: &[run.subject()],
        view,
    };
    Ok(figure.bytes(settings)?)
}

/// An inch has 25.4 mm and 72 points of PDF: 85 mm are 240.94 points and 64 mm are 181.42. In points of the window, 96 to
/// an inch, 480 × 360 are 360 × 270 points of PDF.
#[test]
fn a_pdf_is_one_page_of_the_size_on_paper() -> Result<()> {
    let run = recorded("solar-branch")?;
    let on_screen = Settings {
        size: "480x360".parse().map_err(anyhow::Error::msg)?,
        text: 1.0,
        dpi: 192.0,
        ..COLUMN
    };
    for (settings, wanted) in [(COLUMN, [240.94, 181.42]), (on_screen, [360.0, 270.0])] {
        let bytes = written(&run, Kind::ConflictMatrix, &view(), &settings)?;
        let document = Document::load_mem(&bytes)?;
        let pages = document.get_pages();
        assert_eq!(pages.len(), 1);
        let page = document.get_dictionary(*pages.get(&1).context("no page")?)?;
        let sides = page.get(b"MediaBox")?.as_array()?;
        let sides = sides.iter().map(Object::as_float);
        let sides = sides.collect::<Result<Vec<_>, _>>()?;
        // Whole pixels at 300 dpi are up to a quarter of a point.
        for (side, wanted) in sides.iter().zip([0.0, 0.0, wanted[0], wanted[1]]) {
            assert!((side - wanted).abs() < 0.25, "{sides:?}");
        }
    }
    Ok(())
}

/// Letters of a text, without spaces: a reader of PDF finds spaces from distances.
fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn text_in_a_pdf_is_text_in_embedded_fonts() -> Result<()> {
    let run = recorded("solar-branch")?;
    let view = view();
    for kind in [Kind::ConflictMatrix, Kind::ClassF1, Kind::Confusion] {
        let bytes = written(&run, kind, &view, &COLUMN)?;
        let document = Document::load_mem(&bytes)?;
        let found = letters(&document.extract_text(&[1])?);
        assert!(found.contains(&letters(kind.title())), "{found}");
        for class in ["Bird-drop", "Physical-damage", "Electrical-damage"] {
            assert!(
                found.contains(class),
                "{}: no {class} in {found}",
                kind.name()
            );
        }
        let is_font_file = |object: &Object| {
            let of_font = |key: &[u8]| object.as_dict().is_ok_and(|x| x.has(key));
            of_font(b"FontFile2") || of_font(b"FontFile3")
        };
        assert!(
            document.objects.values().any(is_font_file),
            "no font inside"
        );
        let says = String::from_utf8_lossy(&bytes).into_owned();
        assert!(says.contains("/Title"), "no title");
    }
    Ok(())
}

#[test]
fn every_figure_is_the_same_pdf_each_time() -> Result<()> {
    let run = recorded("solar-branch")?;
    let view = view();
    for &kind in Kind::ALL {
        let first = written(&run, kind, &view, &COLUMN)?;
        assert!(first.starts_with(b"%PDF-"), "{}", kind.name());
        let second = written(&run, kind, &view, &COLUMN)?;
        assert!(first == second, "{} differs", kind.name());
        if let Some(folder) = std::env::var_os("FIGURE_SHOTS").map(std::path::PathBuf::from) {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(format!("{}.pdf", kind.name())), first)?;
        }
    }
    Ok(())
}
