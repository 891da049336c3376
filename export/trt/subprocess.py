"""Building an engine in a process of its own: TensorRT can crash, and Ctrl-C must stop it at once.

The engine's bytes come in a file. The child sees one GPU alone, the one that the engine is for.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from edgegan.runtime.files import write_atomic

from . import child
from .build import Built, Job, Progress, build_engine, library
from .gpu import Gpu
from .precision_check import Proof

_VISIBLE = "CUDA_VISIBLE_DEVICES"


class _Request(msgspec.Struct, frozen=True):
    library: str
    job: Job
    place: Path  # for the engine's bytes


def build_apart(name: str, job: Job, *, on_progress: Progress | None = None) -> Built:
    """As `build.build_engine` with the library called `name`, in a child process.

    What `on_progress` raises, and Ctrl-C, ends the child and goes on to the caller. Raises BackendError if the
    child dies, and InputError where the temporary folder has no room for the engine.
    """
    with _folder() as folder:
        request = _Request(name, job, folder / "engine")
        with child.talk(__name__, request, f"builds with {name}", _seeing(job.gpu)) as events:
            for event in events:
                if "step" in event and on_progress is not None:
                    on_progress(*event["step"])
                if "proof" in event:
                    proof = msgspec.convert(event["proof"], Proof)
                    return Built(request.place.read_bytes(), proof, event["dla_layers"])
    raise AssertionError("a child that ends without an answer is an error")


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        made = tempfile.TemporaryDirectory(prefix="edgegan-")
    except OSError as error:
        raise child.no_room(error) from error
    with made as name:
        yield Path(name)


def _seeing(gpu: Gpu | None) -> dict[str, str]:
    """What the child's environment has to say so that `gpu` is the only one it sees; nothing without a GPU."""
    if gpu is None:
        return {}
    seen = os.environ.get(_VISIBLE)  # `number` counts within these
    return {_VISIBLE: seen.split(",")[gpu.number].strip() if seen else str(gpu.number)}


def _build(request: _Request, tell: child.Tell) -> None:
    built = build_engine(library(request.library), request.job, on_progress=lambda *step: tell(step=step))
    write_atomic(request.place, built.data)
    tell(proof=built.proof, dla_layers=built.dla_layers)


if __name__ == "__main__":
    child.answer(_Request, _build)
