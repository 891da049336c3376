"""A process that works in children of its own and kills them when it is told to: `Nursery` for tests.

Its children are forks of one process that has loaded everything, so that a killed attempt costs no start.
"""

from __future__ import annotations

import importlib
import json
import mmap
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from edgegan.runtime.live.sink import Sink

FPS = 10  # of the films that are written
COUNTED = ".counted"  # how many frames were written, in a file that a kill cannot lose


@dataclass(frozen=True)
class Ending:
    """How an attempt ended. `status` is its exit status, -9 after the kill; `before` are the files that were there just
    before, `counted` the frames that were said to be written, and `after_s` the seconds until then."""

    status: int
    before: tuple[str, ...]
    counted: int
    after_s: float


class Nursery:
    """Runs `WORK[name](folder)` in a child, and kills it after so many seconds, or never."""

    def __enter__(self) -> Nursery:
        known = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.killed_work"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=known
        )
        return self

    def run(self, work: str, folder: Path, kill_after_s: float | None = None) -> Ending:
        """Runs it to its end or its kill; what it says goes to `FOLDER.log`."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([work, str(folder), kill_after_s]).encode() + b"\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return Ending(told["status"], tuple(told["before"]), told["counted"], told["after_s"])

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


def _train(folder: Path) -> None:
    _edgegan(*TRAIN, "--data", f"folders:{folder / 'pets'}", "--out", str(folder / "run"))


def _resume(folder: Path) -> None:
    _edgegan("train", "stargan", "--out", str(folder / "run"), "--resume", "--threads", "1")


def _export(folder: Path) -> None:
    _edgegan("export", str(folder / "run"), "--precision", "fp32", "--pictures", "2")


def _batch(folder: Path) -> None:
    _edgegan("live", "--source", str(folder / "film.mp4"), "--sink", str(folder / "frames/"), "--no-label")


def _film(folder: Path) -> None:
    from edgegan.runtime.live.session import LiveSession

    film, out = str(folder / "film.mp4"), str(folder / "out.mp4")
    with LiveSession.open(None, film, [out], mark=False) as session, _Counter(folder) as counter:
        session.add(counter)
        session.run()


def _recording(folder: Path) -> None:
    from edgegan.runtime.live.session import LiveSession

    film = str(folder / "film.mp4")
    with LiveSession.open(None, film, ["null"], mark=False, files=folder / "kept") as session:
        session.controls.choose(recording=True)
        with _Counter(folder) as counter:
            session.add(counter)
            session.run()


def _presets(folder: Path) -> None:
    from edgegan.runtime.live.controls.remembered import Remembered
    from edgegan.runtime.model import artefact

    os.environ["XDG_CONFIG_HOME"] = str(folder / "home")
    memory = Remembered.of(artefact.load("avatars").card)
    with _Counter(folder) as counter:
        for number in range(300):
            memory.keep(f"preset {number}", {"Smiling": number / 300})
            counter.write(number)


WORK: dict[str, Callable[[Path], None]] = {
    "train": _train,
    "resume": _resume,
    "export": _export,
    "batch": _batch,
    "film": _film,
    "recording": _recording,
    "presets": _presets,
}
TRAIN = (
    *("train", "stargan", "--preset", "avatars-64", "--images", "16", "--device", "cpu", "--threads", "1"),
    *(
        word
        for setting in (
            *("attributes=['cats', 'dogs']", "kind=one_hot", "balance=[]", "exclusive=[]", "hides={}", "focus=[]"),
            *("conv_dim=4", "blocks=1", "d_conv_dim=4", "d_layers=3", "size=16", "n_critic=2", "train.batch=4"),
            *("train.sample_images=8", "train.validate_images=8", "train.checkpoint_images=4", "train.keep=2"),
            "train.workers=0",
        )
        for word in ("--set", setting)
    ),
)


_LOADED = (
    *("cv2", "av", "torch", "torch.onnx", "torch.utils.tensorboard.summary", "tensorboard.compat.proto.event_pb2"),
    *("tensorboard.summary.writer.record_writer", "onnx", "onnxscript", "onnxslim", "openvino", "onnxruntime"),
    *("torchvision", "edgegan.cli", "edgegan.families.stargan", "edgegan.runtime.live.session"),
    *("edgegan.train.session", "edgegan.export", "edgegan.export.run", "edgegan.data.folders"),
)  # OpenCV before PyAV


class _Counter(Sink):
    """The last sink of a session: it counts the frames that all others have."""

    def __init__(self, folder: Path) -> None:
        self._file = open(folder / COUNTED, "wb+")  # noqa: SIM115 - `__exit__` closes it
        self._file.truncate(8)
        self._bytes = mmap.mmap(self._file.fileno(), 8)
        self._count = 0

    def __enter__(self) -> _Counter:
        return self

    def write(self, frame: Any, before: Any = None) -> None:
        self._count += 1
        self._bytes[:] = self._count.to_bytes(8, "little")

    def __exit__(self, *error: object) -> None:
        self._bytes.close()
        self._file.close()


def _edgegan(*words: str) -> None:
    from edgegan.cli import main

    main(list(words))


def _attempt(work: str, folder: Path, kill_after_s: float | None) -> dict[str, Any]:
    began = time.monotonic()
    child = os.fork()
    if not child:
        _child(work, folder)
    seen: tuple[int, int] = (0, 0)
    if kill_after_s is not None:
        while time.monotonic() - began < kill_after_s and seen[0] == 0:
            time.sleep(0.001)
            seen = os.waitpid(child, os.WNOHANG)
    took = time.monotonic() - began
    before, counted = sorted(str(path.relative_to(folder)) for path in folder.rglob("*")), _count(folder)
    if kill_after_s is not None and not seen[0]:
        os.kill(child, signal.SIGKILL)  # not waited for yet: the number is still its own
    if not seen[0]:
        seen = os.waitpid(child, 0)
        took = took if kill_after_s is not None else time.monotonic() - began
    return {"status": os.waitstatus_to_exitcode(seen[1]), "before": before, "counted": counted, "after_s": took}


def _child(work: str, folder: Path) -> None:
    log = os.open(f"{folder}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for number in (1, 2):
        os.dup2(log, number)
    status = 1
    try:
        WORK[work](folder)
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _count(folder: Path) -> int:
    path = folder / COUNTED
    return int.from_bytes(path.read_bytes()[:8], "little") if path.exists() else 0


def _serve() -> None:
    for module in _LOADED:
        importlib.import_module(module)
    for line in sys.stdin:
        work, folder, kill_after_s = json.loads(line)
        sys.stdout.write(json.dumps(_attempt(work, Path(folder), kill_after_s)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
    os._exit(0)  # nothing is left to be tidied up, and libraries that were only loaded may take long over it
