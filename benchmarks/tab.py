"""How many frames a second a browser tab edits: the page of `edgegan export --format web`, in headless Chromium.

    edgegan export avatars --format web --out site
    python benchmarks/tab.py site --out benchmarks/results/tab

Chromium's camera is a film of a drawn face that moves, 640x480 at 30 frames a second. The page is opened as a visitor
opens it; its own figures are read after `--warm` seconds, once a second: the rate over its last 30 frames and the
median time of an edit. Chromium draws without a GPU, and shares the cores with what it measures. Needs Debian's
`chromium` and `pip install playwright`.
"""

from __future__ import annotations

import argparse
import http.server
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

import cv2
import msgspec
from playwright.sync_api import Browser, sync_playwright
from written import write

from edgegan.bench.machine import describe
from edgegan.runtime.live.sources.synthetic import Synthetic

FPS, FILM_SECONDS = 30, 10
SIZE_HW = (480, 640)
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
FIGURES = "() => ({ ...document.getElementById('figures').dataset })"
ABOUT = "() => document.getElementById('runtime').textContent"
READY_MS = 180_000


def main() -> None:
    """Measures, prints the figures and writes them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sites", type=Path, nargs="+", help="folders of `edgegan export --format web`")
    parser.add_argument("--seconds", type=int, default=30, help="of reading, each (default %(default)s)")
    parser.add_argument("--warm", type=float, default=10.0, help="seconds before (default %(default)s)")
    parser.add_argument("--out", type=Path, help="writes OUT.json and OUT.md")
    options = parser.parse_args()
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        sys.exit("tab: no Chromium here (Debian: apt-get install chromium)")
    lacking = [site for site in options.sites if not (site / "index.html").is_file()]
    if lacking:
        sys.exit(f"tab: {lacking[0]} is no page; make one by edgegan export MODEL --format web --out {lacking[0]}")
    machine = describe()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film = write_film(Path(folder) / "face.y4m")
        camera = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}")
        browser = playwright.chromium.launch(
            executable_path=program, args=[*ARGUMENTS, *camera], chromium_sandbox=False
        )
        rows = [measure(browser, site, options.seconds, options.warm) for site in options.sites]
        version = browser.version
        browser.close()
    figures: dict[str, Any] = {"rows": rows, "chromium": version, "size_hw": SIZE_HW, "camera_fps": FPS}
    figures |= {"machine": msgspec.to_builtins(machine), "busy": machine.busy}
    print(table(figures))
    if options.out:
        write(options.out, figures, table(figures))


def write_film(path: Path) -> Path:
    """A film that Chromium takes for a camera: YUV4MPEG2, 4:2:0."""
    height, width = SIZE_HW
    with Synthetic(SIZE_HW, seed=9) as faces, path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(FPS * FILM_SECONDS):
            file.write(b"FRAME\n" + cv2.cvtColor(faces.frame_at(number), cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def measure(browser: Browser, site: Path, seconds: int, warm: float) -> dict[str, Any]:
    """The page's own figures: frames a second and milliseconds an edit, medians with their least and most."""
    with serve(site) as address:
        context = browser.new_context(permissions=["camera"])
        page = context.new_page()
        page.set_default_timeout(READY_MS)
        page.goto(address)
        page.wait_for_function("document.body.dataset.state === 'ready'")
        page.click("#camera")
        page.wait_for_function("() => Number(document.getElementById('picture').dataset.frames || 0) > 5")
        page.wait_for_timeout(warm * 1000)
        seen = []
        for _ in range(seconds):
            page.wait_for_timeout(1000)
            seen.append(page.evaluate(FIGURES))
        about = page.evaluate(ABOUT)
        context.close()
    row: dict[str, Any] = {"site": site.resolve().name, "runtime": about}
    for name in ("rate", "ms"):
        values = [float(one[name]) for one in seen if one.get(name)]
        row[name] = [median(values), min(values), max(values)]
    return row


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The folder as any static host serves it, at an address of this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def table(figures: dict[str, Any]) -> str:
    """All of it, in Markdown."""
    lines = ["| page | frames/s (least to most) | an edit, ms |", "|---|---:|---:|"]
    for row in figures["rows"]:
        (rate, least, most), ms = row["rate"], row["ms"]
        lines.append(f"| {row['site']} | {rate:.1f} ({least:.1f} to {most:.1f}) | {ms[0]:.0f} |")
    machine, (height, width) = figures["machine"], figures["size_hw"]
    lines += [
        "",
        f"Chromium {figures['chromium']}, a camera of {width}x{height} at {figures['camera_fps']} frames/s; "
        f"{machine['cpu']}, {machine['cores']} cores ({' '.join(machine['flags'])}).",
    ]
    lines += [f"{row['site']}: {row['runtime']}" for row in figures["rows"]]
    if figures["busy"]:
        lines += ["", "The machine was busy: these figures are not for publication."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
