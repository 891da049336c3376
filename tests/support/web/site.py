"""The static page of `edgegan export --format web`, served as a static host does, for tests in a real Chromium."""

import base64
import http.server
import os
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgegan.export.web import export_site
from edgegan.export.web.onnxruntime import find_package
from edgegan.runtime.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
READY_MS = 180_000  # a busy machine compiles the runtime slowly
EDIT = """async ([png, changes, seconds]) => {
    const blob = await (await fetch("data:image/png;base64," + png)).blob();
    const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    const told = await ask({ type: "frame", bitmap, changes, seconds, key: null }, [bitmap]);
    const sheet = new OffscreenCanvas(told.edited.width, told.edited.height);
    sheet.getContext("2d").drawImage(told.edited, 0, 0);
    const bytes = new Uint8Array(await (await sheet.convertToBlob({ type: "image/png" })).arrayBuffer());
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return { png: btoa(text), faces: told.faces, refusals: told.refusals };
}"""
OPEN = """async () => {
    const site = { ...(await (await fetch("site.json")).json()), base: location.href };
    const worker = new Worker("worker.js", { type: "module" });
    window.ask = (message, given = []) => new Promise((done, fail) => {
        worker.onmessage = ({ data }) => {
            if (data.type === "error") fail(new Error(data.words));
            else if (data.type !== "progress") done(data);
        };
        worker.postMessage(message, given);
    });
    return ask({ type: "open", site, options: { backend: "wasm", threads: 0 } });
}"""


def npm_package():
    """The folder of onnxruntime-web; where it must be a missing one is a failure, elsewhere a skip with its reason."""
    beside = [folder for folder in (ROOT, *ROOT.parents) if (folder / "node_modules").is_dir()]
    try:
        return find_package(beside[0] if beside else ROOT)
    except InputError as error:
        if os.environ.get("EDGEGAN_REQUIRE_BROWSER") == "1":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(f"{error.seen}: npm install onnxruntime-web")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def serve(folder):
    """The folder at an address of loopback, as `python -m http.server` serves it. -> (address, stop)"""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def stop():
        server.shutdown()
        thread.join()
        server.server_close()

    try:
        yield f"http://127.0.0.1:{server.server_port}/", stop
    finally:
        if thread.is_alive():
            stop()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The page of the shipped model of drawn faces. -> Site; read only"""
    return export_site("avatars", tmp_path_factory.mktemp("site") / "site", onnxruntime_web=npm_package())


def pack(picture):
    """A picture, (H, W, 3) uint8 BGR, as base64 PNG."""
    return base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()


def edit_in(page, picture, changes, seconds=None):
    """The picture as the page's worker edits it, and what it told: page after OPEN. -> (picture, told)"""
    told = page.evaluate(EDIT, [pack(picture), changes, seconds])
    data = np.frombuffer(base64.b64decode(told.pop("png")), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR), told


def write_camera(path: Path, pictures, fps=15):
    """A film that Chromium takes for a camera: YUV4MPEG2, 4:2:0; the pictures have even sides."""
    height, width = pictures[0].shape[:2]
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for picture in pictures:
            file.write(b"FRAME\n" + cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def psnr(one, other):
    """Of two pictures of bytes, in dB; 200 for the same."""
    error = float(np.mean((one.astype(float) - other.astype(float)) ** 2))
    return 10 * np.log10(255**2 / error) if error else 200.0
