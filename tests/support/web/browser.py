"""The page in a real headless Chromium, for the tests; `tests/conftest.py` takes the fixtures in."""

import importlib.util
import itertools
import os
import shutil
import threading
import time

import cv2
import numpy as np
import pytest

from edgegan.runtime.edit.editor import Editor
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.source import Frame, Source
from edgegan.runtime.live.stream import Stream
from edgegan.runtime.live.web import Address, WebPage
from edgegan.runtime.metrics.live import LiveTally
from support import tiny_models
from support.web.visitor import until

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
    controls, stats = Controls(tiny_models.NAMES, tiny_models.GROUPS), LiveTally()
    ended = threading.Event()
    with Editor.open(path, backend="onnxruntime") as editor, Steady() as source:

        def edit(frame, record):
            if ended.is_set():
                raise KeyboardInterrupt
            return editor.edit(frame.image_bgr, controls.changes, record=record)

        def guest():
            return editor.another(give_way=True)

        about = {"model": "tiny-editor", "backend": "onnxruntime", "precision": "fp32"}
        with WebPage(controls, stats, about, address=Address(port=0), open_editor=guest, faces="all") as page:
            page.controls, page.editor = controls, editor

            def run():
                with pytest.raises(KeyboardInterrupt):
                    Stream(source, edit, page.sink, stats=stats).run()

            thread = threading.Thread(target=run)
            thread.start()
            yield page
            ended.set()
            thread.join()


@pytest.fixture(scope="module")
def chromium():
    """A real one, headless. In CI a missing one is a failure, elsewhere a skip with its reason."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    missing = [name for name in ("playwright", "aiortc") if importlib.util.find_spec(name) is None]
    missing += [] if program else ["chromium (Debian: apt-get install chromium)"]
    if missing:
        words = f"the page's tests in a browser need {' and '.join(missing)}"
        if os.environ.get("CI") or os.environ.get("EDGEGAN_REQUIRE_BROWSER") == "1":
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium, live):
    """Opens a tab on the page, with all it complained of: tab(viewport, a script to run before) -> playwright page."""
    contexts, complaints = [], []

    def open_tab(viewport=DESK, before=""):
        context = chromium.new_context(viewport=viewport)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(before)
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
    """Of the picture as it is shown, RGB."""
    return np.array(page.evaluate(MEAN))


def frames(page):
    """How many were drawn."""
    return int(page.evaluate("() => document.getElementById('picture').dataset.frames || 0"))


def drag(page, name, value):
    """Moves a slider as a person does: to a share of its way."""
    box = page.locator(f"#slider-{name}").bounding_box()
    page.mouse.click(box["x"] + 10 + value * (box["width"] - 20), box["y"] + box["height"] / 2)
