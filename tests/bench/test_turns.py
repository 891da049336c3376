"""Benchmarks: honest arithmetic and fair turns."""

from __future__ import annotations

import pytest

from edgegan.bench import timing

# --- timing ---


def test_percentiles_are_those_of_all_rounds_together() -> None:
    rounds = [[float(v) for v in range(1, 51)], [float(v) for v in range(51, 101)]]
    found = timing.latency(rounds)
    assert (found.p50, found.p95, found.p99) == pytest.approx((50.5, 95.05, 99.01))
    assert (found.min, found.max, found.mean, found.calls) == (1.0, 100.0, 50.5, 100)


def test_subjects_take_turns_in_every_round() -> None:
    order: list[str] = []

    class Player:
        def __init__(self, name: str) -> None:
            self.name = name

        def visit(self, calls: int) -> list[float]:
            order.append(self.name)
            return [1.0] * calls

    taken = timing.interleave([Player("A"), Player("B"), Player("C")], 3, [1, 2, 3])
    assert "".join(order) == "ABCABCABC"
    assert [[len(visit) for visit in rounds] for rounds in taken] == [[1] * 3, [2] * 3, [3] * 3]


def test_the_ratio_of_rounds_survives_a_machine_that_slows_down() -> None:
    pace = [1.0, 1.0, 1.0, 5.0, 5.0]  # the whole machine is five times slower in the last rounds
    baseline = [[10.0 * p] * 2 for p in pace]
    own = [[5.0 * p] * 2 for p in pace]
    found = timing.speed_up(baseline, own)
    assert found.median == found.of_medians == pytest.approx(2.0)
    assert found.quartiles == pytest.approx((2.0, 2.0))
    own[0] = [50.0, 50.0]  # one spell that hit only one of the two
    assert timing.speed_up(baseline, own).median == pytest.approx(2.0)


def test_the_ratio_of_medians_is_that_of_all_calls() -> None:
    found = timing.speed_up([[4.0], [8.0], [12.0]], [[1.0], [4.0], [4.0]])
    assert found.of_medians == pytest.approx(2.0)
    assert found.median == pytest.approx(3.0)


@pytest.mark.parametrize(("iterations", "expected"), [(1, (1, 1)), (20, (20, 1)), (50, (20, 3))])
def test_iterations_are_counted_calls(iterations: int, expected: tuple[int, int]) -> None:
    assert timing.calls_per_visit(3.0, seconds=None, iterations=iterations) == expected


def test_seconds_are_spread_over_the_rounds() -> None:
    rounds, calls = timing.calls_per_visit(10.0, seconds=10.0, iterations=None)
    assert rounds * calls * 10.0 == pytest.approx(10_000)
    assert timing.calls_per_visit(5000.0, seconds=1.0, iterations=None) == (timing.ROUNDS, 1)
