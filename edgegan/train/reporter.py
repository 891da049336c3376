"""What a run tells: progress bar, metrics.jsonl, TensorBoard events, sample grids.

All of it can be done without. A full disk costs the logs, which is said once, and never the training.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from edgegan.families import Stage
from edgegan.runtime.errors import InputError, reason
from edgegan.runtime.files import write_atomic
from edgegan.sheet import Sheet

from .folder.event_file import EventFile
from .folder.run import Run

METRICS, BOARD, SAMPLES = "metrics.jsonl", "tensorboard", "samples"
_UNSHOWN = ("/total", "/gradient")  # written down, but too much for the progress bar
LOG_SECONDS = 5.0  # metrics are averaged over at least so long, so that small steps do not drown the disk


class Reporter:
    """A context manager; `step` is cheap enough for every round."""

    def __init__(self, run: Run, images: int, start: int, console: Console) -> None:
        self._run, self._console, self._start = run, console, start
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.1f} images/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=console,
            refresh_per_second=2,
        )
        self._task = self._bar.add_task(run.family_name, total=images, completed=start, rate=0.0, losses="")
        self._sums: dict[str, list[float]] = {}
        self._waited = 0.0
        self._since = time.monotonic()
        self._since_images = start
        self._board: EventFile | None = None
        self._failed: set[str] = set()

    def __enter__(self) -> Reporter:
        self._try(METRICS, lambda: self._run.folder.mkdir(parents=True, exist_ok=True))
        self._try(METRICS, lambda: _forget_after(self._run.folder / METRICS, self._start))
        self._try(BOARD, self._open_board)
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._bar.stop()
        if self._board is not None:
            self._try(BOARD, self._board.close)

    def step(self, images: int, round_: int, parts: dict[str, float], seconds: float, waited: float = 0.0) -> None:
        """Takes the losses of one round, and the seconds it waited for data; writes means every few seconds."""
        self._waited += waited
        for name, value in parts.items():
            self._sums.setdefault(name, []).append(value)
        now = time.monotonic()
        self._bar.update(self._task, completed=images)
        if now - self._since < LOG_SECONDS and images < (self._bar.tasks[0].total or 0):
            return
        means = {name: sum(values) / len(values) for name, values in self._sums.items()}
        passed = max(now - self._since, 1e-9)
        rate, share = (images - self._since_images) / passed, self._waited / passed
        line = {"images": images, "round": round_, "seconds": round(seconds, 2), "images_per_s": round(rate, 3)}
        line["waiting_share"] = round(share, 4)  # of the time, spent waiting for data
        self._write_line({**line, **means})
        self._write_scalars({**means, "images_per_s": rate, "waiting_share": share}, images)
        short = " ".join(f"{name} {value:.3g}" for name, value in means.items() if not name.endswith(_UNSHOWN))
        self._bar.update(self._task, rate=rate, losses=short)
        self._sums, self._waited, self._since, self._since_images = {}, 0.0, now, images

    def stage(self, images: int, stage: Stage) -> None:
        """Takes the stage that begins after so many images; one without a name is not worth a word."""
        if stage.name:
            self._write_line({"images": images, "stage": stage.name, "batch": stage.batch})
            self._console.print(f"{images} images: {stage.name}, {stage.batch} pictures a round", highlight=False)

    def validation(self, images: int, figures: dict[str, float], best: bool) -> None:
        """Takes figures on held-out data; the first decides, and `best` says that it is the lowest so far."""
        named = {f"heldout/{name}": value for name, value in figures.items()}
        self._write_line({"images": images, **named})
        self._write_scalars(named, images)
        told = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        self._console.print(f"{images} images, held out: {told}" + (" (best so far)" if best else ""), highlight=False)
        self._since = time.monotonic()  # measuring is not training

    def sheet(self, images: int, sheet: Sheet) -> None:
        """Saves a sample grid as `samples/<images>.png` and shows it in TensorBoard."""
        self._try(SAMPLES, lambda: sheet.save(self._run.folder / SAMPLES / f"{images:010d}.png"))
        board = self._board
        if board is not None:
            self._try(BOARD, lambda: board.add_picture("samples", np.asarray(sheet.image()), images))
        self._since = time.monotonic()  # drawing is not training

    def _open_board(self) -> None:
        self._board = EventFile(self._run.folder / BOARD, purge_step=self._start or None)

    def _write_line(self, values: dict[str, Any]) -> None:
        self._try(METRICS, lambda: _append(str(self._run.folder / METRICS), json.dumps(values) + "\n"))

    def _write_scalars(self, values: dict[str, float], images: int) -> None:
        board = self._board
        if board is not None:
            self._try(BOARD, lambda: board.add_scalars(values, images))

    def _try(self, what: str, write: Callable[[], object]) -> None:
        """Writes; what cannot be written is said once, and left out."""
        try:
            write()
        except (OSError, InputError) as error:
            if what == BOARD and self._board is not None:
                self._board.close()  # half an event may stand at its end: nothing can follow
                self._board = None
            if what not in self._failed:
                self._failed.add(what)
                cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
                self._console.print(
                    f"warning: cannot write {self._run.folder / what} ({reason(cause)}); training goes on without it",
                    highlight=False,
                )


class Silence:
    """The reporter of every process but the first: it tells nothing."""

    def step(self, images: int, round_: int, parts: dict[str, float], seconds: float, waited: float = 0.0) -> None:
        """Takes the losses of one round, and leaves them to the first process."""

    def stage(self, images: int, stage: Stage) -> None:
        """Takes the beginning of a stage, and leaves it to the first process."""

    def validation(self, images: int, figures: dict[str, float], best: bool) -> None:
        """Takes figures on held-out data, which the first process alone measures."""

    def sheet(self, images: int, sheet: Sheet) -> None:
        """Takes a sample grid, which the first process alone draws."""


def clear_logs(run: Run) -> None:
    """Removes what an attempt that saved nothing left behind, so that its metrics do not pass for this run's.

    Only files that a run writes go: metrics.jsonl, tensorboard/events* and samples/NUMBER.png.
    """
    metrics = run.folder / METRICS
    old = [metrics, *(run.folder / BOARD).glob("events.*"), *(run.folder / SAMPLES).glob("[0-9]*.png")]
    for path in old:
        with suppress(OSError):
            path.unlink()


def _forget_after(path: Path, images: int) -> None:
    """Keeps the lines up to that many images: what a killed run trained after its last checkpoint is trained again."""
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []  # a device has no end
    kept = [line for line in lines if _images_of(line) <= images]
    if len(kept) < len(lines):
        write_atomic(path, b"".join(kept))


def _images_of(line: bytes) -> float:
    """Infinite for half a line, as a power cut may leave one."""
    try:
        return float(json.loads(line)["images"])
    except (ValueError, KeyError, TypeError):
        return math.inf


def _append(path: str, text: str) -> None:
    """Adds a whole line, or nothing."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        before, data = os.fstat(handle).st_size, text.encode()
        try:
            while data:
                data = data[os.write(handle, data) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, before)  # half a line would spoil the next
            raise
    finally:
        os.close(handle)
