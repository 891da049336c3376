"""The page of `edgegan data label`: a web server on this machine alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from edgegan.runtime.errors import InputError, MissingExtraError

from .labelling import Labelling

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

PAGE = Path(__file__).with_name("page") / "label.html"
HOST = "127.0.0.1"
_BODY_BYTES = 64 << 10


def make_application(labelling: Labelling) -> Starlette:
    """The ASGI application. Raises MissingExtraError without the `web` extra."""
    try:
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
        from starlette.responses import PlainTextResponse, Response
        from starlette.routing import Route
    except ImportError as error:
        raise MissingExtraError(error.name or "starlette", "web") from None

    def refuse_as_text(route: Callable[[Request], Any]) -> Callable[[Request], Any]:
        @functools.wraps(route)
        async def answer(request: Request) -> Response:
            try:
                found: Response = await route(request)
            except (InputError, msgspec.MsgspecError, ValueError) as error:
                return PlainTextResponse(f"{error}\n", 400)
            return found

        return answer

    async def page(request: Request) -> Response:
        del request
        return Response(PAGE.read_bytes(), media_type="text/html; charset=utf-8")

    @refuse_as_text
    async def overview(request: Request) -> Response:
        del request
        return Response(msgspec.json.encode(labelling.overview()), media_type="application/json")

    @refuse_as_text
    async def picture(request: Request) -> Response:
        return Response(labelling.picture(int(request.path_params["index"])), media_type="image/png")

    @refuse_as_text
    async def answer(request: Request) -> Response:
        body = await request.body()
        if len(body) > _BODY_BYTES:
            raise InputError(f"{len(body)} bytes of answers")
        answers = msgspec.json.decode(body, type=dict[str, int | None])
        row = labelling.answer(int(request.path_params["index"]), answers)
        return Response(msgspec.json.encode(row), media_type="application/json")

    # Pages of other sites may send requests here, but not under this machine's own name.
    own_name = Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"], www_redirect=False)
    return Starlette(
        routes=[
            Route("/", page),
            Route("/set", overview),
            Route("/pictures/{index:int}", picture),
            Route("/labels/{index:int}", answer, methods=["PUT"]),
        ],
        middleware=[own_name],
    )


def serve(labelling: Labelling, port: int, ready: Callable[[str], None]) -> None:
    """Serves the page until Ctrl-C; `ready` gets its address. Raises InputError if the port is taken."""
    import socket

    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError(error.name or "uvicorn", "web") from None
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen()  # from now on a browser waits, and is not refused
        except OSError as error:
            raise InputError(f"--port {port}: {error.strerror}", todo="choose another port, or 0 for any") from None
        ready(f"http://{HOST}:{listening.getsockname()[1]}")
        config = uvicorn.Config(make_application(labelling), log_level="warning", lifespan="off")
        with suppress(KeyboardInterrupt):  # which uvicorn raises again when it has ended
            uvicorn.Server(config).run(sockets=[listening])
