"""The page in a real headless Chromium: pictures, sliders, two visitors, closed tabs, and visitors' own cameras."""

import importlib.util
import itertools
import os
import shutil
import threading
import time

import cv2
import numpy as np
import pytest
import tiny_models
from web_visitor import until

from edgegan.runtime.controls import Controls
from edgegan.runtime.editor import Editor
from edgegan.runtime.sources import Frame, Source
from edgegan.runtime.stats import Stats
from edgegan.runtime.stream import Stream
from edgegan.runtime.web import Place, WebPage

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = [name for name in ("playwright", "aiortc") if importlib.util.find_spec(name) is None]
MISSING += [] if CHROMIUM else ["chromium (Debian: apt-get install chromium)"]
if MISSING:
    words = f"the page's tests in a browser need {' and '.join(MISSING)}"
    if os.environ.get("CI") or os.environ.get("EDGEGAN_REQUIRE_BROWSER") == "1":
        pytest.fail(words, pytrace=False)
    pytest.skip(words, allow_module_level=True)

from playwright.sync_api import sync_playwright  # noqa: E402 - only where it is there

ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--use-fake-device-for-media-stream=fps=15", "--use-fake-ui-for-media-stream"),
]
MEAN = """() => {
    const canvas = document.getElementById("picture"), data = canvas.getContext("2d")
        .getImageData(0, 0, canvas.width, canvas.height).data, sums = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) sums[c] += data[i + c];
    return sums.map((sum) => 4 * sum / data.length);
}"""  # RGB
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


