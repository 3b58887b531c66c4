//! An order of classes in which classes with similar gradients stand beside each other.

use super::gram::Gram;

/// The classes of `gram` ordered by similarity, `[K]`: average-linkage clustering on 1 − cosine (Sokal & Michener
/// 1958), with the leaves of its tree ordered so that the sum of distances between neighbours is least (Bar-Joseph et
/// al. 2001). Of this order and its reverse, the result is the one that begins with the smaller class number. Classes
/// whose gradient is 0 or undefined come last.
pub fn by_similarity(gram: &Gram) -> Vec<usize> {
    let is_defined = |&k: &usize| gram.cosine(k, k).is_some();
    let (defined, undefined): (Vec<usize>, Vec<usize>) =
        (0..gram.classes()).partition(|k| is_defined(k));
    let n = defined.len();
    let mut distances = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..i {
            let distance = 1.0 - gram.cosine(defined[i], defined[j]).unwrap_or(0.0);
            distances[i * n + j] = distance;
            distances[j * n + i] = distance;
        }
    }
    let order = leaf_order(&distances, n);
    order
        .into_iter()
        .map(|i| defined[i])
        .chain(undefined)
        .collect()
}

/// The optimal order of the leaves of an average-linkage tree, from the distances of n items, `[n, n]`.
fn leaf_order(distances: &[f64], n: usize) -> Vec<usize> {
    let mut orders = Orders::new(distances, n);
    // A cluster is stored at the index of its first item; a cluster that was merged into another leaves its place
    // empty.
    let mut clusters: Vec<Vec<usize>> = (0..n).map(|i| vec![i]).collect();
    let mut linkage = distances.to_vec();
    for _ in 1..n {
        let Some((a, b)) = nearest(&clusters, &linkage) else {
            break;
        };
        let other = std::mem::take(&mut clusters[b]);
        orders.merge(&clusters[a], &other);
        let (size_a, size_b) = (clusters[a].len() as f64, other.len() as f64);
        for c in (0..n).filter(|&c| c != a && c != b) {
            let mean =
                (size_a * linkage[a * n + c] + size_b * linkage[b * n + c]) / (size_a + size_b);
            linkage[a * n + c] = mean;
            linkage[c * n + a] = mean;
        }
        clusters[a].extend(other);
    }
    orders.best()
}

/// The two clusters nearest to each other, the first such pair where several are equally near; `None` where fewer than
/// two are left.
fn nearest(clusters: &[Vec<usize>], linkage: &[f64]) -> Option<(usize, usize)> {
    let n = clusters.len();
    let mut best: Option<(usize, usize)> = None;
    for a in (0..n).filter(|&a| !clusters[a].is_empty()) {
        for b in (a + 1..n).filter(|&b| !clusters[b].is_empty()) {
            if best.is_none_or(|(x, y)| linkage[a * n + b] < linkage[x * n + y]) {
                best = Some((a, b));
            }
        }
    }
    best
}

/// For every two items, the best order of the smallest cluster that holds both, where one of them comes first and the
/// other last.
struct Orders<'a> {
    distances: &'a [f64],
    n: usize,
    /// Sum of the distances between neighbours in that order, `[n, n]`. It is infinite for two items within the same
    /// merged part of a cluster, since no order of the whole cluster begins with one and ends with the other.
    cost: Vec<f64>,
    /// The two neighbours at which the order passes from one merged part of the cluster to the other, `[n, n]`.
    bridge: Vec<(usize, usize)>,
}

impl<'a> Orders<'a> {
    fn new(distances: &'a [f64], n: usize) -> Self {
        let mut cost = vec![f64::INFINITY; n * n];
        (0..n).for_each(|i| cost[i * n + i] = 0.0);
        Self {
            distances,
            n,
            cost,
            bridge: vec![(0, 0); n * n],
        }
    }

    /// Finds the best orders of the union of two clusters.
    fn merge(&mut self, left: &[usize], right: &[usize]) {
        let n = self.n;
        for &first in left {
            // For every item of the right cluster, the best order of the left cluster that leads to it.
            let entries: Vec<(usize, usize, f64)> = right
                .iter()
                .map(|&to| {
                    let way =
                        |from: usize| self.cost[first * n + from] + self.distances[from * n + to];
                    let from = least(left, way);
                    (from, to, way(from))
                })
                .collect();
            for &last in right {
                let total = |&(_, to, way): &(usize, usize, f64)| way + self.cost[to * n + last];
                let mut best = entries[0];
                for entry in &entries {
                    if total(entry) < total(&best) {
                        best = *entry;
                    }
                }
                let (from, to, _) = best;
                let cost = total(&best);
                self.cost[first * n + last] = cost;
                self.bridge[first * n + last] = (from, to);
                // The same order read from its end.
                self.cost[last * n + first] = cost;
                self.bridge[last * n + first] = (to, from);
            }
        }
        // An order of one part does not cover the union, so its cost becomes infinite. Its bridges stay, since the
        // orders of the union are composed of the orders of its parts.
        for part in [left, right] {
            for (&i, &j) in part.iter().flat_map(|i| part.iter().map(move |j| (i, j))) {
                self.cost[i * n + j] = f64::INFINITY;
            }
        }
    }

    /// The best order of all items, after they were merged into one cluster.
    fn best(&self) -> Vec<usize> {
        let n = self.n;
        let mut ends = (0, 0);
        for first in 0..n {
            for last in first..n {
                if self.cost[first * n + last] < self.cost[ends.0 * n + ends.1] {
                    ends = (first, last);
                }
            }
        }
        let mut order = Vec::with_capacity(n);
        let mut pending = if n == 0 { vec![] } else { vec![ends] };
        while let Some((first, last)) = pending.pop() {
            if first == last {
                order.push(first);
            } else {
                let (from, to) = self.bridge[first * n + last];
                pending.extend([(to, last), (first, from)]);
            }
        }
        order
    }
}

/// The item with the least value, the first of these where several have it.
fn least(items: &[usize], value: impl Fn(usize) -> f64) -> usize {
    let mut best = items[0];
    for &item in items {
        if value(item) < value(best) {
            best = item;
        }
    }
    best
}

#[cfg(test)]
mod tests;
