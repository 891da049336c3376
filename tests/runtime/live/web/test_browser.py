"""The page in a browser: the picture, the figures, its shape, and what it does when the device goes away."""

import cv2
import numpy as np
import pytest
from support.web.browser import DESK, PHONE, Steady, drag, frames, mean
from support.web.visitor import until

from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.web import Address, WebPage
from edgegan.runtime.metrics.live import LiveTally


def test_the_picture_arrives_and_moves(tab):
    page = tab()
    first = frames(page)
    assert until(lambda: frames(page) > first + 5)
    size = page.evaluate("() => [document.getElementById('picture').width, document.getElementById('picture').height]")
    assert size == [256, 144]
    assert mean(page).min() > 20


def test_split_shows_before_on_the_left_of_the_divider(tab, live):
    page = tab()
    original = next(iter(Steady())).image_bgr
    edited = live.editor.edit(original, {"Smiling": 1.0})
    live.controls.set("Smiling", 1.0)
    page.get_by_text("Split").click()
    divider = page.locator("#divider")
    divider.wait_for(state="visible", timeout=10_000)
    for key, wanted in (("End", original), ("Home", edited)):
        divider.press(key)
        rgb = wanted.mean((0, 1))[::-1]
        assert until(lambda rgb=rgb: np.abs(mean(page) - rgb).max() < 8), (key, mean(page), rgb)


def test_a_snapshot_is_saved_as_png(tab, tmp_path):
    page = tab()
    with page.expect_download(timeout=10_000) as download:
        page.click("#snapshot")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.suffix == ".png" and path.name.startswith("edgegan-")
    assert cv2.imread(str(path)).shape == (144, 256, 3)
    assert b"compositeWithTrainedAlgorithmicMedia" in path.read_bytes()


def test_the_figures_are_told(tab):
    page = tab()
    assert until(lambda: "onnxruntime" in page.inner_text("#model"))
    assert until(lambda: "fps" in page.inner_text("#figures") and "visitors" in page.inner_text("#figures"))
    page.click("#more summary")
    assert until(lambda: "network" in page.inner_text("#stages"))


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_lies_beyond_the_edge_and_fingers_hit_every_control(tab, viewport):
    page = tab(viewport)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= viewport["width"]
    page.get_by_text("Split").click()
    page.get_by_text("Mine").click()
    page.locator("#road").wait_for(timeout=5000)
    small = page.evaluate(
        "() => [...document.querySelectorAll('button, .choice span, .row input, .tick, summary, #line')]"
        ".filter((each) => each.offsetParent && Math.min(each.offsetHeight, each.offsetWidth) < 44)"
        ".map((each) => `${each.id || each.className} ${each.offsetWidth}x${each.offsetHeight}`)"
    )
    assert small == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= viewport["width"]
    rows = page.evaluate("() => [...document.querySelectorAll('#bar > :not([hidden])')].map((each) => each.offsetTop)")
    assert max(rows) - min(rows) < 44  # all in one row
    assert page.locator("#picture").bounding_box()["height"] < 0.7 * viewport["height"]
    page.set_viewport_size({**viewport, "height": 560})
    page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate("() => scrollY") > 100
    assert page.locator("#picture").bounding_box()["y"] >= 0  # it stays in sight of the slider that changes it


def test_a_lost_server_is_said_and_found_again(chromium):
    """The device starts again, as after a power cut: with the token that it had, and with a new one."""
    controls, token = Controls(("Smiling",)), "a-token-that-was-given"
    first = WebPage(controls, LiveTally(), {}, address=Address(port=0, token=token))
    port = int(first.url.partition("?")[0].rpartition(":")[2].rstrip("/"))
    context = chromium.new_context(viewport=PHONE)
    try:
        page = context.new_page()
        page.goto(first.url)
        assert until(lambda: page.inner_text("#link") == "live")
        assert "token" not in page.url
        first.close()
        assert until(lambda: page.inner_text("#link") == "not connected")
        assert "Trying again" in page.inner_text("#notice")
        with WebPage(controls, LiveTally(), {}, address=Address(port=port, token=token)):
            assert until(lambda: page.inner_text("#link") == "live", 8.0)
            drag(page, "Smiling", 1.0)
            assert until(lambda: controls.changes == {"Smiling": 1.0})
        with WebPage(controls, LiveTally(), {}, address=Address(port=port, token="another-token-than-before")) as third:
            assert until(lambda: "new token" in page.inner_text("#notice"), 10.0)
            assert page.inner_text("#link") == "not connected"
            page.goto(third.url)
            assert until(lambda: page.inner_text("#link") == "live")
    finally:
        context.close()
        first.close()
