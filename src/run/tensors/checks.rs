//! What tensors of a probe and of predictions are by definition: a file that holds anything else is refused, because what
//! would be drawn from it has no meaning.

use std::path::Path;

use crate::run::error::RunError;

/// How far the two products of a pair of gradients, which are one number, may lie apart, in units of the product of the
/// two norms, which is that of a cosine. Products summed in single precision, or rounded to half of it, stay below; a
/// larger difference would be seen in the figures, which show cosines with two decimals.
const ASYMMETRY: f32 = 0.01;
/// Products below this are rounding errors of gradients that vanish.
const VANISHING: f32 = 1e-30;
/// How far means of numbers in [0, 1] may leave that range by rounding.
const ROUNDING: f32 = 1e-4;

/// The tensors of one file.
#[derive(Clone, Copy)]
pub(super) struct Checks<'a>(pub(super) &'a Path);

impl Checks<'_> {
    /// Asserts that a tensor has a shape.
    pub(super) fn shape(
        self,
        name: &str,
        shape: &[usize],
        wanted: &[usize],
    ) -> Result<(), RunError> {
        match shape == wanted {
            true => Ok(()),
            false => Err(self.damaged(format!(
                "`{name}` has the shape {shape:?} and not {wanted:?}"
            ))),
        }
    }

    /// Asserts that all values of a tensor are finite.
    pub(super) fn finite(self, name: &str, values: &[f32]) -> Result<(), RunError> {
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(at) => Err(self.not_finite(name, at)),
        }
    }

    /// Asserts that the effects of a step are finite, or all NaN, where it is not known what the step did.
    pub(super) fn effects(self, name: &str, update: &[f32]) -> Result<(), RunError> {
        match update.iter().all(|value| value.is_nan()) {
            true => Ok(()),
            false => self.finite(name, update),
        }
    }

    /// Asserts that the tensor `n` holds numbers of images, `[K·S]`.
    pub(super) fn images(self, n: &[f32]) -> Result<(), RunError> {
        let is_count = |x: &f32| *x >= 0.0 && x.fract() == 0.0;
        match n.iter().find(|x| !is_count(x)) {
            None => Ok(()),
            Some(x) => Err(self.damaged(format!("`n` holds {x}, which is no number of images"))),
        }
    }

    /// Asserts that the losses of all pieces that have images are finite, `[K·S]` each.
    pub(super) fn losses(self, name: &str, loss: &[f32], n: &[f32]) -> Result<(), RunError> {
        let mut pieces = loss.iter().zip(n);
        match pieces.position(|(loss, n)| *n > 0.0 && !loss.is_finite()) {
            None => Ok(()),
            Some(at) => Err(self.not_finite(name, at)),
        }
    }

    /// Asserts that matrices of `size` rows are Gram matrices: finite and symmetric, with squared norms on the diagonal.
    pub(super) fn gram(self, name: &str, gram: &[f32], size: usize) -> Result<(), RunError> {
        self.finite(name, gram)?;
        for (layer, matrix) in gram.chunks_exact((size * size).max(1)).enumerate() {
            self.block(name, matrix, size, (layer, 0))?;
        }
        Ok(())
    }

    /// Asserts that a finite square matrix, a block on the diagonal of a layer's Gram matrix from row `first` on, is one
    /// itself.
    fn block(
        self,
        name: &str,
        matrix: &[f32],
        size: usize,
        (layer, first): (usize, usize),
    ) -> Result<(), RunError> {
        let at =
            |row: usize, column: usize| matrix.get(row * size + column).copied().unwrap_or(0.0);
        if let Some(row) = (0..size).find(|&row| at(row, row) < 0.0) {
            let row = first + row;
            let text = format!("`{name}` has a negative square at [{layer}, {row}, {row}]");
            return Err(self.damaged(text));
        }
        for row in 0..size {
            for column in 0..row {
                let norms = at(row, row).sqrt() * at(column, column).sqrt();
                let difference = (at(row, column) - at(column, row)).abs();
                if difference > ASYMMETRY * norms + VANISHING {
                    let values = (at(row, column), at(column, row));
                    let (row, column) = (first + row, first + column);
                    return Err(self.damaged(format!(
                        "`{name}` is not symmetric: {} at [{layer}, {row}, {column}] and {} at [{layer}, {column}, {row}]",
                        values.0, values.1
                    )));
                }
            }
        }
        Ok(())
    }

    /// Asserts that the rows of one class in a Gram matrix are finite, and that its own products, in `size` columns from
    /// `first` on, are a Gram matrix. Whether the other rows agree with them is not known from these alone.
    pub(super) fn rows(
        self,
        name: &str,
        rows: &[f32],
        (first, size): (usize, usize),
        layer: usize,
    ) -> Result<(), RunError> {
        self.finite(name, rows)?;
        let width = (rows.len() / size.max(1)).max(1);
        let own = rows.chunks_exact(width);
        let own: Vec<f32> = own
            .flat_map(|row| row.get(first..first + size).unwrap_or_default())
            .copied()
            .collect();
        self.block(name, &own, size, (layer, first))
    }

    /// Asserts that numbers lie in [0, 1].
    pub(super) fn shares(self, name: &str, values: &[f32]) -> Result<(), RunError> {
        let range = -ROUNDING..=1.0 + ROUNDING;
        match values.iter().find(|value| !range.contains(*value)) {
            None => Ok(()),
            Some(value) => Err(self.damaged(format!("`{name}` holds {value}, outside of [0, 1]"))),
        }
    }

    /// Asserts that mean gates, `[K, channels]`, lie in [0, 1] in all classes that have images; `n`: images `[K·S]`.
    pub(super) fn gates(
        self,
        name: &str,
        gates: &[f32],
        classes: usize,
        n: &[f32],
    ) -> Result<(), RunError> {
        let channels = (gates.len() / classes.max(1)).max(1);
        let pieces = (n.len() / classes.max(1)).max(1);
        let of_classes = gates.chunks(channels).zip(n.chunks(pieces));
        for (gates, n) in of_classes {
            if n.iter().any(|n| *n > 0.0) {
                self.shares(name, gates)?;
            }
        }
        Ok(())
    }

    pub(super) fn damaged(self, text: impl ToString) -> RunError {
        RunError::damaged(self.0, text)
    }

    fn not_finite(self, name: &str, at: usize) -> RunError {
        RunError::NotFinite {
            tensor: name.to_owned(),
            at,
            path: self.0.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
