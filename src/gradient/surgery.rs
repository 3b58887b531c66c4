//! Gradient surgery across classes, computed from the inner products of class gradients alone.
//!
//! The surgery functions take the matrix M `[K, K]`, row-major, of the inner products M_ij = ⟨g_i, g_j⟩ of the
//! gradients to be combined, and return the coefficients a_k `[K]` of the direction Σ a_k g_k. A gradient of length 0
//! contributes nothing.

use super::gram::Gram;

/// Eigenvalues up to this number times K times the largest eigenvalue count as 0. The number is the resolution of f32,
/// as in the reference implementation of Aligned-MTL.
const RANK_TOLERANCE: f64 = f32::EPSILON as f64;

/// Inner products c_i c_j ⟨g_i, g_j⟩ of the contributions of the classes to a step, `[K, K]`, row-major. `steps` holds
/// the coefficients c_i; a product is 0 where a class has no images.
pub fn contributions(gram: &Gram, steps: &[f64]) -> Vec<f64> {
    let classes = gram.classes().min(steps.len());
    let product = |i: usize, j: usize| gram.dot(i, j).map_or(0.0, |dot| steps[i] * steps[j] * dot);
    let mut products = vec![0.0; classes * classes];
    for i in 0..classes {
        for j in 0..=i {
            let value = product(i, j);
            products[i * classes + j] = value;
            products[j * classes + i] = value;
        }
    }
    products
}

/// PCGrad (Yu et al. 2020, algorithm 1): gradient i is projected onto the normal plane of every gradient with which it
/// conflicts, one after the other in the order of classes `orders[i]`, in which i itself is skipped; then the projected
/// gradients are summed.
pub fn pcgrad(products: &[f64], orders: &[Vec<usize>]) -> Vec<f64> {
    let classes = orders.len();
    let row = |j: usize| &products[j * classes..(j + 1) * classes];
    let mut sum = vec![0.0; classes];
    for (i, order) in orders.iter().enumerate() {
        sum[i] += 1.0;
        // Inner products of gradient i, as projected so far, with all gradients.
        let mut with = row(i).to_vec();
        for &j in order.iter().filter(|&&j| j != i) {
            let square = row(j)[j];
            if with[j] < 0.0 && square > 0.0 {
                let coefficient = -with[j] / square;
                sum[j] += coefficient;
                let others = with.iter_mut().zip(row(j));
                others.for_each(|(x, product)| *x += coefficient * product);
            }
        }
    }
    sum
}

/// Aligned-MTL (Senushkin et al. 2023): the gradients are replaced by the nearest orthogonal ones, whose common length
/// is the smallest non-zero singular value of the gradients, and summed. All coefficients are 0 where every gradient is
/// 0.
pub fn aligned_mtl(products: &[f64], classes: usize) -> Vec<f64> {
    let (values, vectors) = eigen(products, classes);
    let largest = values.iter().copied().fold(0.0, f64::max);
    let threshold = largest * classes as f64 * RANK_TOLERANCE;
    let kept = || (0..classes).filter(|&m| values[m] > threshold);
    let smallest = kept().map(|m| values[m]).fold(f64::INFINITY, f64::min);
    let mut coefficients = vec![0.0; classes];
    for m in kept() {
        let vector = &vectors[m * classes..(m + 1) * classes];
        let factor = (smallest / values[m]).sqrt() * vector.iter().sum::<f64>();
        let sums = coefficients.iter_mut().zip(vector);
        sums.for_each(|(sum, x)| *sum += factor * x);
    }
    coefficients
}

/// Eigenvalues and, row by row, eigenvectors of a symmetric matrix `[n, n]`: cyclic Jacobi rotations (Golub & Van Loan,
/// Matrix Computations, 8.5).
fn eigen(matrix: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = matrix.to_vec();
    let mut vectors = vec![0.0; n * n];
    (0..n).for_each(|i| vectors[i * n + i] = 1.0);
    let scale: f64 = a.iter().map(|x| x * x).sum();
    // Convergence is quadratic, so a few sweeps suffice. The loop also ends where values are not finite.
    for _ in 0..30 {
        let off: f64 = (0..n)
            .flat_map(|p| (0..p).map(move |q| (p, q)))
            .map(|(p, q)| a[p * n + q].powi(2))
            .sum();
        if off <= scale * 1e-30 || !off.is_finite() {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, n, (p, q));
            }
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), vectors)
}

/// Applies the Jacobi rotation that makes `a[p, q]` zero to the matrix `a` and to the rows of `vectors`.
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, (p, q): (usize, usize)) {
    let off = a[p * n + q];
    if off == 0.0 {
        return;
    }
    let tau = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
    let tangent = tau.signum() / (tau.abs() + tau.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    let turn = |x: &mut f64, y: &mut f64| {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    };
    let (above, below) = a.split_at_mut(q * n);
    let rows = above[p * n..(p + 1) * n].iter_mut().zip(&mut below[..n]);
    rows.for_each(|(x, y)| turn(x, y));
    for row in a.chunks_exact_mut(n) {
        let (left, right) = row.split_at_mut(q);
        turn(&mut left[p], &mut right[0]);
    }
    let (above, below) = vectors.split_at_mut(q * n);
    let rows = above[p * n..(p + 1) * n].iter_mut().zip(&mut below[..n]);
    rows.for_each(|(x, y)| turn(x, y));
}

#[cfg(test)]
mod tests;
