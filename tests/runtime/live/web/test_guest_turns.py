"""Visitors' cameras take turns, and never hold the device up."""

import itertools
import socket
import threading
import time

import pytest
from support import tiny_models
from support.web.guests import own_camera
from support.web.page import show, up
from support.web.visitor import Visitor, frame, until
from websockets.exceptions import ConnectionClosed

from edgegan.runtime.edit.editor import Editor
from edgegan.runtime.live.source import Source
from edgegan.runtime.live.stream import Stream
from edgegan.runtime.live.web import limits


def test_visitors_pictures_do_not_hold_up_the_page(opened, page_editor):
    page = opened(page_editor)
    with Visitor.at(page) as watcher:
        guests = [own_camera(page) for _ in range(4)]
        with page_editor._lock:  # the model is busy for long
            for guest in guests:
                guest.socket.send(up(frame().image_bgr))
            time.sleep(0.1)
            for number in range(5):
                show(page, number)
                assert watcher.picture(timeout=2)[0]["number"] == number
        for guest in guests:
            assert guest.picture()[0]["camera"] == "own"
            guest.close()


def test_who_leaves_while_the_model_is_busy_holds_up_nobody(opened, page_editor):
    page = opened(page_editor)
    with Visitor.at(page) as watcher:
        gone, turned = own_camera(page), own_camera(page)
        with page_editor._lock:
            gone.socket.socket.shutdown(socket.SHUT_RDWR)
            turned.say("camera", name="device")
            assert turned.wait("camera", lambda said: said["name"] == "device")
            for number in range(3):
                show(page, number)
                assert watcher.picture(timeout=2)[0]["number"] == number
            assert turned.picture(timeout=2)[0]["camera"] == "device"
        turned.close()
    assert until(lambda: page.visitors.guests._here == 0)


@pytest.mark.parametrize("every_s", [0.005, 0.05], ids=["that takes all it can get", "of a camera"])
def test_guests_leave_the_devices_stream_its_pace(opened, tmp_path, monkeypatch, every_s):
    """A stream beside three cameras that want the model without a break."""
    model = tiny_models.write_editor(tmp_path, faces=False, alignment=None)
    with Editor.open(model, backend="onnxruntime") as editor:
        run = editor._backend.run
        monkeypatch.setattr(editor._backend, "run", lambda inputs: (time.sleep(0.03), run(inputs))[1])
        page = opened(editor)
        alone = pace(page, editor, every_s)
        cameras = [threading.Thread(target=keep_sending, args=(page,)) for _ in range(3)]
        for camera in cameras:
            camera.start()
        assert until(lambda: sum(v.newest is not None for v in page.visitors._here.values()) == 3)
        together = pace(page, editor, every_s)
        page.close()
        for camera in cameras:
            camera.join()
    assert 0.6 * alone < together, (together, alone)


def pace(page, editor, every_s, seconds=2.0):
    """The frames that a stream shows a second; its camera takes one every `every_s` seconds."""

    class Camera(Source):
        name, about, live, fps, size_hw, length = "camera", "", True, None, (48, 64), None

        def __iter__(self):
            began = time.monotonic()
            for index in itertools.count():
                yield frame(index)
                time.sleep(max(0.0, began + (index + 1) * every_s - time.monotonic()))

    def process(shot, record):
        return editor.edit(shot.image_bgr, {"Smiling": 1.0}, timestamp=shot.timestamp, record=record)

    return Stream(Camera(), process, page.sink).run(seconds=seconds).shown / seconds


def keep_sending(page):
    """A visitor's camera, as fast as it may, until the page closes."""
    visitor, data = own_camera(page), up(frame().image_bgr)
    try:
        for _ in range(limits.IN_FLIGHT):
            visitor.socket.send(data)
        while True:
            for _ in range(visitor.picture(timeout=10)[0]["answers"]):
                visitor.socket.send(data)
    except ConnectionClosed:
        pass


def test_of_pictures_that_wait_the_newest_is_edited(opened, page_editor):
    page = opened(page_editor, mark=False)
    visitor = own_camera(page)
    with page_editor._lock:
        visitor.socket.send(up(frame(value=20).image_bgr))
        time.sleep(0.2)
        for value in (60, 90, 120, 150):
            visitor.socket.send(up(frame(value=value).image_bgr))
        time.sleep(0.2)
    first, second = visitor.picture(), visitor.picture()
    assert (first[0]["answers"], second[0]["answers"]) == (1, 4)
    assert first[1][:, :, 0].mean() < 40 and second[1][:, :, 0].mean() > 130
    visitor.close()
