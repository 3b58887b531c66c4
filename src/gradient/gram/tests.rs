use anyhow::{Context, Result};

use super::*;
use crate::random::Random;
use crate::vectors::{numbers, section};

/// The Gram matrix of explicit pieces, [K·S][D].
fn gram_of(classes: usize, counts: &[f32], pieces: &[Vec<f64>]) -> Gram {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() as f32;
    let products: Vec<f32> = pieces
        .iter()
        .flat_map(|a| pieces.iter().map(move |b| dot(a, b)))
        .collect();
    Gram::new(classes, counts, &products, &vec![0.0; counts.len()]).unwrap()
}

fn noise(rows: usize, dimensions: usize, seed: u64) -> Vec<Vec<f64>> {
    let row = |item| {
        let mut random = Random::new(seed, "noise", 0, item as u64);
        (0..dimensions).map(|_| random.normal()).collect()
    };
    (0..rows).map(row).collect()
}

fn assert_close(got: Option<f64>, wanted: f64, what: &str) {
    let got = got.unwrap_or_else(|| panic!("{what} is undefined"));
    assert!(
        (got - wanted).abs() <= 1e-5 * wanted.abs().max(1e-2),
        "{what}: {got} instead of {wanted}"
    );
}

/// Against NumPy, which computes the same quantities from explicit class gradients: section `interference` of the
/// vectors.
#[test]
fn all_quantities_are_those_of_numpy() -> Result<()> {
    let section = section("interference")?;
    for case in section["cases"].as_array().context("cases")? {
        let rows: Vec<Vec<f64>> = serde_json::from_value(case["grads"].clone())?;
        let classes = rows.len();
        // Every class has two equal pieces, so that the products of different pieces are those of the class gradients.
        let pieces: Vec<Vec<f64>> = rows
            .iter()
            .flat_map(|row| [row.clone(), row.clone()])
            .collect();
        let gram = gram_of(classes, &vec![1.0; 2 * classes], &pieces);
        let cosine = numbers(&case["cosine"])?;
        let norms = numbers(&case["norms"])?;
        for a in 0..classes {
            assert_close(gram.norm(a), norms[a], "norm");
            for b in 0..classes {
                if norms[a] > 0.0 && norms[b] > 0.0 {
                    assert_close(gram.cosine(a, b), cosine[a * classes + b], "cosine");
                } else {
                    assert_eq!(gram.cosine(a, b), None, "a zero gradient has no direction");
                }
            }
        }
        let summary = gram.summary(&vec![1.0 / classes as f64; classes]);
        assert_eq!(
            summary.pairs as u64,
            case["n_valid_pairs"].as_u64().context("pairs")?
        );
        assert_close(
            summary.interference,
            case["mean_negative_part"].as_f64().context("mean")?,
            "interference",
        );
        let fraction = case["fraction_conflicting_pairs"]
            .as_f64()
            .context("fraction")?;
        assert_eq!(
            summary.conflicting as f64,
            (fraction * summary.pairs as f64).round(),
            "pieces without noise"
        );
        let changes = numbers(&case["first_order_loss_change_per_unit_lr"])?;
        for (k, wanted) in changes.into_iter().enumerate() {
            let effect = gram.net_influence(1.0, &vec![1.0; classes], k);
            assert_close(effect.map(|effect| effect.nats), wanted, "influence");
        }
        let squares: f64 = norms.iter().map(|norm| norm * norm).sum();
        let total = (squares / case["gradient_diversity"].as_f64().context("diversity")?).sqrt();
        let wanted = total / norms.iter().sum::<f64>();
        assert_close(
            gram.cancellation(&vec![1.0; classes]),
            wanted,
            "cancellation",
        );
    }
    Ok(())
}

