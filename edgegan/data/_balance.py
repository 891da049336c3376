"""Sampling weights that balance several attributes at once: raking, with a cap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 100


def rake_weights(
    labels: NDArray[np.float32], decisions: Sequence[Sequence[int]], *, cap: float = 6.0
) -> NDArray[np.float64]:
    """(N,) weights that sum to one, so that each decision's answers are shown equally often.

    Iterative proportional fitting (Deming and Stephan 1940): each decision in turn scales its answers' weights to
    equal shares, until all agree. No picture is shown more than `cap` times as often as in plain order, nor less often
    than one in `cap`, so that a handful of rare ones is not learned by heart; shares then stay short of equal.

    Args:
        labels: (N, C), 0 or 1.
        decisions: each the columns of one decision: one column for on or off, several for a group of which one is on
            (none of them on is an answer of its own, and keeps its share).
        cap: the most that a picture may be shown, in times of its plain share.
    """
    count = len(labels)
    weights = np.full(count, 1.0 / max(count, 1))
    answers = [_answers(labels[:, list(columns)]) for columns in decisions]
    for _ in range(_ROUNDS):
        for answer, none in answers:
            there = [a for a in np.unique(answer) if a != none]
            left = 1.0 - float(weights[answer == none].sum()) if none is not None else 1.0
            for a in there:
                members = answer == a
                weights[members] *= left / len(there) / max(float(weights[members].sum()), 1e-12)
        weights = _bound(weights / weights.sum(), 1.0 / (cap * count), cap / count)
    return weights


def repeat_by_weight(weights: NDArray[np.float64], length: int) -> NDArray[np.int64]:
    """(length,) indices, each as often as its weight says, to within one: systematic resampling, without a draw."""
    places = (np.arange(length) + 0.5) / length
    return np.searchsorted(np.cumsum(weights) / weights.sum(), places).clip(0, len(weights) - 1).astype(np.int64)


def _bound(weights: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """The weights times the one factor with which, kept within `low` and `high`, they sum to one."""
    small, large = 0.0, high / max(float(weights.min()), 1e-300)
    for _ in range(200):  # bisection: the sum grows with the factor
        factor = (small + large) / 2
        if np.clip(weights * factor, low, high).sum() < 1.0:
            small = factor
        else:
            large = factor
    bounded: NDArray[np.float64] = np.clip(weights * large, low, high)
    return bounded


def _answers(columns: NDArray[np.float32]) -> tuple[NDArray[np.int64], int | None]:
    """(N,) each picture's answer, and the number of "none of them", for a single attribute None."""
    if columns.shape[1] == 1:
        return (columns[:, 0] > 0.5).astype(np.int64), None
    none = columns.shape[1]
    answer = np.where(columns.any(1), columns.argmax(1), none).astype(np.int64)
    return answer, none
