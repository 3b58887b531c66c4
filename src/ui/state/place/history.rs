//! Back and forward through the places that were looked at, as in a web browser.

use super::looked_at::Place;
use crate::ui::state::runs::RunId;

/// The greatest number of places that are kept to go back to.
const KEPT: usize = 100;

/// The places before and after the present one.
#[derive(Debug, Default)]
pub(crate) struct History {
    back: Vec<Place>,
    forward: Vec<Place>,
    /// Whether the present place was reached by moving through time.
    moving: bool,
}

impl History {
    /// Notes that the place changed from `before` to `now`. Successive moves of the time slider count as one.
    pub(crate) fn moved(&mut self, before: Place, now: &Place) {
        if before == *now {
            return;
        }
        let is_step = before.is_near(now);
        if !(is_step && self.moving) {
            self.back.push(before);
            if self.back.len() > KEPT {
                self.back.remove(0);
            }
        }
        self.moving = is_step;
        self.forward.clear();
    }

    /// Goes back: gives the previous place, and keeps the present one to go forward to.
    pub(crate) fn back(&mut self, now: &Place) -> Option<Place> {
        let place = self.back.pop()?;
        self.forward.push(now.clone());
        self.moving = false;
        Some(place)
    }

    /// Goes forward: gives the place that the user last went back from.
    pub(crate) fn forward(&mut self, now: &Place) -> Option<Place> {
        let place = self.forward.pop()?;
        self.back.push(now.clone());
        self.moving = false;
        Some(place)
    }

    pub(crate) fn can_go_back(&self) -> bool {
        !self.back.is_empty()
    }

    pub(crate) fn can_go_forward(&self) -> bool {
        !self.forward.is_empty()
    }

    /// Forgets a run that left the list: drops the places that showed it, and removes it from the others.
    pub(crate) fn forget(&mut self, id: RunId) {
        for places in [&mut self.back, &mut self.forward] {
            places.retain(|place| !place.shows(id));
            places.iter_mut().for_each(|place| place.forget(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::View;
    use crate::run::Scope;

    fn place(scope: &str, step: Option<u64>) -> Place {
        Place {
            figure: View {
                scope: Scope::Layer(scope.to_owned()),
                step,
                ..View::default()
            },
            left: Some(0),
            ..Place::default()
        }
    }

    #[test]
    fn back_and_forward_visit_the_same_places() {
        let places = [place("a", None), place("b", None), place("b", Some(4))];
        let mut history = History::default();
        history.moved(places[0].clone(), &places[1]);
        history.moved(places[1].clone(), &places[2]);
        assert_eq!(history.back(&places[2]), Some(places[1].clone()));
        assert_eq!(history.back(&places[1]), Some(places[0].clone()));
        assert_eq!(history.back(&places[0]), None);
        assert_eq!(history.forward(&places[0]), Some(places[1].clone()));
        assert_eq!(history.forward(&places[1]), Some(places[2].clone()));
        assert!(!history.can_go_forward());
    }

    #[test]
    fn sliding_through_time_is_one_move() {
        let mut history = History::default();
        let mut now = place("a", None);
        for step in 0..50 {
            let next = place("a", Some(step));
            history.moved(now, &next);
            now = next;
        }
        assert_eq!(history.back(&now), Some(place("a", None)));
        assert!(!history.can_go_back());
    }

    #[test]
    fn going_elsewhere_forgets_the_places_to_go_forward_to() {
        let mut history = History::default();
        history.moved(place("a", None), &place("b", None));
        let back = history.back(&place("b", None)).unwrap();
        history.moved(back, &place("c", None));
        assert!(!history.can_go_forward() && history.can_go_back());
    }

    #[test]
    fn places_that_showed_a_removed_run_are_dropped() {
        let mut history = History::default();
        history.moved(place("a", None), &place("b", None));
        history.forget(0);
        assert!(!history.can_go_back());
    }

    #[test]
    fn other_places_forget_a_removed_run() {
        let mut history = History::default();
        let mut before = place("a", None);
        before.right = Some(1);
        before.compare.other = Some(1);
        history.moved(before, &place("b", None));
        history.forget(1);
        assert_eq!(history.back(&place("b", None)), Some(place("a", None)));
    }
}
