"""Many small jobs over all processors, in order; what takes long is told on stderr."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Job = TypeVar("Job")
Result = TypeVar("Result")

FEW = 200  # so few jobs are done at once: starting processes would cost more than it saves


def in_processes(do: Callable[[Job], Result], jobs: Sequence[Job], *, what: str) -> Iterator[Result]:
    """`do(job)` for every job, in order, in fresh processes. `do`, jobs and results must pickle."""
    if len(jobs) < FEW:
        return show_steps(map(do, jobs), len(jobs), what)
    pool = ProcessPoolExecutor(
        processors(),
        mp_context=get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )
    return show_steps(_map_in_pool(pool, do, jobs), len(jobs), what)


def in_threads(do: Callable[[Job], Result], jobs: Sequence[Job], *, what: str) -> Iterator[Result]:
    """`do(job)` for every job, in order, in threads: for work that waits for files or releases the GIL."""
    return show_steps(_map_in_pool(ThreadPoolExecutor(processors()), do, jobs), len(jobs), what)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _map_in_pool(pool: Executor, do: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
    try:
        for start in range(0, len(jobs), 4096):  # by blocks, so that a huge set does not queue up all at once
            yield from pool.map(do, jobs[start : start + 4096], chunksize=16)
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C or an error, what has not begun never begins


def show_steps(steps: Iterable[Result], total: int, what: str) -> Iterator[Result]:
    """Yields `total` steps and tells of them on stderr: a bar on a terminal, one line in a log."""
    console = Console(stderr=True)
    if console.is_terminal:
        steps = track(steps, what, total=total, console=console, transient=True)
    else:
        console.print(what, highlight=False, soft_wrap=True)  # a log has no use for a bar
    yield from steps
