use egui::{Pos2, vec2};

use super::*;

fn sorted(mut kinds: Vec<Kind>) -> Vec<Kind> {
    kinds.sort_by_key(|kind| kind.name());
    kinds
}

/// No figure reaches out of the page or over another.
fn are_apart(cards: &[Card], rect: Rect, words: &str) {
    for (i, (kind, _, card)) in cards.iter().enumerate() {
        assert!(rect.expand(0.5).contains_rect(*card), "{words}: {kind:?}");
        assert!(card.is_positive(), "{words}: {kind:?}");
        let overlap = |(.., other): &Card| card.intersect(*other).is_positive();
        assert!(!cards[..i].iter().any(overlap), "{words}: {kind:?}");
    }
    let bottom = cards.iter().map(|(.., card)| card.bottom());
    let bottom = bottom.fold(0.0, f32::max);
    assert!((bottom - rect.bottom()).abs() < 0.5, "{words}");
}

/// The cards of a page with the row that stays in view, in the least height or more.
fn all_cards(part: &Part, dock: Option<Part>, width: f32, more: f32, words: &str) -> Vec<Card> {
    let mut all = Vec::new();
    for part in std::iter::once(part).chain(dock.as_ref()) {
        let rect = Rect::from_min_size(Pos2::ZERO, vec2(width, part.least() + more));
        let cards = part.cards(rect);
        are_apart(&cards, rect, words);
        all.extend(cards);
    }
    all
}

/// The command line exports a page by its name, without a window, so that it has a list of figures of its own.
#[test]
fn pages_show_the_figures_that_the_command_line_knows() {
    for &page in Page::ALL {
        let known = page.figures();
        for width in [0.5 * MEDIUM, MEDIUM, WIDE, 2.0 * WIDE] {
            for seen in [400.0, DOCKED_FROM, 1200.0] {
                let words = format!("{page:?}, {width} × {seen} points");
                let part = page.of_one(width, seen);
                let cards = all_cards(&part, page.dock(1, width, seen), width, 100.0, &words);
                // The table of measures is no card, so that the layout does not place it.
                let measures = known.contains(&Kind::Measures).then_some(Kind::Measures);
                let cards = cards.into_iter().map(|(kind, ..)| kind);
                let shown = sorted(cards.chain(measures).collect());
                assert_eq!(shown, sorted(known.to_vec()), "{words}");
            }
        }
    }
}

/// A page of two runs has the figures that the command line exports of them.
#[test]
fn pages_of_two_runs_show_the_figures_that_the_command_line_knows() {
    for &page in Page::ALL {
        for (width, seen) in [
            (500.0, 500.0),
            (800.0, 700.0),
            (1400.0, 500.0),
            (1400.0, 900.0),
        ] {
            let words = format!("{page:?}, {width} × {seen} points");
            let (Some(part), Some(known)) = (page.of_both(width, seen), of_two(page)) else {
                assert_eq!(of_two(page).is_some(), page.of_both(width, seen).is_some());
                continue;
            };
            let cards = all_cards(&part, page.dock(2, width, seen), width, 0.0, &words);
            for (run, known) in known.iter().enumerate() {
                let own = cards.iter().filter(|(_, of, _)| *of == run);
                let own = own.map(|(kind, ..)| *kind).collect();
                assert_eq!(sorted(own), sorted(known.to_vec()), "{words}");
            }
        }
    }
}

/// The room of a figure that has nothing to show goes to its neighbours, and the page of a run without any is empty.
#[test]
fn figures_with_nothing_to_show_leave_their_room() {
    let page = Page::Conflicts.of_one(1200.0, 500.0);
    let rect = Rect::from_min_size(Pos2::ZERO, vec2(1200.0, 1000.0));
    let width = |part: &Part, kind| {
        let cards = part.cards(rect);
        let found = cards.into_iter().find(|(other, ..)| *other == kind);
        found.map(|(.., card)| card.width())
    };
    let lacking = |kind, _| kind != Kind::ThirdsTime && kind != Kind::RareConflicts;
    let some = page.clone().with(&lacking);
    let some = some.unwrap_or_else(|| page.clone());
    assert_eq!(width(&some, Kind::ThirdsTime), None);
    assert_eq!(width(&some, Kind::Layer), Some(1200.0));
    assert_eq!(width(&page, Kind::Layer), Some(596.0));
    are_apart(&some.cards(rect), rect, "some");
    assert!(
        Page::Gates
            .of_one(1200.0, 800.0)
            .with(&|_, _| false)
            .is_none()
    );
}
