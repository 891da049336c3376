"""Layer times of OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ...model.artefact import Artefact
from ..layer_times import WARM_CALLS, LayerTime, average
from .backend import OpenVino


def time_layers(
    artefact: Artefact, inputs: Mapping[str, NDArray[Any]], calls: int, *, device: str, threads: int | None = None
) -> list[LayerTime]:
    """The time of every node of OpenVINO's compiled model that ran, in its order; the kind is its kernel's."""
    with OpenVino(artefact, device=device, threads=threads, counters=True) as backend:
        found = []
        for _ in range(WARM_CALLS + calls):
            backend.run(inputs)
            found.append([LayerTime(name, kind, ms) for name, kind, ms in backend.counters()])
    return average(found[WARM_CALLS:])
