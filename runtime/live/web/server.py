"""The page: a web server in a thread of its own, with a sink that takes the frames of a stream."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ...errors import MissingExtraError, SinkError
from ...faces.options import Which
from ...metrics.live import LiveTally
from ..controls.attributes import Controls
from ..controls.panel import Panel
from ..provenance import EDITED, Origin
from .access import certificate
from .access.address import Address, reachable, url_host
from .access.guard import Guard
from .app import application
from .broadcast import Broadcast
from .bulletin import Bulletin
from .guests import Edits, Guests
from .ice import IceServer
from .limits import Limits
from .visitors import Visitors

if TYPE_CHECKING:
    from typing import Self

_ENCODERS = 2
_EDITORS = 2  # one edits while the other decodes or encodes
_START_S, _STOP_S = 10.0, 2.0
_PING_S = 10.0  # a visitor who does not answer for so long has gone


class WebPage:
    """Serves the page from construction on, until it is closed; ready when the constructor returns.

    Frames written to `sink` go to whoever watches, newest first. The page's sliders are those of `controls`.

    Args:
        controls: shared with keys and other pages.
        stats: of the stream, for the page's figures.
        about: what runs (model, backend, device, precision), in words for the page.
        address: where to serve.
        open_editor: opens an editor for a visitor's own camera, such as `Editor.another`; None where visitors show
            none. With `give_way=True` visitors' pictures let the stream's go first.
        faces: which ones a model of faces edits at first: a click on the picture chooses another. None for a model
            of whole frames.
        ice: STUN and TURN servers, for visitors' own cameras from beyond this network.
        mark: draw the origin's mark into every edited picture.
        origin: how the pictures came about.
        limits: of visitors, sizes and rates.

    `url` opens the page, with its token where it has one; `fingerprint` is that of a certificate made for this run.

    Raises:
        SinkError: the port is taken or may not be opened.
        InputError: a certificate or token that cannot be used.
        MissingExtraError: the `web` extra is not installed.
    """

    def __init__(
        self,
        controls: Panel,
        stats: LiveTally,
        about: Mapping[str, str],
        *,
        address: Address | None = None,
        open_editor: Callable[[], Edits] | None = None,
        faces: Which | None = None,
        ice: Sequence[IceServer] = (),
        mark: bool = True,
        origin: Origin = EDITED,
        limits: Limits | None = None,
    ) -> None:
        uvicorn = _uvicorn()
        address = address or Address()
        token = address.with_token()
        tls, self.fingerprint = certificate.context(address.tls, reachable(address.host)) if address.tls else (None, "")
        words = origin.mark if mark else ""
        # Apart, so that no queue of visitors' pictures holds up the stream.
        self._encoders = ThreadPoolExecutor(_ENCODERS, thread_name_prefix="edgegan-web-encode")
        self._editors = ThreadPoolExecutor(_EDITORS, thread_name_prefix="edgegan-web-edit")
        self.sink = self._broadcast = Broadcast(self._encoders, words, stats.record)
        limits, guests = limits or Limits(), None
        if open_editor is not None and isinstance(controls, Controls):
            guests = Guests(open_editor, controls, self._editors, words, limits.guests, faces or "all")
        bulletin = Bulletin(stats, about)
        self.visitors = Visitors(controls, self._broadcast, bulletin, guests, limits, faces=faces is not None, ice=ice)
        app = application(self.visitors, self._encoders, origin, words)
        listener = address.listen()
        port = listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{url_host(reachable(address.host))}:{port}/" + (
            f"?token={token}" if token else ""
        )
        self._server = _server(
            uvicorn, Guard(app, token, port, tls=tls is not None, proxies=address.proxies), tls, limits
        )
        self._closed = False
        self._thread = threading.Thread(target=self._run, args=(listener,), name="edgegan-web", daemon=True)
        self._thread.start()
        self._await_start()

    def close(self) -> None:
        """Sends the visitors away and ends the server, within two seconds."""
        if not self._closed:
            self._closed = True
            self._server.should_exit = True
            self._thread.join(_STOP_S)
            self._encoders.shutdown(wait=False, cancel_futures=True)
            self._editors.shutdown(wait=False)  # what waits there frees the visitors' editors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _run(self, listener: Any) -> None:
        async def serve() -> None:
            self._broadcast.attach(asyncio.get_running_loop())
            await self._server.serve(sockets=[listener])

        try:
            asyncio.run(serve())
        finally:
            listener.close()

    def _await_start(self) -> None:
        deadline = time.monotonic() + _START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.close()
                raise SinkError("the web server did not start")
            time.sleep(0.01)


def _uvicorn() -> Any:
    try:
        import uvicorn
        import websockets  # noqa: F401 - uvicorn finds it by itself, but would go on without
    except ImportError as error:
        raise MissingExtraError(error.name or "uvicorn", "web") from None
    return uvicorn


def _server(uvicorn: Any, app: Any, tls: Any, limits: Limits) -> Any:
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        lifespan="off",
        log_config=None,
        log_level=logging.ERROR,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=limits.frame_bytes + 1024,
        ws_max_queue=4,
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S,
        ws_per_message_deflate=False,  # JPEGs do not shrink
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=16 << 10,
    )
    config.load()
    config.ssl = tls  # uvicorn itself would take files only
    return uvicorn.Server(config)