#[test]
fn matrices_add_over_layers() {
    let (first, second) = (noise(8, 5, 1), noise(8, 3, 2));
    let both: Vec<Vec<f64>> = first
        .iter()
        .zip(&second)
        .map(|(a, b)| [a.as_slice(), b].concat())
        .collect();
    let counts = [3.0, 2.0, 5.0, 5.0, 1.0, 1.0, 4.0, 3.0];
    let mut sum = gram_of(4, &counts, &first);
    sum.add(&gram_of(4, &counts, &second));
    let whole = gram_of(4, &counts, &both);
    for a in 0..4 {
        for b in 0..4 {
            assert_close(sum.dot(a, b), whole.dot(a, b).unwrap(), "sum of layers");
        }
    }
}

#[test]
fn pieces_weighted_by_their_images_make_the_class() {
    let pieces = noise(4, 6, 3);
    let gram = gram_of(2, &[3.0, 1.0, 0.0, 2.0], &pieces);
    let class: Vec<f64> = pieces[0]
        .iter()
        .zip(&pieces[1])
        .map(|(a, b)| (3.0 * a + b) / 4.0)
        .collect();
    let square = class.iter().map(|x| x * x).sum::<f64>();
    assert_close(gram.norm(0), square.sqrt(), "norm");
    let dot = class.iter().zip(&pieces[3]).map(|(a, b)| a * b).sum();
    assert_close(gram.dot(0, 1), dot, "an empty piece counts nothing");
    assert_eq!(gram.images(1), 2.0);
}

#[test]
fn the_matrix_is_symmetric_with_ones_on_its_diagonal() {
    let gram = gram_of(5, &[2.0; 20], &noise(20, 30, 4));
    let matrix = gram.matrix();
    for (a, row) in matrix.iter().enumerate() {
        let one = Cell {
            cosine: Some(1.0),
            resolved: true,
        };
        assert_eq!(row[a], one);
        for (b, cell) in row.iter().enumerate() {
            let other = matrix[b][a];
            assert_eq!(cell.resolved, other.resolved);
            assert!((cell.cosine.unwrap() - other.cosine.unwrap()).abs() < 1e-12);
        }
    }
}

#[test]
fn pure_noise_is_hardly_ever_resolved() {
    let (mut resolved, mut pairs) = (0, 0);
    for (seed, dimensions) in (0..60).zip([10, 200, 2000].into_iter().cycle()) {
        let gram = gram_of(10, &[8.0; 40], &noise(40, dimensions, seed));
        let summary = gram.summary(&[0.1; 10]);
        resolved += summary.resolved;
        pairs += summary.pairs;
        // Noise makes as much "conflict" as the noise floor states, and the floor is not 0.
        let (interference, floor) = (summary.interference.unwrap(), summary.floor.unwrap());
        assert!(
            interference < 2.5 * floor && floor < 2.5 * interference,
            "{interference} against {floor}"
        );
    }
    let share =
        f64::from(u32::try_from(resolved).unwrap()) / f64::from(u32::try_from(pairs).unwrap());
    assert!(
        share < 0.05,
        "{:.1} % of noise cells resolved",
        100.0 * share
    );
}

#[test]
fn a_real_conflict_is_resolved() {
    let mut pieces = noise(12, 400, 5);
    for (row, piece) in pieces.iter_mut().enumerate() {
        let sign = [1.0, -1.0, 0.0][row / 4];
        piece.iter_mut().for_each(|x| *x = 0.3 * *x + sign);
    }
    let summary = gram_of(3, &[8.0; 12], &pieces).summary(&[1.0 / 3.0; 3]);
    assert_eq!(summary.conflicting, 1, "{summary:?}");
    assert!(summary.interference.unwrap() > 10.0 * summary.floor.unwrap());
}

