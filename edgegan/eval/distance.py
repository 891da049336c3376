"""Distances between two sets of feature vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]  # (N, D), one row per picture
SUBSETS, SUBSET_SIZE = 100, 1000  # the published protocol of the kernel distance; sets that are smaller: half of each


def frechet(a: Features, b: Features) -> float:
    """The squared Fréchet distance of the Gaussians fitted to both sets (Heusel et al. 2017, eq. 6).

    |mean a - mean b|^2 + tr(A + B - 2 (A B)^(1/2)), with unbiased covariances A and B. The trace of the root is the
    sum of the singular values of Xa Xb^T over the degrees of freedom, where X are the centred features: that is exact
    for fewer pictures than dimensions too, where a matrix root is not. It needs two pictures in each set.
    """
    x, y = a.astype(np.float64), b.astype(np.float64)
    apart = np.square(x.mean(0) - y.mean(0)).sum()
    roots_x, roots_y = _root(x), _root(y)
    cross = np.linalg.svd(roots_x @ roots_y.T, compute_uv=False).sum()
    return float(apart + np.square(roots_x).sum() + np.square(roots_y).sum() - 2 * cross)


def kernel(a: Features, b: Features, seed: int = 0, subsets: int = SUBSETS) -> tuple[float, float]:
    """The squared maximum mean discrepancy, unbiased, with the kernel (x.y / D + 1)^3 (Binkowski et al. 2018).

    Mean and standard deviation over `subsets` random subsets of at most 1000 pictures, and at most half of the
    smaller set. It may be slightly negative. It needs four pictures in each set.
    """
    size = min(SUBSET_SIZE, len(a) // 2, len(b) // 2)
    rng = np.random.Generator(np.random.Philox(seed))
    values = []
    for _ in range(subsets):
        x, y = (of[rng.permutation(len(of))[:size]] for of in (a, b))
        values.append(discrepancy(x, y))
    return float(np.mean(values)), float(np.std(values))


def discrepancy(a: Features, b: Features) -> float:
    """The squared maximum mean discrepancy of equally large sets, without bias: no vector is compared with itself."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    within = sum((k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (_cubic(x, x), _cubic(y, y)))
    return float(within - 2 * _cubic(x, y).mean())


def _root(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """R with R^T R = the covariance of `values`; at most as many rows as columns."""
    centred = (values - values.mean(0)) / np.sqrt(len(values) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r") if len(centred) > centred.shape[1] else centred)


def _cubic(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    k: NDArray[np.float64] = (x @ y.T / x.shape[1] + 1) ** 3
    return k
