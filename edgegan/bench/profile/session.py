"""One profile from start to end: which files on which libraries, and what each says of its layers."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegan.bench.machine import describe
from edgegan.bench.pairs import make_up
from edgegan.bench.session import Request
from edgegan.bench.subjects import Absent, Subject, check_choice, plan
from edgegan.bench.targets import resolve
from edgegan.runtime.backends.layer_times import LayerTime
from edgegan.runtime.errors import BackendError, EdgeganError
from edgegan.runtime.model import artefact as artefacts
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import Artefact

from .layers import LayerProfile

Progress = Callable[[str, float], None]

CALLS = 20
_PROFILERS = {
    "onnxruntime": "edgegan.runtime.backends.onnxruntime.profile",
    "openvino": "edgegan.runtime.backends.openvino.profile",
    "tensorrt": "edgegan.runtime.backends.tensorrt.profile",
}


def profile_layers(
    request: Request, progress: Progress = lambda what, done: None
) -> tuple[list[LayerProfile], list[Absent]]:
    """The layer times of every exported file on every library that tells them and works here; and what cannot be told.

    Of `request`, path, backends, device, iterations and threads count.

    Raises:
        InputError: nothing is there, or it is not a model.
        BackendError: an unknown backend or device, or nothing that could be measured.
    """
    check_choice(request.backends, request.device)
    target = resolve(request.path)
    machine = describe()
    subjects, absent = plan(target, request.backends, request.device, cuda=bool(machine.gpus))
    subjects = [subject for subject in subjects if subject.engine in _PROFILERS]
    calls = request.iterations or CALLS
    found = []
    for number, subject in enumerate(subjects):
        progress(subject.title, number / len(subjects))
        try:
            model = artefacts.load(subject.path)
            layers = _time(subject, model, calls, request.threads)
        except EdgeganError as error:
            absent.append(Absent(title=subject.title, reason=error.seen))
            continue
        file = Path(subject.path).name
        found.append(LayerProfile(title=subject.title, file=file, calls=calls, layers=tuple(layers)))
    if not found:
        reasons = "; ".join(f"{each.title}: {each.reason}" for each in absent)
        raise BackendError("no layer can be timed here", reasons or f"an exported file on {', '.join(_PROFILERS)}")
    return found, [each for each in absent if not each.title.startswith(("PyTorch", "torch.compile"))]


def _time(subject: Subject, model: Artefact, calls: int, threads: int | None) -> list[LayerTime]:
    time_layers = importlib.import_module(_PROFILERS[subject.engine]).time_layers
    timed: list[LayerTime] = time_layers(model, _inputs(model), calls, device=subject.device, threads=threads)
    return timed


def _inputs(model: Artefact) -> dict[str, NDArray[Any]]:
    """The first golden input, or a made-up one."""
    pairs = golden.read(model.golden, golden.stem(model.path)) if model.golden else None
    drawn = pairs.inputs if pairs is not None else make_up(model.card, 1)
    return {spec.name: np.ascontiguousarray(drawn[spec.name][:1].astype(spec.dtype)) for spec in model.card.inputs}
