"""What a visitor may not do: it ends the visit in words, and costs nobody else anything."""

import json
import struct

import httpx
import numpy as np
import pytest
from support.web.page import up
from support.web.visitor import Visitor, frame, until
from websockets.exceptions import ConnectionClosed

from edgegan.runtime.live.web import Limits


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (b"no picture", "no JPEG"),
        (up(np.zeros((300, 300, 3), np.uint8)), "300x300"),
        (struct.pack(">HHHBHHB", 0xFFD8, 0xFFC0, 17, 8, 60000, 60000, 3) + bytes(20), "60000x60000"),
        (up(np.zeros((64, 64, 3), np.uint8))[:60], "no JPEG"),
        ("{", "cannot be read"),
        ('{"type": "set", "unknown": 1}', "cannot be read"),
        (f'{{"type": "set", "{"é日" * 200}": 1}}', "cannot be read"),  # a reason holds bytes, not characters
    ],
)
def test_what_breaks_the_rules_ends_the_visit_in_words(opened, page_editor, what, words):
    page = opened(page_editor, limits=Limits(frame_pixels=200 * 200))
    with Visitor.at(page) as visitor:
        visitor.say("camera", name="own")
        visitor.wait("camera")
        visitor.socket.send(what)
        with pytest.raises(ConnectionClosed) as ended:
            while True:
                visitor.picture()
        assert ended.value.rcvd.code == 1008
        assert words in ended.value.rcvd.reason
    assert until(lambda: not len(page.visitors))


def test_a_message_that_is_too_long_is_not_even_read(opened, page_editor):
    page = opened(page_editor, limits=Limits(frame_bytes=10_000))
    with Visitor.at(page) as visitor:
        visitor.socket.send(bytes(20_000))
        with pytest.raises(ConnectionClosed) as ended:
            visitor.wait("nothing")
        assert ended.value.rcvd.code == 1009


def test_too_many_messages_end_the_visit(opened):
    page = opened(limits=Limits(messages_per_s=10, burst=20))
    with Visitor.at(page) as visitor, pytest.raises(ConnectionClosed) as ended:
        for _ in range(100):
            visitor.say("shown")
        visitor.wait("nothing")
    assert "too many messages" in ended.value.rcvd.reason


def test_too_many_visitors_are_asked_to_come_later(opened):
    page = opened(limits=Limits(visitors=1))
    with Visitor.at(page) as one:
        one.wait("hello")
        with Visitor.at(page) as two, pytest.raises(ConnectionClosed) as ended:
            two.wait("hello")
        assert ended.value.rcvd.code == 1013 and "1 visitors" in ended.value.rcvd.reason
    assert until(lambda: not len(page.visitors))
    with Visitor.at(page) as three:
        three.wait("hello")


def test_offers_that_make_no_sense_are_refused(opened, page_editor):
    page = opened(page_editor)
    with Visitor.at(page) as visitor:
        name = visitor.wait("hello")["visitor"]

        def post(body):
            return httpx.post(f"{page.url}offer", content=body)

        assert post(b"x" * 70_000).status_code == 413
        assert post(b"{}").status_code == 400
        assert post(json.dumps({"visitor": "nobody", "sdp": "v=0"})).status_code == 404
        assert post(json.dumps({"visitor": name, "sdp": "v=0"})).status_code == 404  # it shows no camera
        visitor.say("camera", name="own")
        visitor.wait("camera")
        assert post(json.dumps({"visitor": name, "sdp": "nonsense"})).status_code == 400
        visitor.socket.send(up(frame().image_bgr))
        visitor.picture()
