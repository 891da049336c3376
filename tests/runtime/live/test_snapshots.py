"""Pictures made on request: what is seen, with the settings it was made with."""

import json
import threading
import time

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from support.origins import source_type

from edgegan.runtime.background_queue import Errands
from edgegan.runtime.files import write_atomic
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.controls.look import Look
from edgegan.runtime.live.provenance import EDITED
from edgegan.runtime.live.snapshots import Snapshots, next_path
from edgegan.runtime.live.source import Frame

NOISE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)


def frame(number=0, image=NOISE, timestamp=0.0):
    return Frame(image, number, timestamp, "test")


def test_a_snapshot_is_what_is_seen_and_holds_its_settings(tmp_path):
    controls = Controls(("Smiling",), changes={"Smiling": 0.7}, look=Look(view="split", mirror=True, help=True))
    sink = Snapshots(tmp_path / "shots", controls, mark=False, about={"model": "m"})
    before = np.full_like(NOISE, 9)
    sink.write(frame(), before)
    assert not (tmp_path / "shots").exists()
    controls.press("s")
    for number in range(3):
        sink.write(frame(number), before)
    controls.snapshot()
    sink.write(frame(3), before)
    sink.close()
    first, second = sorted((tmp_path / "shots").iterdir())
    assert (first.name, second.name) == ("snapshot-0001.png", "snapshot-0002.png")
    assert controls.message() == f"written: {second}"
    picture = cv2.imread(str(first))
    assert (picture[0, :15] == 9).all() and np.array_equal(picture[0, 18:], NOISE[0, :14][::-1])
    assert source_type(first) == EDITED.source_type
    with Pillow.open(first) as opened:
        opened.load()
        told = json.loads(opened.info["edgegan"])
    assert told["model"] == "m" and told["settings"] == {"Smiling": 0.7} and told["view"] == "split"


def test_snapshots_come_every_so_many_seconds(tmp_path):
    sink = Snapshots(tmp_path, Controls(), every_s=1.0)
    for number in range(35):
        sink.write(frame(number, timestamp=number / 10))
    sink.close()
    assert len(list(tmp_path.iterdir())) == 4


def test_a_snapshot_that_cannot_be_written_is_said_and_ends_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    controls = Controls()
    sink = Snapshots(tmp_path / "file", controls)
    controls.press("s")
    sink.write(frame())
    sink.close()
    assert controls.message().startswith("no snapshot: ")


def test_writing_a_snapshot_holds_up_no_picture_and_shows_the_moment_of_the_key(tmp_path, monkeypatch):
    gate = threading.Event()

    def slow(path, data):
        assert gate.wait(5), "whoever waits for this waits in vain"
        write_atomic(path, data)

    monkeypatch.setattr("edgegan.runtime.live.snapshots.write_atomic", slow)
    controls, picture = Controls(), NOISE.copy()
    with Snapshots(tmp_path, controls, mark=False) as sink:
        controls.press("s")
        began = time.monotonic()
        sink.write(frame(image=picture))
        assert time.monotonic() - began < 2 and not list(tmp_path.iterdir())
        picture[...] = 0
        gate.set()
    assert np.array_equal(cv2.imread(str(tmp_path / "snapshot-0001.png")), NOISE)


def test_errands_are_done_in_order_and_who_sends_too_many_waits():
    gate, done = threading.Event(), []

    def first():
        gate.wait(5)
        done.append("first")

    errands = Errands("test", most=2)
    errands.send(first)
    errands.send(lambda: done.append("second"))
    assert done == []
    threading.Timer(0.05, gate.set).start()
    errands.send(lambda: done.append("third"))
    assert done[0] == "first"
    errands.close()
    errands.close()
    assert done == ["first", "second", "third"]
    errands = Errands("test")
    errands.send(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        errands.close()


def test_numbers_go_on_where_files_are(tmp_path):
    (tmp_path / "a-0001.png").write_text("")
    assert next_path(tmp_path, "a", ".png").name == "a-0002.png"
