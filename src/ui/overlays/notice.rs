//! The notice: a sentence that lies over the page. A report of an error stays until the user dismisses it, any other
//! notice for a while.

use std::time::Duration;

use egui::{Align2, Area, Context, Frame, Id, Label, Order, RichText, vec2};

use crate::ui::state::action::Action;
use crate::ui::state::notice::Notice;

/// A notice that is no error disappears this long after it appeared or the pointer was last on it.
const STAYS_FOR_SECS: f64 = 12.0;
/// The distance of the notice from the lower edge, in points: the bars with the time slider and the progress stay free.
const ABOVE: f32 = 92.0;

/// Shows the notice, and removes it when its time is over.
pub(crate) fn notice_ui(
    ctx: &Context,
    notice: &mut Option<Notice>,
    now: f64,
    actions: &mut Vec<Action>,
) {
    let left = |notice: &Notice| notice.since + STAYS_FOR_SECS - now;
    notice.take_if(|notice| !notice.is_error && left(notice) <= 0.0);
    let Some(notice) = notice else { return };
    let area = Area::new(Id::unique("notice"))
        .order(Order::Foreground)
        .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -ABOVE));
    let shown = area.show(ctx, |ui| {
        let color = if notice.is_error {
            ui.visuals().error_fg_color
        } else {
            ui.visuals().text_color()
        };
        Frame::popup(ui.style()).show(ui, |ui| {
            let width = (0.6 * ui.ctx().content_rect().width()).clamp(240.0, 720.0);
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    ui.set_max_width(width);
                    ui.add(Label::new(RichText::new(&notice.text).color(color)).wrap());
                });
                let dismiss = ui
                    .small_button("Dismiss")
                    .on_hover_text("Clear this notice");
                if dismiss.clicked() {
                    actions.push(Action::Dismiss);
                }
            });
        });
    });
    if notice.is_error {
        return;
    }
    if shown.response.contains_pointer() {
        notice.since = now;
    }
    ctx.request_repaint_after(Duration::from_secs_f64(left(notice).max(0.0)));
}
