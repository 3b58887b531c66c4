//! Values that an egui context keeps between frames: those that take long to compute, and whether it draws an image.

/// A value computed once and kept until its key changes: figures are redrawn many times a second.
pub(in crate::figure) fn remembered<T: Clone + Send + Sync + 'static>(
    ctx: &egui::Context,
    (name, of): (&'static str, u64),
    key: impl std::hash::Hash + std::fmt::Debug,
    compute: impl FnOnce() -> T,
) -> T {
    let id = egui::Id::unique((name, of));
    let key = egui::Id::unique(key);
    let kept = ctx.data(|data| data.get_temp::<(egui::Id, T)>(id));
    match kept {
        Some((old, value)) if old == key => value,
        _ => {
            let value = compute();
            ctx.data_mut(|data| data.insert_temp(id, (key, value.clone())));
            value
        }
    }
}

/// Whether the context draws an image for export: an image has no controls.
pub(in crate::figure) fn is_exporting(context: &egui::Context) -> bool {
    context
        .data(|data| data.get_temp(exporting()))
        .unwrap_or(false)
}

pub(in crate::figure) fn exporting() -> egui::Id {
    egui::Id::unique("exporting")
}
