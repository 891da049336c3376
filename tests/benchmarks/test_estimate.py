"""The rank correlation of a critic's estimate with the distance, from a run's log."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from edgegan.runtime.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "claims"))
import estimate


def test_only_the_order_counts() -> None:
    values = [3.0, 1.0, 2.0, 10.0]
    assert estimate.rank_correlation(values, [v**3 for v in values]) == pytest.approx(1)
    assert estimate.rank_correlation(values, [-v for v in values]) == pytest.approx(-1)
    assert estimate.rank_correlation([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(0.8)  # 1 - 6 * 2 / (4 * 15)
    assert estimate.rank_correlation([1, 1, 2], [5, 5, 9]) == pytest.approx(1), "equal values share a rank"


def test_a_measurement_has_the_median_of_the_estimates_since_the_last(tmp_path: Path) -> None:
    lines: list[dict[str, float]] = [{"images": 0, "heldout/swd": 99.0}]  # nothing was estimated before it
    for number in range(4):
        start = 100 * number
        lines += [{"images": start + i, "D/estimate": 10 - number + noise} for i, noise in enumerate((0.0, 5.0, -1.0))]
        lines.append({"images": start + 50, "heldout/swd": 50.0 - number})
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    points = estimate.read_points(tmp_path)
    assert [point["estimate"] for point in points] == [10, 9, 8, 7]
    assert [point["swd"] for point in points] == [50, 49, 48, 47]
    estimate.draw(points, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 1000


def test_a_run_without_estimates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="metrics"):
        estimate.read_points(tmp_path)
    (tmp_path / "metrics.jsonl").write_text(json.dumps({"images": 1, "heldout/swd": 1.0}) + "\n")
    with pytest.raises(InputError, match="0 measurements"):
        estimate.read_points(tmp_path)
