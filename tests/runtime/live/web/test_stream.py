"""The device's stream and its controls on the page, as its script would get and steer them, over real sockets."""

import time

import cv2
import httpx
import numpy as np
import pytest
from support.web.page import far, show
from support.web.visitor import Visitor, frame, until

from edgegan.runtime.live.controls.look import Look
from edgegan.runtime.live.controls.walking import WalkControls
from edgegan.runtime.live.provenance import EDITED
from edgegan.runtime.live.screen.views import compose


def test_the_picture_arrives_as_every_sink_shows_it(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        show(page, 7, before=frame(value=20).image_bgr)
        about, picture = visitor.picture()
        assert (about["number"], about["view"], about["camera"]) == (7, "after", "device")
        assert 0 <= about["age_ms"] < 1000
        wanted = compose(frame().image_bgr, None, Look(), EDITED.mark)
        assert far(picture, wanted) < 4 < far(picture, compose(frame().image_bgr, None, Look())) + 3.5


def test_views_are_each_visitors_own(opened):
    page = opened(mark=False)
    after, before = frame(value=160).image_bgr, frame(value=20).image_bgr
    with Visitor.at(page) as one, Visitor.at(page) as two:
        two.say("view", name="both")
        two.say("press", name="?")
        assert until(lambda: "both" in {v.view for v in page.visitors._here.values()})
        assert until(lambda: page._broadcast.watchers == 2)
        page.sink.write(frame(1, 160), before)
        assert far(one.picture()[1], after) < 3
        assert far(two.picture()[1], np.hstack([before, after])) < 3
        one.say("view", name="before")
        assert until(lambda: "before" in {v.view for v in page.visitors._here.values()})
        page.sink.write(frame(2, 160), before)
        assert far(one.picture()[1], before) < 3


def test_a_frame_is_encoded_once_for_all_who_want_it(opened):
    page = opened()
    with Visitor.at(page) as one, Visitor.at(page) as two:
        assert until(lambda: page._broadcast.watchers == 2)
        for number in range(5):
            page.sink.write(frame(number))
            assert one.picture()[0]["number"] == two.picture()[0]["number"] == number
    assert len(page.stats.newest()["encode"]) == 5


def test_without_visitors_nothing_is_kept_or_encoded(opened):
    page = opened()
    page.sink.write(frame())
    with Visitor.at(page):
        show(page)
        assert until(lambda: page._broadcast._newest is not None)
    assert until(lambda: not page._broadcast.watchers)
    assert page._broadcast._newest is None
    page.sink.write(frame(1))
    time.sleep(0.05)
    assert page._broadcast._newest is None


def test_a_slow_visitor_delays_nobody_and_then_gets_the_newest(opened):
    page = opened()
    with Visitor.at(page) as slow, Visitor.at(page) as fast:
        assert until(lambda: page._broadcast.watchers == 2)
        seen, ages, began = [], [], time.monotonic()
        for number in range(40):
            page.sink.write(frame(number))
            about, _ = fast.picture()
            seen.append(about["number"])
            ages.append(about["age_ms"])
        took = time.monotonic() - began
        assert seen == list(range(40))
        assert took < 4.0 and np.median(ages) < 50
        first, second = (slow.picture(answer=False)[0]["number"] for _ in range(2))
        assert second <= 5  # two were on the way, and no more
        with pytest.raises(TimeoutError):
            slow.picture(timeout=0.2)
        slow.say("shown")
        assert slow.picture(answer=False)[0]["number"] == 39
        assert first == 0


def test_writing_costs_the_stream_nothing(opened):
    page = opened()
    with Visitor.at(page), Visitor.at(page):
        assert until(lambda: page._broadcast.watchers == 2)
        big = frame(hw=(1080, 1920))
        times = []
        for _ in range(30):
            began = time.perf_counter()
            page.sink.write(big)
            times.append(time.perf_counter() - began)
        assert np.median(times) < 0.002


def test_visitors_and_keys_move_the_same_controls_and_see_each_other(opened):
    page = opened()
    with Visitor.at(page) as one, Visitor.at(page) as two:
        one.say("set", name="Smiling", value=0.7)
        two.state("Smiling", lambda value: value == 0.7)
        assert page.controls.changes == {"Smiling": 0.7}
        page.controls.press("1")
        two.state("Blond_Hair", lambda value: value == 1.0)
        two.say("set", name="Brown_Hair", value=1.0)  # of the same exclusive group
        one.state("Blond_Hair", lambda value: value is None)
        two.say("set", name="Smiling", value=None)
        one.state("Smiling", lambda value: value is None)
        two.state("Brown_Hair", lambda value: value == 1.0)
        one.say("reset")
        two.state("Brown_Hair", lambda value: value is None)
        assert page.controls.changes == {}


def test_a_wish_that_cannot_be_met_is_answered_and_the_visitor_stays(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        visitor.say("set", name="Smiling", value=9)
        assert "Smiling=9" in visitor.wait("state", lambda state: state["message"])["message"]
        visitor.say("set", name="Nothing", value=1)
        visitor.wait("state", lambda state: "Nothing" in state["message"])
        visitor.say("press", name="q")
        visitor.say("set", name="Smiling", value=1)
        visitor.state("Smiling", lambda value: value == 1.0)
        assert not page.controls.stopped


def test_a_page_presses_no_key_that_ends_or_freezes_what_others_see(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        for key in " qm\x1b\thsrwkpbov1":
            visitor.say("press", name=key)
        visitor.say("set", name="Smiling", value=1)
        visitor.state("Smiling", lambda value: value == 1.0)
        assert page.controls.look == Look() and page.controls.changes == {"Smiling": 1.0}
        assert not page.controls.stopped and not page.controls.snapshots


def test_a_walk_is_paused_and_led_on_by_keys(opened):
    page = opened(controls=WalkControls(8))
    with Visitor.at(page) as visitor:
        assert visitor.wait("hello")["walk"] is True
        for key in " ng+q":
            visitor.say("press", name=key)
        visitor.wait("state", lambda state: state["look"]["frozen"])
        assert until(lambda: page.controls.seed == 1 and page.controls.skips == 1)
        assert not page.controls.stopped


@pytest.mark.parametrize("mirror", [False, True])
def test_a_click_is_the_place_in_the_frame(opened, mirror):
    page = opened(faces="all")
    with Visitor.at(page) as visitor:
        assert visitor.wait("hello")["faces"] is True
        visitor.say("mirror", value=int(mirror))
        visitor.say("click", at=[0.25, 0.5])
        wanted = [0.75 if mirror else 0.25, 0.5]
        visitor.wait("state", lambda state: state["look"]["click"] == wanted)
        assert page.controls.look.click == tuple(wanted)
        visitor.say("click")
        visitor.wait("state", lambda state: state["look"]["click"] is None)


def test_a_model_of_whole_frames_has_no_faces_to_choose(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        assert visitor.wait("hello")["faces"] is False
        visitor.say("click", at=[0.25, 0.5])
        visitor.say("set", name="Smiling", value=1)
        visitor.state("Smiling", lambda value: value == 1.0)
        assert page.controls.look.click is None


def test_frames_held_while_the_camera_is_away_count_as_none_that_came_in(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        visitor.wait("figures")
        for _ in range(50):
            page.stats.count_read(held_s=1.0)
        del visitor.heard["figures"]
        assert visitor.wait("figures")["fps_in"] == 0.0
        for _ in range(50):
            page.stats.count_read()
        del visitor.heard["figures"]
        assert visitor.wait("figures")["fps_in"] > 20.0


def test_the_figures_are_those_of_the_stream(opened):
    page = opened()
    for _ in range(5):
        page.stats.count_read()
        page.stats.count_shown(time.monotonic() - 0.1)
    page.stats.record("network", 0.025)
    page.stats.count_dropped("model_busy", 3)
    with Visitor.at(page) as visitor:
        figures = visitor.wait("figures")
    assert figures["model"] == "tiny"
    assert figures["stages"] == {"network": 25.0}
    assert figures["dropped"] == {"model_busy": 3}
    assert 95 <= figures["age_ms"] < 200
    assert figures["visitors"] == 1


def test_a_snapshot_is_the_whole_picture_and_tells_its_origin(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        name = visitor.wait("hello")["visitor"]
        show(page)
        visitor.picture()
        reply = httpx.get(f"{page.url}snapshot.png", params={"visitor": name})
        picture = cv2.imdecode(np.frombuffer(reply.content, np.uint8), cv2.IMREAD_COLOR)
        assert np.array_equal(picture, compose(frame().image_bgr, None, Look(), EDITED.mark))
        assert EDITED.source_type.encode() in reply.content
    assert until(lambda: not len(page.visitors))
    assert httpx.get(f"{page.url}snapshot.png", params={"visitor": name}).status_code == 404
