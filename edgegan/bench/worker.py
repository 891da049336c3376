"""A fresh process that holds one subject: `python -m edgegan.bench.worker`, a Job on stdin, replies on stdout."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.errors import EdgeganError

from .engines import Opened, first_input, open_spec, open_subject
from .messages import Ask, Done, Failed, Job, Outputs, Ready, Reply, Times, Visit

_SETTLE_CALLS = 3  # some libraries allocate on the second call too


def main() -> None:
    """Serves until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the session's; it closes stdin
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print must not mix with the replies
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    try:
        for reply in _serve(job):
            _send(replies, reply)
    except EdgeganError as error:
        _send(replies, Failed(reason=" ".join(str(error).splitlines())))
    except Exception as error:  # a library's own: its first line goes into the report, not a traceback
        text = (str(error).strip().splitlines() or [""])[0]
        _send(replies, Failed(reason=f"{type(error).__name__}: {text}"[:300]))


def _serve(job: Job) -> Iterator[Reply]:
    if job.pictures:
        yield _draw(job)
        return
    began = time.perf_counter()
    opened = open_subject(job)
    loaded = time.perf_counter()
    arrays = _inputs(job)
    inputs = first_input(arrays)
    ready = time.perf_counter()
    opened.run(inputs)
    first = time.perf_counter()
    for _ in range(_SETTLE_CALLS):
        opened.run(inputs)
    yield Ready(
        open_s=loaded - began,
        first_s=first - ready,
        peak_mib=_peak_mib(),
        device=opened.device,
        notices=opened.notices,
    )
    for line in sys.stdin.buffer:
        ask = msgspec.json.decode(line, type=Ask)
        yield Times(_times(opened, inputs, ask.calls)) if isinstance(ask, Visit) else _outputs(job, ask, opened, arrays)


def _times(opened: Opened, inputs: dict[str, NDArray[Any]], calls: int) -> list[float]:
    gc.collect()
    gc.disable()
    try:
        opened.run(inputs)  # the caches still hold the subject before
        marks = [time.perf_counter()]
        for _ in range(calls):
            opened.run(inputs)
            marks.append(time.perf_counter())
    finally:
        gc.enable()
    return [1000.0 * (b - a) for a, b in zip(marks, marks[1:], strict=False)]


def _outputs(job: Job, ask: Outputs, opened: Opened, arrays: dict[str, NDArray[Any]]) -> Done:
    del ask
    count = len(next(iter(arrays.values())))
    found: dict[str, list[NDArray[np.float32]]] = {}
    for i in range(count):
        given = {name: np.array(a[i : i + 1]) for name, a in arrays.items()}
        for name, array in opened.run(given).items():
            found.setdefault(name, []).append(array.astype(np.float32))
    for name, parts in found.items():
        np.save(Path(job.scratch) / f"out.{job.subject.id}.{name}.npy", np.concatenate(parts))
    return Done()


def _draw(job: Job) -> Done:
    """Held-out inputs of a run that has no golden pairs yet."""
    spec = open_spec(job)
    count = 1
    drawn = spec.golden(count)
    each = len(next(iter(drawn.values())))  # one picture may give several inputs: one for each attribute
    if each < job.pictures:
        drawn = spec.golden(-(-job.pictures // each))
    for name, array in drawn.items():
        np.save(Path(job.scratch) / f"in.{name}.npy", array[: job.pictures])
    return Done(card=spec.card.to_json().decode(), note=spec.note)


def _inputs(job: Job) -> dict[str, NDArray[np.float32]]:
    files = Path(job.scratch).glob("in.*.npy")
    return {p.name.removeprefix("in.").removesuffix(".npy"): np.load(p, mmap_mode="r") for p in files}


def _peak_mib() -> float:
    """The most memory this process had resident so far.

    Linux says it per address space in /proc; getrusage would also count the process that started this one.
    """
    try:
        status = Path("/proc/self/status").read_text("ascii", "replace")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 1024)


def _send(replies: BinaryIO, reply: Reply) -> None:
    replies.write(msgspec.json.encode(reply) + b"\n")


if __name__ == "__main__":
    main()
