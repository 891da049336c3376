"""A network camera that can be pulled out and put back: MJPEG over HTTP, on one port."""

import http.server
import socket
import threading
import time
from contextlib import suppress

import cv2

from support.av_clips import draw_number


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        camera: MjpegServer = self.server.camera
        camera.connections.add(self.connection)
        era = camera.era
        self.send_response(camera.status)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            while camera.status == 200 and camera.up:
                jpeg = cv2.imencode(".jpg", draw_number(camera.number, *camera.size_hw))[1].tobytes()
                camera.number = (camera.number + 1) % 256
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                while camera.era != era and camera.up:
                    time.sleep(0.02)
                time.sleep(1 / camera.fps)
        except OSError:
            pass

    def log_message(self, *args):
        pass


class MjpegServer:
    """Gives numbered pictures from `start` to `stop`; `freeze` leaves the lines that are open silent for ever."""

    def __init__(self, *, fps=25, size_hw=(48, 64)):
        self.fps, self.size_hw, self.number, self.status, self.era = fps, size_hw, 0, 200, 0
        self.up = False
        self.connections: set[socket.socket] = set()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://me:secret@127.0.0.1:{self.port}/camera"

    def start(self):
        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), _Handler)
        self._server.camera, self.up = self, True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self):
        """As a power cut: the port is closed and every line is cut."""
        self.up = False
        self._server.shutdown()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections.clear()
        self._server.server_close()
        self._thread.join()

    def freeze(self):
        self.era += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *args):
        if self.up:
            self.stop()
