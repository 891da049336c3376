"""Whether a critic's estimate of the distance follows the quality of the pictures, from the log of a run.

    edgegan train wgan --preset avatars-32 --out runs/wgan
    python benchmarks/claims/estimate.py runs/wgan --out benchmarks/results/wgan-32

For each measurement on held-out pictures: the sliced Wasserstein distance, and the median of the critic's estimate
since the measurement before. Prints Spearman's rank correlation of the two, 1 where they always rise and fall
together, and writes the curves as PNG and JSON. Estimates of one run can be compared, those of two critics cannot:
their unit is the critic's slope.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from edgegan.runtime.errors import InputError
from edgegan.runtime.files import atomic_path, write_atomic

ESTIMATE, DISTANCE = "D/estimate", "heldout/swd"
LEAST = 4  # measurements that a correlation says something of


def read_points(folder: Path) -> list[dict[str, float]]:
    """The measurements of a run: images, distance, estimate. Raises InputError where there are too few."""
    try:
        lines = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{folder}: no metrics.jsonl can be read ({error.strerror})", "the folder of a run") from None
    points: list[dict[str, float]] = []
    since: list[float] = []
    for line in map(json.loads, lines):
        if ESTIMATE in line:
            since.append(line[ESTIMATE])
        if DISTANCE in line and since:
            points.append({"images": line["images"], "swd": line[DISTANCE], "estimate": median(since)})
            since = []
    if len(points) < LEAST:
        raise InputError(
            f"{folder}: {len(points)} measurements of {DISTANCE} with estimates before them",
            f"at least {LEAST}, of a run of wgan or wgangp",
        )
    return points


def rank_correlation(a: list[float], b: list[float]) -> float:
    """Spearman's: the correlation of the ranks, equal values sharing theirs."""

    def ranks(values: list[float]) -> np.ndarray[Any, Any]:
        array = np.asarray(values)
        return np.array([(array < one).sum() + ((array == one).sum() - 1) / 2 for one in array])

    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def draw(points: list[dict[str, float]], path: Path) -> None:
    """Both curves over the images seen."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, left = pyplot.subplots(figsize=(6, 3), dpi=100)
    right = left.twinx()
    images = [point["images"] / 1000 for point in points]
    left.plot(images, [point["estimate"] for point in points], "o-", color="#2563eb", markersize=3)
    right.plot(images, [point["swd"] for point in points], "s-", color="#ea580c", markersize=3)
    left.set_xlabel("real pictures seen by the critic, thousands")
    left.set_ylabel("critic's estimate", color="#2563eb")
    right.set_ylabel("sliced Wasserstein distance", color="#ea580c")
    figure.tight_layout()
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def main() -> None:
    """Reads, prints, draws."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, help="where to write OUT.png and OUT.json")
    options = parser.parse_args()
    try:
        points = read_points(options.run)
    except InputError as error:
        parser.exit(1, f"{error}\n")
    found = rank_correlation([point["estimate"] for point in points], [point["swd"] for point in points])
    for point in points:
        print(f"{point['images']:>10} images   estimate {point['estimate']:8.4f}   SWD {point['swd']:8.2f}")
    print(f"rank correlation over {len(points)} measurements: {found:.3f}")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        draw(points, options.out.with_suffix(".png"))
        document = {"rank_correlation": round(found, 4), "points": points}
        write_atomic(options.out.with_suffix(".json"), (json.dumps(document, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
