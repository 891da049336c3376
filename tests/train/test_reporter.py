"""Logs that cannot be written: said once, and training goes on."""

from __future__ import annotations

import io
import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from edgegan import families
from edgegan.sheet import Sheet
from edgegan.train.reporter import Reporter
from edgegan.train.run import Run


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Inside, no file grows beyond `size` bytes: writing more raises OSError, as on a disk that is full."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def noise_sheet() -> Sheet:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    return Sheet(["a"], [[picture]])


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_disk_that_fills_up_is_said_once_for_each_log_and_never_raised(tmp_path: Path) -> None:
    cfg = families.get("stargan").tiny()
    run = Run(tmp_path / "run", "stargan", cfg, "avatars:8")
    said = io.StringIO()
    with largest_file(2000), Reporter(run, 4, 0, Console(file=said, width=300)) as reporter:
        for i in range(200):
            reporter.step(4, i, {f"loss {n}": 1.0 for n in range(8)}, 1.0)
        for i in range(3):
            reporter.validation(i, {"l1": 0.5}, best=False)
            reporter.sheet(i, noise_sheet())
    text = said.getvalue()
    for name in ("metrics.jsonl", "tensorboard", "samples"):
        assert text.count(f"cannot write {run.folder / name}") == 1, text
    lines = (run.folder / "metrics.jsonl").read_text().splitlines()
    assert lines and all(json.loads(line) for line in lines)  # no half line


def test_logs_that_cannot_even_be_begun_do_not_stop_a_run(tmp_path: Path) -> None:
    cfg = families.get("stargan").tiny()
    run = Run(tmp_path / "run", "stargan", cfg, "avatars:8")
    run.folder.mkdir()
    for name in ("tensorboard", "samples"):
        (run.folder / name).write_text("in the way")
    (run.folder / "metrics.jsonl").symlink_to("/dev/full")
    said = io.StringIO()
    with Reporter(run, 4, 0, Console(file=said, width=300)) as reporter:
        reporter.step(4, 1, {"loss": 1.0}, 1.0)
        reporter.sheet(4, noise_sheet())
    assert said.getvalue().count("training goes on") == 3


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    cfg = families.get("stargan").tiny()
    run = Run(tmp_path / "run", "stargan", cfg, "avatars:8")
    for start in (0, 4):
        with Reporter(run, 8, start, Console(quiet=True)) as reporter:
            reporter.step(8, 1, {"D/total": 1.0 + start}, 1.0)
            reporter.sheet(8, noise_sheet())
    board = EventAccumulator(str(run.folder / "tensorboard")).Reload()
    assert [event.value for event in board.Scalars("D/total")] == [5.0]  # the resumed run's stand for the first's
    assert [event.step for event in board.Images("samples")] == [8]