class Steady(Source):
    """A camera before a still picture, but for a spot that walks."""

    name, about, live, fps, size_hw, length = "steady", "a still picture", True, 15.0, (144, 256), None

    def __iter__(self):
        for index in itertools.count():
            image = np.full((*self.size_hw, 3), (90, 110, 130), np.uint8)
            cv2.circle(image, (10 + 5 * index % 236, 72), 8, (255, 255, 255), -1)
            yield Frame(image, index, time.monotonic(), self.name)
            time.sleep(1 / self.fps)


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The stream of `edgegan live --web`, with a model that adds a colour to the whole picture. -> page"""
    path = tiny_models.write_editor(tmp_path_factory.mktemp("browser"), faces=False, alignment=None)
    controls, stats = Controls(tiny_models.NAMES, tiny_models.GROUPS), Stats()
    ended = threading.Event()
    with Editor.open(path, backend="onnxruntime") as editor, Steady() as source:

        def edit(image, record):
            if ended.is_set():
                raise KeyboardInterrupt
            return editor.edit(image, controls.changes, record=record)

        about = {"model": "tiny-editor", "backend": "onnxruntime", "precision": "fp32"}
        with WebPage(controls, stats, about, place=Place(port=0), open_editor=editor.another) as page:
            page.controls, page.editor = controls, editor

            def run():
                with pytest.raises(KeyboardInterrupt):
                    Stream(source, edit, page, stats=stats).run()

            thread = threading.Thread(target=run)
            thread.start()
            yield page
            ended.set()
            thread.join()


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture
def tab(live, chromium):
    """Opens a tab on the page, with all it complained of: tab(viewport) -> playwright page."""
    contexts, complaints = [], []

    def open_tab(viewport=DESK):
        context = chromium.new_context(viewport=viewport)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live.url)
        page.wait_for_selector("#notice", state="hidden", timeout=15_000)
        return page

    live.controls.reset()
    yield open_tab
    for context in contexts:
        context.close()
    assert until(lambda: not len(live.visitors)), "a closed tab is still there"
    assert complaints == []


def mean(page):
    return np.array(page.evaluate(MEAN))


def frames(page):
    return int(page.evaluate("() => document.getElementById('picture').dataset.frames"))


def drag(page, name, value):
    """Moves a slider as a person does: to a share of its way."""
    box = page.locator(f"#slider-{name}").bounding_box()
    page.mouse.click(box["x"] + 10 + value * (box["width"] - 20), box["y"] + box["height"] / 2)


def test_the_picture_arrives_and_moves(tab):
    page = tab()
    first = frames(page)
    assert until(lambda: frames(page) > first + 5)
    size = page.evaluate("() => [document.getElementById('picture').width, document.getElementById('picture').height]")
    assert size == [256, 144]
    assert mean(page).min() > 20


def test_a_slider_changes_the_picture_and_the_other_visitor_sees_both(tab, live):
    one, two = tab(DESK), tab(PHONE)
    before = mean(two)
    drag(one, "Smiling", 1.0)
    wanted = 127.5 * tiny_models.COLOURS[2]  # RGB levels
    assert until(lambda: np.abs(mean(two) - before - wanted).max() < 8), mean(two) - before
    assert live.controls.changes == {"Smiling": 1.0}
    chip = two.locator(".row[data-name=Smiling] .chip")
    assert until(lambda: chip.inner_text() == "on")
    chip.click()
    assert until(lambda: live.controls.changes == {})
    assert until(lambda: np.abs(mean(one) - before).max() < 12)
    assert until(lambda: one.locator("#slider-Smiling").get_attribute("aria-valuetext") == "as is")


def test_the_keyboard_reaches_every_control(tab, live):
    page = tab()
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.ariaLabel"))
    for name in ("mirror", "snapshot", "full", "reset", *(f"slider-{name}" for name in tiny_models.NAMES)):
        assert name in reached, reached
    page.focus("#slider-Smiling")
    page.keyboard.press("End")
    assert until(lambda: live.controls.changes == {"Smiling": 1.0})
    for role, count in (("slider", 3), ("radio", 5), ("checkbox", 1)):
        assert all(page.get_by_role(role).nth(i).is_enabled() for i in range(count))
    assert page.get_by_role("slider", name="Smiling").get_attribute("aria-valuetext") == "on"


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
    heights = page.evaluate(
        "() => [...document.querySelectorAll('button, .choice span, .row input')].filter((each) => each.offsetParent)"
        ".map((each) => each.offsetHeight)"
    )
    assert min(heights) >= 28
    assert page.locator("#picture").bounding_box()["height"] < 0.7 * viewport["height"]


@pytest.mark.parametrize("road", ["WebSocket", "WebRTC"])
def test_a_visitors_own_camera_comes_back_edited(tab, live, road, monkeypatch):
    import aioice.ice

    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    page, other = tab(), tab(PHONE)
    page.get_by_text("Mine").click()
    page.locator("#mine").wait_for(state="visible", timeout=5000)
    if road == "WebRTC":
        page.get_by_text("WebRTC", exact=True).click()

    def own_size():  # the fake camera's, not the stream's
        return page.evaluate("() => document.getElementById('picture').width") > 256

    assert until(own_size, 15.0)
    if road == "WebRTC":
        assert until(lambda: any(v.peer is not None for v in live.visitors._here.values()))
        assert until(lambda: page.evaluate("() => document.getElementById('answer-picture').videoWidth") > 0)
    start = frames(page)
    assert until(lambda: frames(page) > start + 5, 15.0)
    before = mean(page)
    drag(page, "Blond_Hair", 1.0)
    assert until(lambda: (mean(page) - before)[:2].min() > 8, 10.0), mean(page) - before
    assert live.controls.changes == {}
    assert other.locator(".row[data-name=Blond_Hair] .chip").inner_text() == "as is"
    guests = [v.guest for v in live.visitors._here.values() if v.guest is not None]
    page.get_by_text("The device's").click()
    assert until(lambda: page.evaluate("() => document.getElementById('picture').width") == 256)
    assert len(guests) == 1 and until(lambda: guests[0].newest is None)
    assert all(v.peer is None for v in live.visitors._here.values())


def test_a_lost_server_is_said_and_found_again(chromium):
    controls = Controls(("Smiling",))
    first = WebPage(controls, Stats(), {}, place=Place(port=0))
    port = int(first.url.rpartition(":")[2].rstrip("/"))
    context = chromium.new_context(viewport=PHONE)
    try:
        page = context.new_page()
        page.goto(first.url)
        assert until(lambda: page.inner_text("#link") == "live")
        first.close()
        assert until(lambda: page.inner_text("#link") == "not connected")
        with WebPage(controls, Stats(), {}, place=Place(port=port)):
            assert until(lambda: page.inner_text("#link") == "live", 8.0)
    finally:
        context.close()
        first.close()
