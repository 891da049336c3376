"""What a library says of each layer that it runs: the common words of its profiler and of ours."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

WARM_CALLS = 3  # are not counted: the first ones allocate


class LayerTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One layer as the library runs it, which may be several of the model's, in milliseconds a call (the median)."""

    name: str
    kind: str
    ms: float


def average(calls: Iterable[Iterable[LayerTime]]) -> list[LayerTime]:
    """The layers of several calls in the order of the first, each with the median of its times.

    A layer that a call names twice counts with the sum of both.
    """
    times: dict[tuple[str, str], list[float]] = {}
    for call in calls:
        sums: dict[tuple[str, str], float] = {}
        for layer in call:
            key = (layer.name, layer.kind)
            sums[key] = sums.get(key, 0.0) + layer.ms
        for key, ms in sums.items():
            times.setdefault(key, []).append(ms)
    return [LayerTime(name, kind, float(np.median(found))) for (name, kind), found in times.items()]
