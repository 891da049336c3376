"""A file server whose line can be cut, and a listener that never answers."""

import http.server
import re
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

_CHUNK = 16_384


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        if self.server.owner.near:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _CHUNK)
        super().setup()

    def do_GET(self):
        server: FileServer = self.server.owner
        data = (server.folder / self.path.lstrip("/")).read_bytes()
        found = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "") if server.ranges else None
        begin = int(found[1]) if found else 0
        self.send_response(206 if found else 200)
        self.send_header("Accept-Ranges", "bytes" if server.ranges else "none")
        if found:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - begin))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for at in range(begin, len(data), _CHUNK):
                if server.cuts and begin < server.cuts[0] <= at:  # what is read from beyond it, as an index is, may be
                    del server.cuts[0]
                    return
                self.wfile.write(data[at : at + _CHUNK])
                time.sleep(server.pause_s)
        except OSError:
            pass

    def log_message(self, *args):
        pass


class FileServer:
    """Serves a folder on loopback, slowly; an answer that runs over the byte `cuts[0]` ends there, the next that runs
    over the byte after it at that, and so on.

    `ranges` says that an answer may begin anywhere; `pause_s` is the time between 16 KiB and the next; `near` keeps it
    from running far ahead of who reads, so that on a slow machine too a cut that is set now is still to come.
    """

    def __init__(self, folder: Path, *, ranges: bool = True, pause_s: float = 0.0005, near: bool = False):
        self.folder, self.cuts, self.ranges, self.pause_s, self.near = folder, [], ranges, pause_s, near

    def __enter__(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *args):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class DeafPort:
    """Takes connections on `port` and never answers, as a host whose server hangs; `taken` holds them.

    They stay open, unanswered, when another server comes to the port: until `close`.
    """

    def __init__(self, port: int):
        self.taken: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def _take(self):
        with suppress(OSError):
            while True:
                self.taken.append(self._socket.accept()[0])

    def leave(self):
        """Frees the port."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def close(self):
        for connection in self.taken:
            connection.close()
