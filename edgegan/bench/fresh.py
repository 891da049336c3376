"""Fresh processes: each subject lives in one of its own, so that import, load and memory are its own too."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import msgspec

import edgegan
from edgegan.runtime.backends.openvino.cache import VARIABLE as CACHE_VARIABLE
from edgegan.runtime.errors import EdgeganError

from .machine import without_paths
from .messages import Ask, Done, Failed, Job, Ready, Reply, Times, Visit
from .subjects import Subject

# Threads of an idle subject must sleep, or they would slow the subject whose turn it is.
QUIET = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
START_TIMEOUT_S = 600.0
_REPLY_TIMEOUT_S = 600.0


class WorkerFailedError(EdgeganError):
    """A fresh process could not do what it was for; `seen` says why, without any path."""


class Worker:
    """A subject in a process of its own, loaded. Use as a context manager, or call `close`.

    `start_s` is the cold start as a user meets it: from starting Python to the first result. Between
    questions the process sleeps. Raises WorkerFailedError if the subject cannot be loaded or run.
    """

    def __init__(self, job: Job) -> None:
        self.subject: Subject = job.subject
        self._cache = tempfile.TemporaryDirectory(prefix="edgegan-bench-")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edgegan.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_environment(job, Path(self._cache.name)),
        )
        try:
            first = self._exchange(msgspec.json.encode(job), START_TIMEOUT_S)
        except BaseException:
            self.close()
            raise
        self.start_s = time.perf_counter() - began
        self.first: Ready | Done = first  # type: ignore[assignment]

    @property
    def ready(self) -> Ready:
        """What the process said when it had its first result."""
        assert isinstance(self.first, Ready)
        return self.first

    def ask(self, question: Ask) -> Reply:
        """Sends a question and waits for its reply; raises WorkerFailedError."""
        return self._exchange(msgspec.json.encode(question), _REPLY_TIMEOUT_S)

    def visit(self, calls: int) -> list[float]:
        """The latencies in milliseconds of `calls` runs, after one that does not count."""
        reply = self.ask(Visit(calls))
        assert isinstance(reply, Times)
        return reply.ms

    def close(self) -> None:
        """Ends the process; a second call does nothing."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._cache.cleanup()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, line: bytes, timeout_s: float) -> Reply:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        watch = threading.Timer(timeout_s, give_up)
        watch.start()
        try:
            stdin.write(line + b"\n")
            stdin.flush()
            answer = stdout.readline()
        except BrokenPipeError:
            answer = b""
        finally:
            watch.cancel()
        if not answer:
            raise WorkerFailedError(f"it gave no answer in {timeout_s:.0f} s" if late.is_set() else self._death())
        reply: Reply = msgspec.json.decode(answer, type=Reply)
        if isinstance(reply, Failed):
            raise WorkerFailedError(without_paths(reply.reason))
        return reply

    def _death(self) -> str:
        code = self._process.wait(10)
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return without_paths(f"its process ended with {how}" + (f": {lines[-1][:200]}" if lines else ""))


def _environment(job: Job, cache: Path) -> dict[str, str]:
    kept = {**os.environ, CACHE_VARIABLE: ""}  # a cold start has nothing compiled before
    root = str(Path(edgegan.__file__).parents[1])
    return {
        **kept,
        **QUIET,
        "OMP_NUM_THREADS": str(job.threads),
        "MKL_NUM_THREADS": str(job.threads),
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"),
        "TRITON_CACHE_DIR": str(cache / "triton"),
        "PYTHONPATH": os.pathsep.join(filter(None, (kept.get("PYTHONPATH"), root))),
    }
