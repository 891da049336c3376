"""Rounds and what is read from them: latencies, and speed-ups that survive a machine whose pace drifts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np

Round = list[float]  # the latencies in milliseconds of one visit
ROUNDS = 20
WARM_MS = 1000.0  # warm-up of each subject, apart from all rounds
WARM_CALLS = 5  # at least


class Player(Protocol):
    """A subject that waits, ready to run."""

    def visit(self, calls: int) -> Round:
        """Runs `calls` times after one call that does not count, and tells how long each took."""
        ...


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The latencies of all counted calls, in milliseconds."""

    p50: float
    p95: float
    p99: float
    mean: float
    min: float
    max: float
    calls: int


class SpeedUp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many times faster than the baseline.

    `median` is the median over rounds of (baseline's median in the round / own median in it): two neighbours in
    time see the same machine, so slow spells cancel. `quartiles` are those of the same ratios.
    `of_medians` is the ratio of the two p50 over the whole run.
    """

    median: float
    quartiles: tuple[float, float]
    of_medians: float


def latency(rounds: Sequence[Round]) -> Latency:
    """Percentiles over the calls of all rounds, by linear interpolation."""
    series = np.concatenate([np.asarray(r, np.float64) for r in rounds])
    p50, p95, p99 = (float(v) for v in np.percentile(series, (50, 95, 99)))
    return Latency(
        p50=p50,
        p95=p95,
        p99=p99,
        mean=float(series.mean()),
        min=float(series.min()),
        max=float(series.max()),
        calls=len(series),
    )


def speed_up(baseline: Sequence[Round], own: Sequence[Round]) -> SpeedUp:
    """The speed-up of `own` over `baseline`, round by round; both must have the same number of rounds."""
    ratios = [float(np.median(b) / np.median(o)) for b, o in zip(baseline, own, strict=True)]
    q1, median, q3 = (float(v) for v in np.percentile(ratios, (25, 50, 75)))
    of_medians = float(np.median(np.concatenate(baseline)) / np.median(np.concatenate(own)))
    return SpeedUp(median=median, quartiles=(q1, q3), of_medians=of_medians)


def warm_up(player: Player, budget_ms: float = WARM_MS) -> float:
    """Runs a subject until it is warm; returns about how long one call then takes, in milliseconds."""
    estimate = float(np.median(player.visit(WARM_CALLS)))
    more = int(budget_ms / max(estimate, 1e-3)) - WARM_CALLS
    return float(np.median(player.visit(min(more, 1000)))) if more > 0 else estimate


def calls_per_visit(estimate_ms: float, *, seconds: float | None, iterations: int | None) -> tuple[int, int]:
    """(rounds, calls per visit) that give a subject `iterations` counted calls, or about `seconds` of them."""
    if iterations is not None:
        rounds = min(ROUNDS, iterations)
        return rounds, math.ceil(iterations / rounds)
    visit_ms = 1000.0 * (seconds or 0.0) / ROUNDS
    return ROUNDS, max(1, round(visit_ms / max(estimate_ms, 1e-3)))


def interleave(
    players: Sequence[Player], rounds: int, calls: Sequence[int], after_visit: Callable[[], None] = lambda: None
) -> list[list[Round]]:
    """Visits the players in turn, A B C A B C ..., `rounds` times; the result is [player][round][call]."""
    taken: list[list[Round]] = [[] for _ in players]
    for _ in range(rounds):
        for player, count, mine in zip(players, calls, taken, strict=True):
            mine.append(player.visit(count))
            after_visit()
    return taken
