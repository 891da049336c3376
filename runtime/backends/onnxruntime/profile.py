"""Layer times of ONNX Runtime on the CPU. On CUDA it times launches, not kernels, so none are returned."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...errors import BackendError
from ...model.artefact import Artefact
from ..layer_times import WARM_CALLS, LayerTime, average
from .backend import cpu_session

_NODE = "_kernel_time"


def time_layers(
    artefact: Artefact, inputs: Mapping[str, NDArray[Any]], calls: int, *, device: str, threads: int | None = None
) -> list[LayerTime]:
    """The time of every node of ONNX Runtime's own graph, in the order in which they ran.

    Raises BackendError for another device than the CPU.
    """
    if device != "cpu":
        raise BackendError(
            f"ONNX Runtime times the launches of kernels on {device}, not the kernels",
            todo="profile an engine, or take NVIDIA's nsys",
        )
    with tempfile.TemporaryDirectory(prefix="edgegan-profile-") as folder:
        session = cpu_session(str(artefact.path), spinning=False, threads=threads, profile=Path(folder) / "times")
        for _ in range(WARM_CALLS + calls):
            session.run(None, dict(inputs))
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    return average(list(_calls(events))[WARM_CALLS:])


def _calls(events: list[dict[str, Any]]) -> Iterator[list[LayerTime]]:
    """The nodes of each call: those that ran within one `model_run`."""
    nodes = [e for e in events if e.get("cat") == "Node" and e["name"].endswith(_NODE)]
    for run in (e for e in events if e["name"] == "model_run"):
        end = run["ts"] + run["dur"]
        yield [
            LayerTime(e["name"][: -len(_NODE)], e["args"].get("op_name", ""), e["dur"] / 1000)
            for e in nodes
            if run["ts"] <= e["ts"] <= end
        ]
