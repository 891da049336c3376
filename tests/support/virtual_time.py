"""Threads in a time of their own, which passes only while all of them wait: what they do repeats exactly."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable


class _Task:
    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.block = 0  # counts its waits, so that a wake-up for an earlier one is known
        self.done = False


class VirtualTime:
    """Runs jobs in threads, one at a time: the next runs once the last sleeps, waits on a `condition` or ends."""

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[tuple[_Task, int]] = deque()
        self._alarms: list[tuple[float, int, _Task, int]] = []
        self._back = threading.Semaphore(0)
        self._count = 0
        self._task = _Task()  # the one that runs

    def monotonic(self) -> float:
        """Stands in for `time.monotonic`."""
        return self._now

    def run(self, *jobs: Callable[[], None]) -> None:
        """Returns when all jobs have ended; asserts that they do not wait for each other for ever."""
        tasks = [_Task() for _ in jobs]
        for task, job in zip(tasks, jobs, strict=True):
            threading.Thread(target=self._work, args=(task, job), daemon=True).start()
            self._ready.append((task, 0))
        while not all(task.done for task in tasks):
            self._task = self._next()
            self._task.go.release()
            assert self._back.acquire(timeout=10.0)

    def sleep(self, seconds: float) -> None:
        """Lets the other jobs run for so long."""
        self._alarm(seconds)
        self._switch()

    def condition(self) -> VirtualCondition:
        """Stands in for `threading.Condition`."""
        return VirtualCondition(self)

    def _work(self, task: _Task, job: Callable[[], None]) -> None:
        task.go.acquire()
        try:
            job()
        finally:
            task.done = True
            self._back.release()

    def _next(self) -> _Task:
        while self._ready:
            task, block = self._ready.popleft()
            if task.block == block and not task.done:
                return task
        while self._alarms:
            when, _, task, block = heapq.heappop(self._alarms)
            if task.block == block:
                self._now = max(self._now, when)
                return task
        raise AssertionError("every job waits for another")

    def _alarm(self, seconds: float) -> None:
        self._count += 1
        heapq.heappush(self._alarms, (self._now + seconds, self._count, self._task, self._task.block))

    def _switch(self) -> None:
        task = self._task
        self._back.release()
        task.go.acquire()
        task.block += 1


class VirtualCondition:
    """A condition of threads of which only one runs at a time, so that its lock has nothing to do."""

    def __init__(self, world: VirtualTime) -> None:
        self._world = world
        self._waiting: list[tuple[_Task, int]] = []

    def wait(self, timeout: float | None = None) -> None:
        """Until `notify_all`, or for so many seconds."""
        self._waiting.append((self._world._task, self._world._task.block))
        if timeout is not None:
            self._world._alarm(timeout)
        self._world._switch()

    def notify_all(self) -> None:
        """Lets those who wait run."""
        self._world._ready.extend(self._waiting)
        self._waiting.clear()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass
