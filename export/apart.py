"""Building an engine in a process of its own: TensorRT can crash, and Ctrl-C must stop it at once.

The child is `python -m edgegan.export.apart`: a request as JSON on its standard input, a line of JSON per event
on its standard output, the engine's bytes in a file.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from edgegan.runtime import errors
from edgegan.runtime.errors import BackendError, EdgeganError

from .engine import Built, Job, Progress, build_engine, library
from .proof import Proof


class _Request(msgspec.Struct, frozen=True):
    library: str
    job: Job
    place: Path  # for the engine's bytes


def build_apart(name: str, job: Job, *, on_progress: Progress | None = None) -> Built:
    """As `engine.build_engine` with the library called `name`, in a child process.

    What `on_progress` raises, and Ctrl-C, ends the child and goes on to the caller. Raises BackendError if the
    child dies.
    """
    with tempfile.TemporaryDirectory(prefix="edgegan-") as folder:
        place = Path(folder) / "engine"
        child = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert child.stdin is not None and child.stdout is not None
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
            return _died(child, name)
        finally:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout, child.stderr):
                if pipe is not None and not pipe.closed:
                    pipe.close()


def _died(child: subprocess.Popen[str], name: str) -> Built:
    code = child.wait()
    said = (child.stderr.read() if child.stderr else "").strip().splitlines()
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    raise BackendError(f"the process that builds with {name} {how}" + (f": {said[-1][:200]}" if said else ""))


def _tell(**event: Any) -> None:
    sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
    sys.stdout.flush()


def _child() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to both; the parent decides
    request = msgspec.json.decode(sys.stdin.read(), type=_Request, dec_hook=lambda kind, word: kind(word))
    try:
        built = build_engine(library(request.library), request.job, on_progress=lambda *step: _tell(step=step))
    except errors.MissingExtraError:
        raise
    except EdgeganError as error:
        _tell(error={"type": type(error).__name__, "words": [error.seen, error.expected, error.todo]})
        return
    request.place.write_bytes(built.data)
    _tell(proof=built.proof)


if __name__ == "__main__":
    _child()
