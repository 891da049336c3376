"""What a run tells: progress bar, metrics.jsonl, TensorBoard events, sample grids."""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import IO, Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from edgegan.sheet import Sheet

from .run import Run

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

    def __enter__(self) -> Reporter:
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        self._run.folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = open(self._run.folder / "metrics.jsonl", "a", encoding="utf-8")  # noqa: SIM115
        self._board: Any = SummaryWriter(str(self._run.folder / "tensorboard"), purge_step=self._start or None)
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._bar.stop()
        self._file.close()
        self._board.close()

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
        self._file.write(json.dumps({**line, **means}) + "\n")
        self._file.flush()
        for name, value in {**means, "images_per_s": rate, "waiting_share": share}.items():
            self._board.add_scalar(name, value, images)
        short = " ".join(f"{name} {value:.3g}" for name, value in means.items() if not name.endswith(_UNSHOWN))
        self._bar.update(self._task, rate=rate, losses=short)
        self._sums, self._waited, self._since, self._since_images = {}, 0.0, now, images

    def validation(self, images: int, figures: dict[str, float], best: bool) -> None:
        """Takes figures on held-out data; the first decides, and `best` says that it is the lowest so far."""
        self._file.write(json.dumps({"images": images, **{f"heldout/{k}": v for k, v in figures.items()}}) + "\n")
        self._file.flush()
        for name, value in figures.items():
            self._board.add_scalar(f"heldout/{name}", value, images)
        told = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        self._console.print(f"{images} images, held out: {told}" + (" (best so far)" if best else ""), highlight=False)
        self._since = time.monotonic()  # measuring is not training

    def sheet(self, images: int, sheet: Sheet) -> None:
        """Saves a sample grid as `samples/<images>.png` and shows it in TensorBoard."""
        path = self._run.folder / "samples" / f"{images:010d}.png"
        sheet.save(path)
        self._board.add_image("samples", np.asarray(sheet.image()), images, dataformats="HWC")
        self._since = time.monotonic()  # drawing is not training


class Silence:
    """The reporter of every process but the first: it tells nothing."""

    def step(self, images: int, round_: int, parts: dict[str, float], seconds: float, waited: float = 0.0) -> None:
        """Nothing."""

    def validation(self, images: int, figures: dict[str, float], best: bool) -> None:
        """Nothing."""

    def sheet(self, images: int, sheet: Sheet) -> None:
        """Nothing."""
