"""ARCHITECTURE.md's two lists of files are the ways that a frame and an artefact really take."""

from __future__ import annotations

import os
import re
import sys
import threading
from pathlib import Path
from types import FrameType

import pytest
from support.training.untrained import make_run

from edgegan.export import Request, export_run
from edgegan.runtime import Callback, Editor, Frame, LiveSession
from edgegan.runtime.drawn import avatars

ROOT = Path(__file__).parents[1]
MOST_FILES = 36  # that a frame enters, without those of the libraries that run its networks


def read_list(heading: str) -> list[str]:
    """The paths of a numbered list, in order; folders end in a slash."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split(f"## {heading}")[1].split("\n\n**")[0].split("\n## ")[0]
    return re.findall(r"^\d+\. `([^`]+)`", text, re.MULTILINE)


class Recorder:
    """Which of the package's files are entered, in order of first entry, while it is on."""

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.on = False
        self._known: dict[str, str] = {}

    def __call__(self, frame: FrameType, event: str, arg: object) -> None:
        if not self.on or event != "call":
            return
        name = frame.f_code.co_filename
        if name not in self._known:
            real = os.path.realpath(name)
            self._known[name] = os.path.relpath(real, ROOT) if real.startswith(f"{ROOT}{os.sep}") else ""
        place = self._known[name]
        if place and place not in self.entered:
            self.entered.append(place)


def position(entered: list[str], place: str) -> int:
    """Where in `entered` a listed file, or the first of a listed folder, stands; -1 if it does not."""
    pattern = re.compile(re.escape(place).replace("<name>", "[a-z0-9_]+"))
    return next((i for i, name in enumerate(entered) if pattern.match(name)), -1)


@pytest.fixture
def recorder():
    found = Recorder()
    threading.setprofile(found)
    sys.setprofile(found)
    yield found
    sys.setprofile(None)
    threading.setprofile(None)


def test_a_frame_goes_the_listed_way(recorder: Recorder) -> None:
    pytest.importorskip("dicebear", reason="needs the avatars extra")
    seen = 0

    def watch(frame: Frame) -> None:
        nonlocal seen
        seen += 1
        recorder.on = seen >= 5

    with LiveSession.open("avatars", "synthetic:320x240@30", ["null"], changes={"Blond_Hair": 1.0}) as session:
        session.add(Callback(watch))
        session.run(frames=60)
    way = read_list("One frame, from its source to the screen")
    assert len(way) >= 12
    assert [place for place in way if position(recorder.entered, place) < 0] == []
    ours = [p for p in recorder.entered if p.startswith(("runtime/", "edgegan/", "export/"))]
    libraries = re.compile(r"runtime/backends/[a-z]+/")  # which ones is the machine's choice
    entered = [place for place in ours if not libraries.match(place)]
    assert len(entered) <= MOST_FILES, entered


def test_an_edit_enters_its_rooms_in_the_listed_order(recorder: Recorder) -> None:
    pytest.importorskip("dicebear", reason="needs the avatars extra")
    frame = avatars.render_rgb(avatars.sample_face(1), 256)[:, :, ::-1].copy()
    with Editor.open("avatars") as editor:
        editor.edit(frame, {"Blond_Hair": 1.0})
        recorder.on = True
        editor.edit(frame, {"Blond_Hair": 1.0})
        recorder.on = False
    way = [p for p in read_list("One frame, from its source to the screen") if "/edit/" in p]
    places = [position(recorder.entered, place) for place in way]
    assert -1 not in places and places == sorted(places)


def test_an_artefact_goes_the_listed_way(recorder: Recorder, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "stargan")
    recorder.on = True
    export_run(Request(source=run.folder, precisions=("fp32",), pictures=4))
    recorder.on = False
    way = read_list("One artefact, from a run to a verified file")
    places = [position(recorder.entered, place) for place in way]
    assert -1 not in places, [p for p, at in zip(way, places, strict=True) if at < 0]
