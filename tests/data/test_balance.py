"""Raking: several decisions balanced at once, with a cap."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgegan.data._balance import rake_weights, repeat_by_weight


def draw_labels(count: int = 400) -> np.ndarray:
    """A group of three colours, one of them rare and some people without, and a single attribute tied to it."""
    rng = np.random.default_rng(0)
    colour = rng.choice(4, count, p=[0.6, 0.25, 0.05, 0.1])  # 3: none of them
    labels = np.zeros((count, 4), np.float32)
    labels[np.arange(count)[colour < 3], colour[colour < 3]] = 1
    labels[:, 3] = rng.random(count) < np.where(colour == 0, 0.1, 0.5)
    return labels


def test_every_answer_of_every_decision_is_shown_equally_often() -> None:
    labels = draw_labels()
    weights = rake_weights(labels, [(0, 1, 2), (3,)], cap=1000)
    shares = (weights[:, None] * labels).sum(0)
    none = weights[labels[:, :3].sum(1) == 0].sum()
    np.testing.assert_allclose(shares[:3], (1 - none) / 3, atol=0.01)
    np.testing.assert_allclose(shares[3], 0.5, atol=0.01)
    assert abs(weights.sum() - 1) < 1e-9


@settings(max_examples=30, deadline=None)
@given(cap=st.floats(1.5, 20.0), seed=st.integers(0, 100))
def test_no_picture_is_shown_more_often_than_the_cap_says(cap: float, seed: int) -> None:
    labels = (np.random.default_rng(seed).random((60, 3)) < 0.1).astype(np.float32)
    weights = rake_weights(labels, [(0,), (1,), (2,)], cap=cap)
    assert 1 / (cap * 60) <= weights.min() * 1.001 and weights.max() <= cap / 60 * 1.001
    assert abs(weights.sum() - 1) < 1e-6


def test_showings_follow_the_weights_to_within_one() -> None:
    weights = np.array([0.5, 0.25, 0.125, 0.125])
    counts = np.bincount(repeat_by_weight(weights, 40), minlength=4)
    assert np.abs(counts - 40 * weights).max() <= 1 and counts.sum() == 40


def test_without_decisions_all_are_shown_alike() -> None:
    weights = rake_weights(draw_labels(), [])
    assert np.ptp(weights) < 1e-12
    assert sorted(repeat_by_weight(weights, 400).tolist()) == list(range(400))
