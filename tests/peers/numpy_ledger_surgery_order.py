"""Ledgers, gradient surgery and an order of classes, computed with NumPy and SciPy from explicit gradients.

    python3 tests/peers/numpy_ledger_surgery_order.py > tests/peers/numpy_ledger_surgery_order.json

The gradients start from g[row][d] = sin(1 + 7 row + 1.3 d (row + 1)), so that both programs make the same ones without a
common random generator. The tests of `gradient::{ledger, surgery, order}` read the output.
"""

import json

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform


def gradients(rows, dimensions):
    return np.array([[np.sin(1 + 7 * row + 1.3 * d * (row + 1)) for d in range(dimensions)] for row in range(rows)])


def mean(pieces, counts):
    return counts @ pieces / counts.sum()


def product(pieces, counts, j, k):
    """<g_j, g_k>. For j = k, that is, a class with itself, only products of different pieces are used."""
    if j != k:
        return mean(pieces[j], counts[j]) @ mean(pieces[k], counts[k])
    total = weight = 0.0
    for s in range(len(counts[k])):
        for t in range(len(counts[k])):
            if s != t:
                total += counts[k][s] * counts[k][t] * (pieces[k][s] @ pieces[k][t])
                weight += counts[k][s] * counts[k][t]
    return total / weight


def jackknife(pieces, counts, classes, statistic):
    """Sum over `classes` of the delete-one jackknife variance of `statistic(pieces, counts)`."""
    variance = 0.0
    for m in classes:
        values = []
        for s in range(len(counts[m])):
            if counts[m][s] == 0:
                continue
            rest = [c.copy() for c in counts]
            rest[m][s] = 0
            values.append(statistic(pieces, rest))
        n = len(values)
        variance += (n - 1) / n * np.sum((np.array(values) - np.mean(values)) ** 2)
    return variance


def ledger():
    counts = [np.array(c, float) for c in ([3, 3, 2, 2], [1, 1, 1, 0], [4, 4, 4, 4])]
    flat = gradients(12, 9)
    flat[:4] += 0.7
    flat[4:8] -= 0.4
    pieces = flat.reshape(3, 4, 9)
    priors, lr = np.array([0.6, 0.1, 0.3]), 0.05
    shares = []
    for k in range(3):
        for j in range(3):
            one = lambda p, c: -lr * priors[j] * product(p, c, j, k)
            error = np.sqrt(jackknife(pieces, counts, {j, k}, one))
            shares.append({"k": k, "j": j, "nats": one(pieces, counts), "error": error})
    nets = []
    for k in range(3):
        net = lambda p, c: sum(-lr * priors[j] * product(p, c, j, k) for j in range(3))
        nets.append({"nats": net(pieces, counts), "error": np.sqrt(jackknife(pieces, counts, range(3), net))})
    return {"counts": [c.tolist() for c in counts], "priors": priors.tolist(), "lr": lr, "shares": shares, "nets": nets}


def surgery():
    """PCGrad and Aligned-MTL of gradients with very unequal lengths; the resulting directions are vectors."""
    g = gradients(5, 8) * np.array([[3.0], [1.0], [0.5], [0.1], [0.02]])
    g[1] -= 0.8 * g[0]
    orders = [[(i + step) % 5 for step in (2, 4, 1, 3)] for i in range(5)]
    merged = np.zeros(8)
    for i, order in enumerate(orders):
        h = g[i].copy()
        for j in order:
            d = h @ g[j]
            if d < 0:
                h -= d / (g[j] @ g[j]) * g[j]
        merged += h
    # Aligned-MTL from the singular value decomposition of G itself: the nearest matrix whose singular values are all
    # equal, scaled by the smallest singular value of G.
    u, sigma, vt = np.linalg.svd(g, full_matrices=False)
    aligned = (sigma.min() * u @ vt).sum(axis=0)
    return {"orders": orders, "pcgrad": merged.tolist(), "aligned": aligned.tolist()}


def best_order(tree, distance):
    """The order of leaves with the least sum of distances between neighbours, among all orders that turning the branches
    of `tree` allows. It is found by dynamic programming over the first and the last leaf, and checked against all orders
    where there are at most 12 leaves."""
    n = len(distance)
    length = lambda leaves: sum(distance[a, b] for a, b in zip(leaves, leaves[1:]))
    leaves = {i: [i] for i in range(n)}
    ways = {i: {(i, i): (0.0, [i])} for i in range(n)}
    every = {i: [[i]] for i in range(n)}
    for i, (a, b) in enumerate(tree[:, :2].astype(int)):
        node = n + i
        leaves[node] = leaves[a] + leaves[b]
        ways[node] = {}
        for first in leaves[a]:
            entry = {}
            for (f, m), (cost, way) in ways[a].items():
                if f == first:
                    for k in leaves[b]:
                        if k not in entry or cost + distance[m, k] < entry[k][0]:
                            entry[k] = (cost + distance[m, k], way)
            for (k, last), (cost, way) in ways[b].items():
                total = entry[k][0] + cost
                if (first, last) not in ways[node] or total < ways[node][first, last][0]:
                    ways[node][first, last] = (total, entry[k][1] + way)
        ways[node].update({(l, f): (cost, way[::-1]) for (f, l), (cost, way) in list(ways[node].items())})
        if n <= 12:
            every[node] = [x + y for x in every[a] for y in every[b]] + [y + x for x in every[a] for y in every[b]]
    cost, order = min(ways[2 * n - 2].values())
    assert n > 12 or abs(cost - min(map(length, every[2 * n - 2]))) < 1e-12
    assert abs(cost - length(order)) < 1e-12
    return order


def order():
    """Orders of classes by similarity. SciPy's optimal_leaf_ordering is not used, since that of SciPy 1.17 finds orders
    that are not the shortest, for Euclidean distances too."""
    cases = []
    for rows, dimensions, shift in ((2, 5, 0.0), (7, 4, 0.3), (12, 3, 0.0), (30, 6, 0.1), (100, 10, 0.0)):
        g = gradients(rows, dimensions)
        g[::3] += shift
        unit = g / np.linalg.norm(g, axis=1, keepdims=True)
        distance = 1 - unit @ unit.T
        np.fill_diagonal(distance, 0)
        leaves = best_order(linkage(squareform(distance, checks=False), "average"), distance)
        if leaves[0] > leaves[-1]:
            leaves.reverse()
        cases.append({"rows": rows, "dimensions": dimensions, "shift": shift, "order": leaves})
    return cases


print(json.dumps({"ledger": ledger(), "surgery": surgery(), "order": order()}, indent=1))
