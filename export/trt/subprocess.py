"""Building an engine in a process of its own: TensorRT can crash, and Ctrl-C must stop it at once.

The child is `python -m edgegan.export.trt.subprocess`: a request as JSON on its standard input, a line of JSON per
event on its standard output, the engine's bytes in a file. It sees one GPU alone, the one that the engine is for.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import msgspec
from edgegan.runtime import errors
from edgegan.runtime.errors import BackendError, EdgeganError, InputError
from edgegan.runtime.files import write_atomic

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
    with _folder() as folder, open(folder / "stderr", "w+b") as stderr:
        place = folder / "engine"
        child = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,  # nobody reads it while the child lives: a pipe would fill up and stop it
            encoding="utf-8",
            env={**os.environ, **_seeing(job.gpu)},
        )
        try:
            assert child.stdin is not None and child.stdout is not None
            with suppress(BrokenPipeError):  # then it has died, and its words are in `stderr`
                child.stdin.write(msgspec.json.encode(_Request(name, job, place), enc_hook=str).decode())
                child.stdin.close()
            for line in child.stdout:
                event = json.loads(line) if line.startswith("{") else {}
                if "step" in event and on_progress is not None:
                    on_progress(*event["step"])
                if "error" in event:
                    raise getattr(errors, event["error"]["type"])(*event["error"]["words"])
                if "proof" in event:
                    return Built(place.read_bytes(), msgspec.convert(event["proof"], Proof))
            raise _explain_death(child.wait(), stderr, name)
        finally:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        made = tempfile.TemporaryDirectory(prefix="edgegan-")
    except OSError as error:
        raise InputError(
            f"cannot make a temporary folder: {error}", todo="free some disk space, or set TMPDIR"
        ) from error
    with made as name:
        yield Path(name)


def _seeing(gpu: Gpu | None) -> dict[str, str]:
    """What the child's environment has to say so that `gpu` is the only one it sees; nothing without a GPU."""
    if gpu is None:
        return {}
    seen = os.environ.get(_VISIBLE)  # `number` counts within these
    return {_VISIBLE: seen.split(",")[gpu.number].strip() if seen else str(gpu.number)}


def _explain_death(code: int, stderr: IO[bytes], name: str) -> BackendError:
    stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - 4096))
    said = stderr.read().decode(errors="replace").strip().splitlines()
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    return BackendError(f"the process that builds with {name} {how}" + (f": {said[-1][:200]}" if said else ""))


def _events() -> Callable[..., None]:
    """Tells events on what was standard output, which native libraries shall not write between them."""
    lines = open(os.dup(1), "w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    os.dup2(2, 1)

    def tell(**event: Any) -> None:
        lines.write(msgspec.json.encode(event).decode() + "\n")
        lines.flush()

    return tell


def _child() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to both; the parent decides
    tell = _events()
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=_Request, dec_hook=lambda kind, word: kind(word))
    try:
        built = build_engine(library(request.library), request.job, on_progress=lambda *step: tell(step=step))
        write_atomic(request.place, built.data)
    except errors.MissingExtraError:
        raise
    except EdgeganError as error:
        tell(error={"type": type(error).__name__, "words": [error.seen, error.expected, error.todo]})
        return
    tell(proof=built.proof)


if __name__ == "__main__":
    _child()
