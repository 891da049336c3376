"""The page as a visitor meets it: a camera, a picture, a snapshot, offline, and what it says of what is missing."""

import io
import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from support.needed import needed
from support.web.browser import ARGUMENTS, DESK, PHONE
from support.web.site import READY_MS, psnr, serve, write_camera

needed("tflite", "export")

from edgegan.runtime import Editor  # noqa: E402
from edgegan.runtime.live.sources.synthetic import Synthetic  # noqa: E402

REFUSED = "navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{}'); }};"
FRAMES = "() => Number(document.getElementById('picture').dataset.frames || 0)"


@pytest.fixture(scope="module")
def person():
    with Synthetic((480, 640), seed=9) as camera:
        return camera.frame_at(100)


@pytest.fixture
def visit(chromium, site):
    """Opens the page as a visitor: visit(folder=None, state="ready", before="", **context) -> page.

    Whatever the page itself complains of fails the test, but in a page that is meant to fail.
    """
    contexts, complaints, servers = [], [], []

    def open_page(folder=None, state="ready", before="", browser=chromium, viewport=DESK, **more):
        server = serve(folder or site.folder)
        servers.append(server)
        address, stop = server.__enter__()
        context = browser.new_context(viewport=viewport, **more)
        contexts.append(context)
        page = context.new_page()
        page.stop_server = stop
        page.set_default_timeout(READY_MS)
        page.add_init_script(before)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.wait_for_function(f"document.body.dataset.state === {state!r}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    for server in servers:
        server.__exit__(None, None, None)
    assert complaints == []


def open_picture(page, picture):
    data = cv2.imencode(".png", picture)[1].tobytes()
    before = page.evaluate(FRAMES)
    page.set_input_files("#file", {"name": "me.png", "mimeType": "image/png", "buffer": data})
    page.wait_for_function(f"({FRAMES})() > {before}")


def choose(page, group, value):
    before = page.evaluate(FRAMES)
    page.locator(f"input[name='{group}'][value='{value}']").check(force=True)
    page.wait_for_function(f"({FRAMES})() > {before}")


def save(page):
    """What the save button gives, as Pillow reads it."""
    with page.expect_download() as coming:
        page.click("#snapshot")
    return Image.open(io.BytesIO(Path(coming.value.path()).read_bytes()))


def test_a_picture_is_edited_marked_and_saved_with_its_origin(visit, site, person):
    page = visit()
    open_picture(page, person)
    page.click("#reset")
    choose(page, "Eyeglasses", "1")
    page.locator("input[name=view][value=after]").check(force=True)
    picture = save(page)
    assert picture.size == (640, 480)
    origin = json.loads((site.folder / "site.json").read_text())["origin"]
    assert picture.info["XML:com.adobe.xmp"] == origin["xmp"] and "compositeWithTrained" in origin["xmp"]
    assert json.loads(picture.info["edgegan"])["Eyeglasses"] == 1
    with Editor.open("avatars", backend="onnxruntime", threads=1) as editor:
        wanted = editor.edit(person, {"Eyeglasses": 1.0})
    seen = np.asarray(picture.convert("RGB"))[:, :, ::-1]
    assert psnr(seen[:440], wanted[:440]) > 60
    corner = np.abs(seen[450:].astype(int) - wanted[450:]).max(axis=2) > 20
    assert corner[:, 500:].any() and not corner[:, :400].any(), "the mark stands in the lower right corner"


def test_the_split_view_shows_the_original_on_the_left(visit, person):
    page = visit()
    open_picture(page, person)
    picture = np.asarray(save(page).convert("RGB"))[:, :, ::-1]
    assert np.array_equal(picture[:, :310], person[:, :310])
    assert not np.array_equal(picture[:440, 330:], person[:440, 330:])


def test_a_slider_takes_an_edit_back_by_degrees(visit, person):
    page = visit()
    open_picture(page, person)
    page.locator("input[name=view][value=after]").check(force=True)
    pictures = [np.asarray(save(page).convert("RGB")).astype(int)]
    for value in ("0.4", "0"):
        before = page.evaluate(FRAMES)
        page.locator(".attribute[data-set=true] .strength").first.fill(value)
        page.wait_for_function(f"({FRAMES})() > {before}")
        pictures.append(np.asarray(save(page).convert("RGB")).astype(int))
    far = [np.abs(picture - person[:, :, ::-1])[:440].mean() for picture in pictures]
    assert far[0] > far[1]


@pytest.fixture(scope="module")
def camera(chromium, person, tmp_path_factory):
    """A Chromium whose camera shows the drawn person."""
    film = write_camera(tmp_path_factory.mktemp("camera") / "person.y4m", [person] * 8)
    arguments = [a for a in ARGUMENTS if "fake-device" not in a]
    arguments += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    browser = chromium.browser_type.launch(
        executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
        args=arguments,
        chromium_sandbox=False,
    )
    yield browser
    browser.close()


def test_a_camera_is_edited_frame_by_frame(visit, camera, person):
    page = visit(browser=camera, permissions=["camera"])
    page.click("#camera")
    page.wait_for_function(f"({FRAMES})() > 8")
    assert page.is_checked("#mirror")
    page.locator("#mirror").uncheck()
    page.locator("input[name=view][value=after]").check(force=True)
    page.wait_for_function("() => /faces\\s*1/.test(document.getElementById('figures').innerText)")
    seen = np.asarray(save(page).convert("RGB"))[:, :, ::-1]
    with Editor.open("avatars", backend="onnxruntime", threads=1) as editor:
        wanted = editor.edit(person, {"Blond_Hair": 1.0})
    assert psnr(seen[:440], wanted[:440]) > 30 > psnr(person[:440], wanted[:440]), "but for the camera's own colours"


def test_a_refused_camera_is_said_in_words_and_a_picture_still_works(visit, person):
    page = visit(
        before="navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
    )
    page.click("#camera")
    page.wait_for_selector("#trouble", state="visible")
    assert "camera was refused" in page.inner_text("#trouble")
    open_picture(page, person)
    assert not page.is_visible("#trouble")


def test_no_camera_and_no_secure_page_are_said_in_words(visit):
    page = visit(
        before="navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };"
    )
    page.click("#camera")
    page.wait_for_selector("#trouble", state="visible")
    assert "no camera on this device" in page.inner_text("#trouble")
    page.evaluate("() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.click("#camera-again")
    page.wait_for_function("() => document.getElementById('trouble').innerText.includes('https')")


def test_a_file_that_is_no_picture_is_said_in_words(visit):
    page = visit()
    page.set_input_files("#file", {"name": "letter.png", "mimeType": "image/png", "buffer": b"dear"})
    page.wait_for_selector("#trouble", state="visible")
    assert "letter.png cannot be read" in page.inner_text("#trouble")


def test_a_model_that_misses_its_golden_pair_does_not_run(visit, site, tmp_path):
    folder = tmp_path / "site"
    shutil.copytree(site.folder, folder)
    pair = (
        folder
        / json.loads((folder / "site.json").read_text())["models"]["model"]["pairs"][0]["expected"]["edited"]["file"]
    )
    pair.write_bytes((np.frombuffer(pair.read_bytes(), "<f4") + np.float32(0.05)).tobytes())
    page = visit(folder, state="failed")
    assert re.search(r"does not compute on wasm .* 3\d\.\d dB, at least 60 dB wanted", page.inner_text("#trouble"))


def test_a_folder_that_was_copied_in_part_is_said_in_words(visit, site, tmp_path):
    shutil.copytree(site.folder, tmp_path / "site", ignore=shutil.ignore_patterns("classifier.onnx"))
    page = visit(tmp_path / "site", state="failed")
    assert "model/classifier.onnx cannot be loaded (404)" in page.inner_text("#trouble")


def test_a_browser_without_webassembly_is_told(visit, site, tmp_path):
    folder = tmp_path / "site"  # a worker has globals of its own, which a page cannot reach
    shutil.copytree(site.folder, folder)
    worker = folder / "worker.js"
    worker.write_text("delete globalThis.WebAssembly;\n" + worker.read_text())
    page = visit(folder, state="failed")
    assert "has no WebAssembly" in page.inner_text("#trouble")


def test_it_works_again_without_its_server(visit, person):
    page = visit()
    assert page.evaluate("crossOriginIsolated"), "threads need it, and a static host cannot say it"
    page.stop_server()
    page.reload()
    page.wait_for_function("document.body.dataset.state === 'ready'")
    open_picture(page, person)


def test_nothing_is_asked_of_any_other_host(visit, person):
    page = visit()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_function("document.body.dataset.state === 'ready'")
    open_picture(page, person)
    home = page.evaluate("location.origin")
    assert asked and all(url.startswith((home, "blob:", "data:")) for url in asked)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_runs_over_the_edge(visit, person, viewport):
    page = visit(viewport=viewport)
    for look in ("welcome", "editing"):
        if look == "editing":
            open_picture(page, person)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look
    assert page.locator("#snapshot").bounding_box()["height"] >= 44
    tops = page.evaluate("[...document.querySelectorAll('#views label')].map((label) => label.offsetTop)")
    assert len(tops) == 3 and len(set(tops)) == 1, "before, split and after stand in one row"
