//! Conflict over groups of pairs against sums written out over explicit gradients.

use super::*;
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
