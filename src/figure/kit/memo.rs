//! Values that an egui context keeps between frames: those that take long to compute, and whether it draws an image.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use egui::{Context, Id, IdMap};

/// All values that figures keep, in one place, so that those of closed runs can be forgotten.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<IdMap<Value>>>);

type Value = Arc<dyn Any + Send + Sync>;

impl Store {
    fn of(ctx: &Context) -> Self {
        ctx.data_mut(|data| {
            data.get_temp_mut_or_default::<Self>(Id::unique("figures"))
                .clone()
        })
    }

    fn lock(&self) -> MutexGuard<'_, IdMap<Value>> {
        // A map is whole at any moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value that was kept under an id; `None` where there is none, or one of another type.
pub(in crate::figure) fn kept<T: Clone + 'static>(ctx: &Context, id: Id) -> Option<T> {
    let value = Store::of(ctx).lock().get(&id)?.clone();
    value.downcast_ref::<T>().cloned()
}

/// Keeps a value under an id until [`forget`] is called.
pub(in crate::figure) fn keep<T: Send + Sync + 'static>(ctx: &Context, id: Id, value: T) {
    Store::of(ctx).lock().insert(id, Arc::new(value));
}

/// Forgets what figures keep between frames, all of which they can compute anew. The window calls it when runs are closed,
/// or values of runs that nobody sees any more would stay in memory.
pub fn forget(ctx: &Context) {
    // Large values are dropped after the lock is free.
    let _all = std::mem::take(&mut *Store::of(ctx).lock());
}

/// Number of values that figures keep.
pub fn count_kept(ctx: &Context) -> usize {
    Store::of(ctx).lock().len()
}

/// A value computed once and kept until its key changes: figures are redrawn many times a second.
pub(in crate::figure) fn remembered<T: Clone + Send + Sync + 'static>(
    ctx: &Context,
    (name, of): (&'static str, u64),
    key: impl std::hash::Hash + std::fmt::Debug,
    compute: impl FnOnce() -> T,
) -> T {
    let id = Id::unique((name, of));
    let key = Id::unique(key);
    match kept::<(Id, T)>(ctx, id) {
        Some((old, value)) if old == key => value,
        _ => {
            let value = compute();
            keep(ctx, id, (key, value.clone()));
            value
        }
    }
}

/// Whether the context draws an image for export: an image has no controls.
pub(in crate::figure) fn is_exporting(context: &Context) -> bool {
    context
        .data(|data| data.get_temp(exporting()))
        .unwrap_or(false)
}

pub(in crate::figure) fn exporting() -> Id {
    Id::unique("exporting")
}
