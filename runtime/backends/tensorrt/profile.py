"""Layer times of TensorRT, by its IProfiler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ...model.artefact import Artefact
from ..layer_times import WARM_CALLS, LayerTime, average
from .backend import TensorRT


def time_layers(
    artefact: Artefact, inputs: Mapping[str, NDArray[Any]], calls: int, *, device: str, threads: int | None = None
) -> list[LayerTime]:
    """Returns the time of every layer, in the engine's order; without a CUDA graph, which gives no times of layers."""
    with TensorRT(artefact, device=device, threads=threads) as backend:
        found = backend.time_layers(inputs, WARM_CALLS + calls)
    return average([LayerTime(name, "", ms) for name, ms in call] for call in found[WARM_CALLS:])
