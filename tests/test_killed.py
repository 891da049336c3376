"""kill -9 at random moments: nothing is lost but the last interval, and what comes after goes on as if nothing was.

EDGEGAN_KILLS=200 sets the number of moments of the slow test, over all kinds of work together; EDGEGAN_KILLS_SEED
other moments.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from support.av_clips import clip, read_back
from support.killed_work import FPS, Ending, Nursery

from edgegan.runtime.errors import EdgeganError
from edgegan.runtime.model import artefact
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run, open_run

FRAMES = 80
MOMENTS = {"train": 60, "export": 10, "batch": 40, "film": 40, "recording": 30, "presets": 20}  # of 200
SEED = int(os.environ.get("EDGEGAN_KILLS_SEED", "0"))


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as opened:
        yield opened


@dataclass(frozen=True)
class Begun:
    """Where every attempt at a work begins, what it leaves when nobody kills it, and the seconds it takes."""

    start: Path
    whole: Path
    lasts_s: float


def begin(work: str, nursery: Nursery, tmp: Path) -> Begun:
    start, whole = tmp / "start", tmp / "whole"
    start.mkdir()
    if work in ("batch", "film", "recording"):
        clip(start / "film.mp4", frames=FRAMES, fps=FPS)
    if work == "film":
        (start / "out.mp4").write_bytes(b"an earlier film")
    if work in ("train", "export"):
        draw_pets(start / "pets")
    if work == "export":
        assert nursery.run("train", start).status == 0, Path(f"{start}.log").read_text()
        done = nursery.run("export", start)
        whole = start
    else:
        shutil.copytree(start, whole)
        done = nursery.run(work, whole)
    assert done.status == 0, Path(f"{whole}.log").read_text()
    return Begun(start, whole, done.after_s)


def draw_pets(top: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (top / name).mkdir(parents=True)
        for number in range(20):
            cv2.imwrite(str(top / name / f"{number}.png"), rng.integers(0, 256, (16, 16, 3), np.uint8))


def kill_and_look(work: str, moments: int, nursery: Nursery, tmp: Path) -> int:
    """Kills the work so many times, each in a folder of its own; how many of them were still at work.

    A machine may become faster meanwhile: an attempt that came to its end says how long one takes now, and is no kill.
    """
    begun = begin(work, nursery, tmp)
    draw, hit, lasts_s = random.Random(f"{SEED} {work}"), 0, begun.lasts_s
    for number in range(2 * moments):
        if hit == moments:
            break
        folder = tmp / f"{work}-{number}"
        shutil.copytree(begun.start, folder)
        ended = nursery.run(work, folder, lasts_s * draw.random())
        assert ended.status in (-9, 0), Path(f"{folder}.log").read_text()
        hit += ended.status == -9
        lasts_s = min(lasts_s, ended.after_s) if ended.status == 0 else lasts_s
        try:
            CHECKS[work](folder, ended, begun.whole, nursery)
        except Exception as error:
            error.add_note(f"{work}, moment {number} of seed {SEED}, {ended.after_s:.3f} s: {folder}")
            raise
        shutil.rmtree(folder)
    return hit


def check_training(folder: Path, ended: Ending, example: Path, nursery: Nursery) -> None:
    saved = [Path(name) for name in ended.before if name.startswith("run/checkpoints/") and "/." not in name]
    for name in saved[-1:]:
        checkpoint.load(folder / name)
    newest = max((int(name.stem) for name in saved if name.stem.isdecimal()), default=0)
    if (folder / "run/config.json").exists():
        found = open_run(folder / "run").newest_readable()
        assert (int(found.header["images"]) if found else 0) >= newest
        work = "resume"
    else:
        work = "train"
    one = open_run(example / "run")
    if not ended.status or newest == int(one.checkpoints()[-1].stem):  # it was done, or only had to say so
        return
    assert nursery.run(work, folder).status == 0, Path(f"{folder}.log").read_text()
    two = open_run(folder / "run")
    for path in (one.checkpoints()[-1], one.best_path):
        first, second = checkpoint.load(path), checkpoint.load(two.folder / path.relative_to(one.folder))
        assert first.header["images"] == second.header["images"] and first.header["best"] == second.header["best"]
        assert all(torch.equal(tensor, second.tensors[key]) for key, tensor in first.tensors.items())
    assert read_log(two) == sorted(set(read_log(two)))
    assert not list_hidden(folder)


def read_log(run: Run) -> list[tuple[int, bool]]:
    """(images, whether of a validation) of each line of metrics."""
    lines = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["images"], "round" not in line) for line in lines]


def list_hidden(folder: Path) -> list[str]:
    """Files that only work under way should have."""
    return [str(path) for path in folder.rglob(".*") if path.name != ".counted"]


def check_export(folder: Path, ended: Ending, example: Path, nursery: Nursery) -> None:
    for name in ("model.onnx", "classifier.onnx"):
        try:
            artefact.load(folder / "run/export" / name)
        except EdgeganError as error:
            assert "bug" not in str(error)  # refused, in words
    assert nursery.run("export", folder).status == 0, Path(f"{folder}.log").read_text()
    for name in ("model.onnx", "classifier.onnx"):
        cards = [artefact.load(place / "run/export" / name).card for place in (folder, example)]
        assert cards[0].lasting == cards[1].lasting  # all but how fast it was
    assert not list_hidden(folder)


def check_batch(folder: Path, ended: Ending, example: Path, nursery: Nursery) -> None:
    seen = [name for name in ended.before if name.startswith("frames/frame_")]
    written = sorted((folder / "frames").glob("frame_*.png"))
    assert [path.name for path in written] == [f"frame_{number:06d}.png" for number in range(len(written))]
    assert len(written) >= len(seen)
    for path in written:
        assert np.array_equal(cv2.imread(str(path)), cv2.imread(str(example / "frames" / path.name)))


def check_film(folder: Path, ended: Ending, example: Path, nursery: Nursery) -> None:
    out = folder / "out.mp4"
    if out.read_bytes() == b"an earlier film":
        assert ended.counted <= 2 * FPS + 1
        return
    check_numbers(out, ended)


def check_recording(folder: Path, ended: Ending, example: Path, nursery: Nursery) -> None:
    out = folder / "kept/recording-0001.mp4"
    if ended.counted > FPS + 1 or out.exists():
        check_numbers(out, ended)


def check_numbers(out: Path, ended: Ending) -> None:
    """What was said to be written plays, but for the last second."""
    least = FRAMES if ended.status == 0 else max(0, ended.counted - FPS - 1)
    numbers = read_back(out)[0] if least or ended.status == 0 else []
    assert numbers == list(range(len(numbers))) and len(numbers) >= least


def check_presets(folder: Path, ended: Ending, example: Path, nursery: Nursery) -> None:
    found = [json.loads(path.read_text()) for path in (folder / "home").rglob("*.json") if path.name[0] != "."]
    names = {name for document in found for name in document.get("presets", {})}
    assert names >= {f"preset {number}" for number in range(ended.counted)}


CHECKS: dict[str, Callable[[Path, Ending, Path, Nursery], None]] = {
    "train": check_training,
    "export": check_export,
    "batch": check_batch,
    "film": check_film,
    "recording": check_recording,
    "presets": check_presets,
}


@pytest.mark.parametrize("work", MOMENTS)
def test_a_kill_loses_nothing_but_the_last_interval(work: str, nursery: Nursery, tmp_path: Path) -> None:
    kill_and_look(work, 1 if work == "export" else 2, nursery, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("work", MOMENTS)
def test_many_kills_lose_nothing_but_the_last_interval(work: str, nursery: Nursery, tmp_path: Path) -> None:
    moments = -(-MOMENTS[work] * int(os.environ.get("EDGEGAN_KILLS", "200")) // 200)
    assert kill_and_look(work, moments, nursery, tmp_path) > moments // 2
