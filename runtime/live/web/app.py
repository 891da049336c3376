"""The routes of the page: its files, the WebSocket, the snapshot, and the offer of a WebRTC connection."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ...errors import EdgeganError, MissingExtraError
from ..provenance import Origin
from ..snapshots import png_with_settings
from .visitors import Visitors

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

FOLDER = Path(__file__).with_name("page")
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_OFFER_BYTES = 64 << 10
_SNAPSHOT_S = 5.0  # how long to wait for a frame


class Offer(msgspec.Struct):
    """A browser's wish to send its camera over WebRTC."""

    visitor: str
    sdp: str


def application(visitors: Visitors, workers: Executor, origin: Origin, mark: str) -> Starlette:
    """The ASGI application; `Guard` has to stand before it. Raises MissingExtraError without the `web` extra."""
    try:
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse, Response
        from starlette.routing import Route, WebSocketRoute
    except ImportError as error:
        raise MissingExtraError(error.name or "starlette", "web") from None

    def file(path: Path) -> Route:
        async def send(request: Request) -> Response:
            del request
            return Response(path.read_bytes(), media_type=f"{_KINDS[path.suffix]}; charset=utf-8")

        return Route("/" if path.name == "index.html" else f"/{path.name}", send)

    async def snapshot(request: Request) -> Response:
        """The newest picture, at full quality: of the visitor's own camera if it shows one, else of the stream."""
        visitor = visitors.find(request.query_params.get("visitor", ""))
        if visitor is None:
            return PlainTextResponse("no such visitor\n", 404)
        shot = visitor.newest
        if shot is None:
            try:
                with visitors.broadcast.watching():
                    shot = (await asyncio.wait_for(visitors.broadcast.newer(None), _SNAPSHOT_S)).shot
            except asyncio.TimeoutError:
                return PlainTextResponse("no picture has come yet\n", 503)
        panel = visitor.controls
        image = shot.compose(visitor.view, mark, mirror=panel.look.mirror)
        settings = {**panel.describe(), "view": visitor.view}
        loop = asyncio.get_running_loop()
        data = await loop.run_in_executor(workers, png_with_settings, image, origin, settings)
        return Response(data, media_type="image/png")

    async def offer(request: Request) -> Response:
        """SDP in, SDP out."""
        from .peer import Peer

        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _OFFER_BYTES:
                return PlainTextResponse(f"an offer has at most {_OFFER_BYTES} bytes\n", 413)
        try:
            asked = msgspec.json.decode(body, type=Offer)
        except msgspec.MsgspecError as error:
            return PlainTextResponse(f"the offer cannot be read: {error}\n", 400)
        visitor = visitors.find(asked.visitor)
        if visitor is None or visitor.guest is None or visitors.guests is None:
            return PlainTextResponse("no visitor of that name shows a camera\n", 404)
        await visitor.hang_up()
        if visitor.guest is None or visitor.peer is not None:  # gone, or called again, meanwhile
            return PlainTextResponse("another offer came first\n", 409)
        try:
            visitor.peer = peer = Peer(visitors.guests, visitor, visitors.limits.frame_pixels, visitors.ice)
            sdp = await peer.answer(asked.sdp)
        except EdgeganError as error:
            return PlainTextResponse(f"{error}\n", 400)
        return Response(msgspec.json.encode({"sdp": sdp}), media_type="application/json")

    return Starlette(
        routes=[
            *(file(path) for path in sorted(FOLDER.iterdir()) if path.suffix in _KINDS),
            Route("/snapshot.png", snapshot),
            Route("/offer", offer, methods=["POST"]),
            WebSocketRoute("/ws", visitors.serve),
        ]
    )
