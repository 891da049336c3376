"""Visitors' own cameras: edited by their own settings, in turn, and never before the device's stream."""

import socket
import threading
import time

import numpy as np
import pytest
from starlette.websockets import WebSocketDisconnect
from support import tiny_models
from support.web.guests import own_camera
from support.web.page import far, show, up
from support.web.visitor import Visitor, frame, until
from websockets.exceptions import ConnectionClosed

from edgegan.runtime.drawn import avatars
from edgegan.runtime.edit.editor import Editor
from edgegan.runtime.errors import InputError
from edgegan.runtime.live.controls.look import Look
from edgegan.runtime.live.provenance import EDITED
from edgegan.runtime.live.screen.views import compose
from edgegan.runtime.live.web import limits


def test_own_pictures_come_back_edited_by_own_settings(opened, page_editor):
    page = opened(page_editor, mark=False)
    image = frame(value=60).image_bgr
    with Visitor.at(page) as visitor, Visitor.at(page) as other:
        visitor.say("set", name="Smiling", value=1)
        visitor.state("Smiling", lambda value: value == 1.0)
        visitor.say("camera", name="own")
        assert visitor.wait("camera")["name"] == "own"
        visitor.say("mirror", value=0)
        visitor.wait("state", lambda state: not state["look"]["mirror"])
        visitor.socket.send(up(image))
        visitor.socket.send(up(image))
        about, picture = visitor.picture()
        answered = about["answers"]
        while answered < 2:
            about, picture = visitor.picture()
            answered += about["answers"]
        assert about["camera"] == "own" and answered == 2
        assert far(picture, page_editor.edit(image, {"Smiling": 1.0})) < 3
        visitor.say("set", name="Smiling", value=0)
        visitor.state("Smiling", lambda value: value == 0.0)
        visitor.socket.send(up(image))
        visitor.picture()
        time.sleep(0.3)  # changes come in smoothly
        visitor.socket.send(up(image))
        settled = visitor.picture()[1]
        assert far(settled, page_editor.edit(image, {"Smiling": 0.0})) < 3 < far(settled, picture)
        assert page.controls.changes == {"Smiling": 1.0}
        other.state("Smiling", lambda value: value == 1.0)
        visitor.say("camera", name="device")
        visitor.state("Smiling", lambda value: value == 1.0)
        show(page, 3)
        assert visitor.picture()[0]["number"] == 3


def test_a_mirrored_picture_keeps_its_mark_readable(opened, page_editor):
    page = opened(page_editor)
    image = frame(value=60).image_bgr
    with Visitor.at(page) as visitor:
        visitor.say("camera", name="own")
        visitor.wait("camera")
        visitor.say("view", name="after")
        visitor.socket.send(up(image))
        wanted = compose(page_editor.edit(image, {}), image, Look(mirror=True), EDITED.mark)
        assert far(visitor.picture()[1], wanted) < 5


def test_a_closed_tab_frees_all_that_was_its_own(opened, page_editor):
    page = opened(page_editor)
    visitor = Visitor.at(page)
    visitor.say("camera", name="own")
    visitor.wait("camera")
    visitor.socket.send(up(frame().image_bgr))
    visitor.picture()
    (inside,) = page.visitors._here.values()
    guest = inside.guest
    visitor.socket.socket.shutdown(socket.SHUT_RDWR)  # as when a phone goes out of reach
    assert until(lambda: not len(page.visitors) and page.visitors.guests._here == 0)
    assert guest.newest is None and inside.guest is None
    with pytest.raises(InputError, match="closed"):
        guest._editor.edit(frame().image_bgr, {})
    page_editor.edit(frame().image_bgr, {})  # the models are still there


def test_a_tab_that_goes_while_it_turns_back_frees_its_place(opened, page_editor, monkeypatch):
    page = opened(page_editor)
    visitor = own_camera(page)
    (inside,) = page.visitors._here.values()

    async def leave(words):
        raise WebSocketDisconnect(1006)

    monkeypatch.setattr(inside, "_say", leave)
    visitor.say("camera", name="device")
    assert until(lambda: not len(page.visitors) and page.visitors.guests._here == 0)


def test_no_more_cameras_than_agreed_and_the_next_once_one_has_left(opened, page_editor):
    page = opened(page_editor, limits=limits.Limits(guests=1))
    one = own_camera(page)
    with Visitor.at(page) as two:
        two.say("camera", name="own")
        said = two.wait("camera")
        assert said["name"] == "device" and "1 visitors show their cameras already" in said["why"]
        show(page)
        two.picture()
        one.close()
        assert until(lambda: page.visitors.guests._here == 0)
        two.say("camera", name="own")
        assert two.wait("camera", lambda said: said["name"] == "own")


def test_a_click_chooses_the_face_that_is_shown_there(opened, tmp_path):
    pytest.importorskip("resvg_py")
    image = np.full((360, 640, 3), 80, np.uint8)
    for x, size, number in ((0, 260, 3), (290, 340, 4)):
        person = avatars.sample_face(avatars.SPLITS["heldout"] + number)
        image[10 : 10 + size, x : x + size] = avatars.render_rgb(person, size)[:, :, ::-1]
    with Editor.open(tiny_models.write_editor(tmp_path), backend="onnxruntime") as editor:
        page = opened(editor, mark=False, faces="all")
        visitor = own_camera(page)
        assert visitor.wait("hello")["faces"] is True
        visitor.say("set", name="Smiling", value=1)
        visitor.state("Smiling", lambda value: value == 1.0)

        def is_chosen(click, left, right, *, mirror):
            """Whether these faces of the picture that was sent, and no others, are edited after a click."""
            visitor.say("mirror", value=int(mirror))
            visitor.say("click", at=click)

            def sides_edited():
                visitor.socket.send(up(image))
                shown = visitor.picture()[1]
                changed = np.abs((shown[:, ::-1] if mirror else shown).astype(int) - image).mean(axis=(0, 2))
                return changed[90:170].mean() > 8, changed[400:520].mean() > 8

            return until(lambda: sides_edited() == (left, right), 5.0)  # one that is chosen no more fades

        assert is_chosen([0.2, 0.4], True, False, mirror=False)
        assert is_chosen([0.2, 0.4], False, True, mirror=True)
        assert is_chosen(None, True, True, mirror=False)
        visitor.say("click", at=[0.2, 7])
        visitor.wait("state", lambda state: "a click at 0.2, 7" in state["message"])
        visitor.close()


def test_generators_take_no_camera(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        assert visitor.wait("hello")["own_camera"] is False
        visitor.say("camera", name="own")
        assert visitor.wait("camera")["name"] == "device"
        show(page)
        visitor.picture()


def test_it_closes_within_two_seconds_whoever_is_there(opened, page_editor):
    page = opened(page_editor)
    visitors = [Visitor.at(page) for _ in range(3)]
    visitors[0].say("camera", name="own")
    visitors[0].wait("camera")
    began = time.monotonic()
    page.close()
    page.close()
    assert time.monotonic() - began < 2
    assert not any(t.name == "edgegan-web" for t in threading.enumerate())
    for visitor in visitors:
        with pytest.raises(ConnectionClosed):
            while True:
                visitor.picture()
    page.sink.write(frame())  # a frame that comes late does no harm
