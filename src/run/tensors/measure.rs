//! The classes whose gradients a probe measured with batch norm as in training. A file holds the rows of these classes
//! alone; readers see all classes, of which the others have no images.

/// The measured classes of a probe of K classes with S pieces each.
pub(super) struct Measure {
    /// Their pieces among those of all classes, [M·S] numbers below K·S.
    pub(super) rows: Vec<usize>,
    /// Pieces of all classes, K·S.
    all: usize,
    classes: Vec<usize>,
}

impl Measure {
    /// From the tensor `classes.training` of a file (u16 `[M]`, little-endian). `None` where a class is not below
    /// `classes`, or the classes do not ascend.
    pub(super) fn of(bytes: &[u8], classes: usize, all: usize) -> Option<Self> {
        let (words, _) = bytes.as_chunks::<2>();
        let measured: Vec<usize> = words
            .iter()
            .map(|x| u16::from_le_bytes(*x).into())
            .collect();
        let pieces = all.checked_div(classes)?;
        let fits = measured.is_sorted_by(|a, b| a < b) && measured.iter().all(|&k| k < classes);
        fits.then(|| Self {
            rows: measured
                .iter()
                .flat_map(|&k| k * pieces..(k + 1) * pieces)
                .collect(),
            all,
            classes: measured,
        })
    }

    /// All of `classes` classes, with `all` pieces together.
    pub(super) fn all(classes: usize, all: usize) -> Self {
        Self {
            rows: (0..all).collect(),
            all,
            classes: (0..classes).collect(),
        }
    }

    /// Where the class stands among the measured ones; `None` where it was not measured.
    pub(super) fn position(&self, class: usize) -> Option<usize> {
        self.classes.binary_search(&class).ok()
    }

    /// Numbers of images `[K·S]` by piece: those given, but 0 for a class that was not measured.
    pub(super) fn images(&self, n: &[f32]) -> Vec<f32> {
        let mut images = vec![0.0; self.all];
        self.rows.iter().for_each(|&row| images[row] = n[row]);
        images
    }
}

/// Rows of M·S values each, spread to K·S values with `fill` for the classes that were not measured.
pub(super) fn spread_columns(values: &[f32], measure: &Measure, fill: f32) -> Vec<f32> {
    let size = measure.rows.len();
    let mut all = vec![fill; values.len().checked_div(size).unwrap_or(0) * measure.all];
    let rows = all.chunks_exact_mut(measure.all.max(1));
    for (to, from) in rows.zip(values.chunks_exact(size.max(1))) {
        let places = measure.rows.iter().zip(from);
        places.for_each(|(&at, value)| to[at] = *value);
    }
    all
}

/// Matrices of M·S rows of K·S values each, spread to K·S rows, zeros for the classes that were not measured.
pub(super) fn spread_rows(values: &[f32], measure: &Measure) -> Vec<f32> {
    let (size, width) = (measure.rows.len(), measure.all);
    let layers = values.len().checked_div(size * width).unwrap_or(0);
    let mut all = vec![0.0; layers * width * width];
    for (layer, from) in values.chunks_exact((size * width).max(1)).enumerate() {
        for (&at, row) in measure.rows.iter().zip(from.chunks_exact(width)) {
            all[(layer * width + at) * width..][..width].copy_from_slice(row);
        }
    }
    all
}
