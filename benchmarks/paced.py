"""`edgegan live` in real time on a network camera: rates, stages, age, drops and memory.

    python benchmarks/paced.py
    python benchmarks/paced.py runs/stargan/export/model.int8.onnx --json benchmarks/results/live-paced.json

The camera is 20 s of a drawn face that moves, drawn and encoded (H.264 in MPEG-TS) before the clock starts and sent
over HTTP on this machine, again and again, at its own speed: neither drawing nor encoding takes time from the run.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import av

from edgegan.bench.machine import describe
from edgegan.runtime.live.sources.synthetic import Synthetic

FPS, SECONDS = 30, 20


class Camera(BaseHTTPRequestHandler):
    """Sends the clip's packets in real time, with timestamps that go on, until the reader leaves."""

    clip: ClassVar[bytes] = b""

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        """The stream."""
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        begin, turn = time.monotonic(), 0
        try:
            with av.open(self.wfile, "w", format="mpegts") as out:
                stream = None
                while True:
                    with av.open(io.BytesIO(self.clip)) as held:
                        stream = stream or out.add_stream_from_template(held.streams.video[0])
                        for number, packet in enumerate(held.demux(video=0)):
                            if packet.size and packet.pts is not None and packet.time_base is not None:
                                shift = round(turn * SECONDS / packet.time_base)
                                packet.pts, packet.dts = packet.pts + shift, (packet.dts or packet.pts) + shift
                                packet.stream = stream
                                due_s = begin + turn * SECONDS + number / FPS
                                time.sleep(max(0.0, due_s - time.monotonic()))
                                out.mux(packet)
                    turn += 1
        except (OSError, av.FFmpegError):  # the reader has left
            pass

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server has it
        """Says nothing."""


def main() -> None:
    """Runs, and leaves what `edgegan live` tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", help="default: the model that ships")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="default Blond_Hair=1")
    parser.add_argument("--seconds", type=float, default=75.0, help="of the run (default %(default)s)")
    parser.add_argument("--json", type=Path, help="for the figures")
    options = parser.parse_args()
    if describe().busy:
        print("beware: the machine is busy, so that latencies are too high", file=sys.stderr)
    with serving() as url:
        command = [sys.executable, "-m", "edgegan", "live", *([str(options.model)] if options.model else [])]
        command += [word for each in options.set or ["Blond_Hair=1"] for word in ("--set", each)]
        command += ["--source", url, "--sink", "null", "--hud", "--fresh", "--seconds", str(options.seconds)]
        sys.exit(subprocess.call([*command, *(["--stats-json", str(options.json)] if options.json else [])]))


@contextmanager
def serving() -> Iterator[str]:
    """Draws and encodes the clip, then serves it; the camera's address."""
    Camera.clip = encode_clip()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/camera"
    finally:
        server.shutdown()


def encode_clip() -> bytes:
    """The clip, 1280x720, as MPEG-TS with a key frame each second."""
    packed = io.BytesIO()
    options = {"preset": "veryfast", "tune": "zerolatency", "crf": "18", "g": str(FPS)}
    with Synthetic((720, 1280), fps=FPS) as camera, av.open(packed, "w", format="mpegts") as out:
        stream = out.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for index in range(FPS * SECONDS):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(camera.frame_at(index), format="bgr24")))
        out.mux(stream.encode())
    return packed.getvalue()


if __name__ == "__main__":
    main()