/// Over many draws the mean squared standard error is the variance of the estimate.
#[test]
fn the_standard_error_is_that_of_the_product() {
    let (mut dots, mut squares) = (Vec::new(), 0.0);
    let draws = 600;
    for seed in 0..draws {
        let mut pieces = noise(8, 12, 1000 + seed);
        pieces
            .iter_mut()
            .flatten()
            .for_each(|x| *x = 0.5 * *x + 1.0);
        let gram = gram_of(2, &[8.0; 8], &pieces);
        dots.push(gram.dot(0, 1).unwrap());
        squares += gram.standard_error(0, 1).unwrap().powi(2) / draws as f64;
    }
    let mean = dots.iter().sum::<f64>() / draws as f64;
    let variance = dots.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (draws - 1) as f64;
    assert!(
        (0.85..1.2).contains(&(squares / variance)),
        "{squares} against {variance}"
    );
}

#[test]
fn half_cosines_are_those_of_half_the_pieces() {
    let pieces = noise(8, 7, 8);
    // Class 0 lacks its third piece: its halves are its first piece, and its second and fourth.
    let counts = [2.0, 3.0, 0.0, 1.0, 5.0, 5.0, 4.0, 4.0];
    let gram = gram_of(2, &counts, &pieces);
    let mean = |rows: &[usize]| -> Vec<f64> {
        let total: f64 = rows.iter().map(|&row| f64::from(counts[row])).sum();
        let sum = |d: usize| rows.iter().map(move |&row| (row, d));
        (0..7)
            .map(|d| {
                sum(d)
                    .map(|(row, d)| f64::from(counts[row]) * pieces[row][d])
                    .sum::<f64>()
                    / total
            })
            .collect()
    };
    let cosine = |a: &[f64], b: &[f64]| {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let wanted = [
        cosine(&mean(&[0]), &mean(&[4, 5])),
        cosine(&mean(&[1, 3]), &mean(&[6, 7])),
    ];
    let got = gram.half_cosines(0, 1).unwrap();
    assert_close(Some(got[0]), wanted[0], "first half");
    assert_close(Some(got[1]), wanted[1], "second half");
    let single = gram_of(2, &[1.0, 0.0, 2.0, 2.0], &noise(4, 9, 7));
    assert_eq!(single.half_cosines(0, 1), None);
}

#[test]
fn quantities_of_absent_classes_and_zero_gradients_are_undefined() {
    let mut pieces = noise(6, 4, 6);
    pieces[2] = vec![0.0; 4];
    pieces[3] = vec![0.0; 4];
    let gram = gram_of(3, &[1.0, 1.0, 1.0, 1.0, 0.0, 0.0], &pieces);
    assert_eq!((gram.norm(1), gram.norm(2)), (Some(0.0), None));
    for (a, b) in [(0, 1), (0, 2), (1, 1), (2, 2)] {
        assert_eq!(
            gram.cell(a, b),
            Cell {
                cosine: None,
                resolved: false
            },
            "{a}, {b}"
        );
    }
    let summary = gram.summary(&[0.5, 0.3, 0.2]);
    assert_eq!((summary.pairs, summary.interference), (0, None));
    // A class with a single piece has no standard error, so no product with it is resolved.
    let single = gram_of(2, &[1.0, 0.0, 2.0, 2.0], &noise(4, 9, 7));
    assert!(single.cosine(0, 1).is_some() && !single.cell(0, 1).resolved);
    assert_eq!(single.influence(0.1, &[0.5, 0.5], 0, 0), None);
    assert!(
        Gram::new(0, &[], &[], &[]).is_none()
            && Gram::new(2, &[1.0; 3], &[0.0; 9], &[0.0; 3]).is_none()
    );
}

/// With all weight on one class, the net influence is its own share alone: minus the square, with the same error.
#[test]
fn agreement_is_the_squared_norm_in_standard_errors() -> Result<()> {
    let (classes, pieces) = (3, 4);
    let counts = [8.0, 8.0, 8.0, 8.0, 5.0, 4.0, 4.0, 0.0, 8.0, 8.0, 8.0, 8.0];
    let mut rows = noise(classes * pieces, 20, 11);
    rows.iter_mut().for_each(|row| row[0] += 2.0);
    let gram = gram_of(classes, &counts, &rows);
    for k in 0..classes {
        let mut alone = vec![0.0; classes];
        alone[k] = 1.0;
        let own = gram.net_influence(1.0, &alone, k).context("no effect")?;
        let wanted = -own.nats / own.standard_error.context("no error")?;
        assert_close(gram.agreement(k), wanted, "agreement");
    }
    let two = gram_of(2, &[8.0; 4], &noise(4, 20, 12));
    assert_eq!(two.agreement(0), None, "two pieces have a single product");
    Ok(())
}

/// The error of a difference of two measures of the same images, against its definition: the standard error of the
/// product, where the "product" of two pieces is the difference of their two products over the norms of the classes.
#[test]
fn the_error_of_a_difference_leaves_out_what_the_measures_have_in_common() {
    let counts = [3.0, 2.0, 2.0, 2.0, 4.0, 1.0, 1.0, 3.0];
    let (first, second) = (noise(8, 5, 1), noise(8, 5, 2));
    let (here, there) = (gram_of(2, &counts, &first), gram_of(2, &counts, &second));
    let norms = |gram: &Gram| gram.norm(0).unwrap() * gram.norm(1).unwrap();
    let mut difference = here.clone();
    let products = here.products.iter().zip(&there.products);
    difference.products = products
        .map(|(x, y)| x / norms(&here) - y / norms(&there))
        .collect();
    let wanted = difference.standard_error(0, 1).unwrap();
    assert_close(here.paired_error(&there, 0, 1), wanted, "error");
    assert_eq!(here.paired_error(&here, 0, 1), Some(0.0));
    // Of a class without images nothing is known.
    let none = gram_of(2, &[3.0, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0], &first);
    assert_eq!(here.paired_error(&none, 0, 1), None);
}

/// Conflict over groups of pairs against sums written out over explicit gradients.
mod thirds {
    use super::super::*;
    use crate::random::Random;

    const DIMENSIONS: usize = 12;

    /// Gradients of all pieces, `[K][S][DIMENSIONS]`: a direction of the class, and noise.
    fn pieces(classes: usize, pieces: usize, seed: u64) -> Vec<Vec<Vec<f64>>> {
        let drawn = |purpose, item: usize| -> Vec<f64> {
            let mut random = Random::new(seed, purpose, 0, item as u64);
            (0..DIMENSIONS).map(|_| random.normal()).collect()
        };
        let piece = |k: usize, s: usize| -> Vec<f64> {
            let (own, noise) = (drawn("class", k), drawn("piece", k * pieces + s));
            let both = own.iter().zip(&noise);
            both.map(|(own, noise)| own + 0.4 * noise).collect()
        };
        let class = |k| (0..pieces).map(|s| piece(k, s)).collect();
        (0..classes).map(class).collect()
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    /// The mean of some pieces, each with its number of images.
    fn mean(pieces: &[Vec<f64>], counts: &[f64], kept: impl Fn(usize) -> bool) -> Vec<f64> {
        let kept: Vec<usize> = (0..pieces.len()).filter(|&s| kept(s)).collect();
        let total: f64 = kept.iter().map(|&s| counts[s]).sum();
        let at = |i: usize| kept.iter().map(|&s| counts[s] * pieces[s][i]).sum::<f64>() / total;
        (0..DIMENSIONS).map(at).collect()
    }

    /// Σ (n−1)/n (x − mean)² of the products with one piece of `of` left out.
    fn variance(of: &[Vec<f64>], counts: &[f64], other: &[f64]) -> f64 {
        let n = of.len();
        let without = |out: usize| dot(&mean(of, counts, |s| s != out), other);
        let values: Vec<f64> = (0..n).map(without).collect();
        let middle = values.iter().sum::<f64>() / n as f64;
        let squares = values.iter().map(|x| (x - middle).powi(2));
        (n as f64 - 1.0) / n as f64 * squares.sum::<f64>()
    }

    /// The conflict over pairs (a, b), written out.
    fn direct(
        gradients: &[Vec<Vec<f64>>],
        counts: &[Vec<f64>],
        pairs: &[(usize, usize)],
    ) -> PairsConflict {
        let all = |k: usize| mean(&gradients[k], &counts[k], |_| true);
        let noise = |k: usize| -> Vec<f64> {
            let half = gradients[k].len() / 2;
            let first = mean(&gradients[k], &counts[k], |s| s < half);
            let second = mean(&gradients[k], &counts[k], |s| s >= half);
            let both = first.iter().zip(&second);
            both.map(|(x, y)| 0.5 * (x - y)).collect()
        };
        let mut conflict = PairsConflict {
            pairs: pairs.len(),
            ..PairsConflict::default()
        };
        let (mut interference, mut floor) = (0.0, 0.0);
        for &(a, b) in pairs {
            let (g, h) = (all(a), all(b));
            let lengths = (dot(&g, &g) * dot(&h, &h)).sqrt();
            interference += (-dot(&g, &h) / lengths).max(0.0);
            floor += (-dot(&noise(a), &noise(b)) / lengths).max(0.0);
            let of_a = variance(&gradients[a], &counts[a], &h);
            let of_b = variance(&gradients[b], &counts[b], &g);
            let resolved = dot(&g, &h).abs() > 3.0 * (of_a + of_b).sqrt();
            conflict.resolved += usize::from(resolved);
            conflict.conflicting += usize::from(resolved && dot(&g, &h) < 0.0);
        }
        let n = pairs.len() as f64;
        conflict.interference = (n > 0.0).then(|| interference / n);
        conflict.floor = (n > 0.0).then(|| floor / n);
        conflict
    }

    fn gram_of(gradients: &[Vec<Vec<f64>>], counts: &[Vec<f64>]) -> Gram {
        let rows: Vec<&Vec<f64>> = gradients.iter().flatten().collect();
        let products = rows
            .iter()
            .flat_map(|a| rows.iter().map(move |b| dot(a, b) as f32));
        let products: Vec<f32> = products.collect();
        let counts: Vec<f32> = counts.iter().flatten().map(|n| *n as f32).collect();
        let update = vec![0.0; counts.len()];
        Gram::new(gradients.len(), &counts, &products, &update).unwrap()
    }

    fn assert_same(got: &PairsConflict, wanted: &PairsConflict, what: &str) {
        let numbers = |x: &PairsConflict| (x.pairs, x.resolved, x.conflicting);
        assert_eq!(numbers(got), numbers(wanted), "{what}");
        for (got, wanted) in [
            (got.interference, wanted.interference),
            (got.floor, wanted.floor),
        ] {
            match (got, wanted) {
                (Some(got), Some(wanted)) => {
                    assert!((got - wanted).abs() < 1e-5, "{what}: {got} and {wanted}");
                }
                (got, wanted) => assert_eq!(got, wanted, "{what}"),
            }
        }
    }

    #[test]
    fn conflict_between_thirds_is_that_of_a_double_loop() {
        for seed in 0..6 {
            let gradients = pieces(9, 4, seed);
            let counts: Vec<Vec<f64>> = (0..9)
                .map(|k| (0..4).map(|s| f64::from((k + s) % 3 + 1)).collect())
                .collect();
            let gram = gram_of(&gradients, &counts);
            let (head, tail) = ([0, 4, 7], [8, 2, 5]);
            let thirds = gram.thirds(&head, &tail).unwrap();
            let mut between = Vec::new();
            for &a in &head {
                for &b in &tail {
                    between.push((a, b));
                }
            }
            let wanted = direct(&gradients, &counts, &between);
            assert_same(&thirds.head_tail, &wanted, "head × tail");
            let within = |x: [usize; 3]| [(x[0], x[1]), (x[0], x[2]), (x[1], x[2])];
            let wanted = direct(&gradients, &counts, &within(tail));
            assert_same(&thirds.tail_tail, &wanted, "tail × tail");
            let wanted = direct(&gradients, &counts, &within(head));
            assert_same(&thirds.head_head, &wanted, "head × head");
        }
    }

    /// Groups that cover all pairs sum up to all pairs; groups that do not leave out those of the classes between.
    #[test]
    fn groups_of_pairs_add_up() {
        let gradients = pieces(8, 4, 7);
        let counts = vec![vec![2.0; 4]; 8];
        let gram = gram_of(&gradients, &counts);
        let all = gram.summary(&[0.125; 8]);
        let thirds = gram.thirds(&[0, 1, 2, 3], &[4, 5, 6, 7]).unwrap();
        let groups = [thirds.head_tail, thirds.tail_tail, thirds.head_head];
        let sum = |of: fn(&PairsConflict) -> usize| groups.iter().map(of).sum::<usize>();
        assert_eq!(sum(|x| x.pairs), all.pairs);
        assert_eq!(sum(|x| x.resolved), all.resolved);
        assert_eq!(sum(|x| x.conflicting), all.conflicting);
        let mean = |of: fn(&PairsConflict) -> Option<f64>| {
            let sums = groups.iter().map(|x| x.pairs as f64 * of(x).unwrap());
            sums.sum::<f64>() / all.pairs as f64
        };
        assert!((mean(|x| x.interference) - all.interference.unwrap()).abs() < 1e-12);
        assert!((mean(|x| x.floor) - all.floor.unwrap()).abs() < 1e-12);

        let some = gram.thirds(&[0, 1, 2], &[6, 7]).unwrap();
        let pairs = some.head_tail.pairs + some.tail_tail.pairs + some.head_head.pairs;
        assert_eq!((pairs, all.pairs), (6 + 1 + 3, 28));
        let mut rest: Vec<(usize, usize)> = Vec::new();
        let group = |k| usize::from(k > 2) + usize::from(k > 5);
        for a in 0..8 {
            rest.extend(
                (0..a)
                    .filter(|&b| group(a) == 1 || group(b) == 1)
                    .map(|b| (a, b)),
            );
        }
        assert_eq!(rest.len() + pairs, all.pairs);
        let rest = gram.conflict_of(rest.into_iter());
        let parts = [some.head_tail, some.tail_tail, some.head_head, rest];
        assert_eq!(
            parts.iter().map(|x| x.conflicting).sum::<usize>(),
            all.conflicting
        );
    }

    #[test]
    fn a_group_without_pairs_is_undefined() {
        let gradients = pieces(3, 4, 1);
        let mut counts = vec![vec![2.0; 4]; 3];
        let thirds = gram_of(&gradients, &counts).thirds(&[0], &[2]).unwrap();
        assert_eq!(thirds.head_tail.pairs, 1);
        assert_eq!(thirds.tail_tail, PairsConflict::default());
        // A class that was not measured has no images, and is in no pair.
        counts[2] = vec![0.0; 4];
        let gram = gram_of(&gradients, &counts);
        let unmeasured = gram.thirds(&[0], &[2]).unwrap();
        assert_eq!(unmeasured.head_tail, PairsConflict::default());
        assert_eq!(gram.thirds(&[], &[2]), None);
        assert_eq!(gram.thirds(&[0], &[]), None);
    }

    /// Logs written before conflict between thirds was recorded are read, and summaries without it are written as they were.
    #[test]
    fn a_summary_without_thirds_is_that_of_older_logs() -> anyhow::Result<()> {
        let text = r#"{"norm":[1.0,null],"interference":null,"floor":null,"pairs":0,"resolved":0,"conflicting":0,"cancellation":null}"#;
        let read: ConflictSummary = serde_json::from_str(text)?;
        assert_eq!(read.thirds, None);
        assert_eq!(serde_json::to_string(&read)?, text);
        let with = ConflictSummary {
            thirds: Some(Box::default()),
            ..read
        };
        let again: ConflictSummary = serde_json::from_str(&serde_json::to_string(&with)?)?;
        assert_eq!(again, with);
        Ok(())
    }
}
