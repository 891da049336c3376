"""A network camera that sends H.264 in real time, whoever reads how slowly: MPEG-TS over HTTP."""

import http.server
import threading
import time

import av

from support.av_clips import draw_number

GOP = 12


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server: LiveServer = self.server.owner
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        begin, count = time.monotonic(), 0
        options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(GOP)}
        try:
            with av.open(self.wfile, "w", format="mpegts") as container:
                stream = container.add_stream("libx264", rate=server.fps, options=options)
                stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
                while server.up:
                    time.sleep(max(0.0, begin + count / server.fps - time.monotonic()))
                    server.number = count % 256
                    for packet in stream.encode(av.VideoFrame.from_ndarray(draw_number(count % 256), format="bgr24")):
                        container.mux(packet)
                    count += 1
        except (OSError, av.FFmpegError):  # the reader went away
            pass

    def log_message(self, *args):
        pass


class LiveServer:
    """Numbered pictures at `fps`, from 0 on for each who asks; `number` is the one that was sent last."""

    def __init__(self, *, fps: int = 25):
        self.fps, self.number, self.up = fps, 0, True

    def __enter__(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_port}/camera"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *args):
        self.up = False
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
