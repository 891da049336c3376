"""Who may come in: the token, the cookie that stands for it, and the pages that may speak to us."""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from .address import LOOPBACK, is_loopback
from .proxies import Door, host_name

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "permissions-policy": "camera=(self), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_NO_TOKEN = "This page needs its token: open the address that edgegan printed when it started.\n"
_WRONG_PLACE = (
    "This page answers only under its own address. A proxy in front of it sends X-Forwarded-Proto and "
    "X-Forwarded-Host, and edgegan is given a token (--token) where the name is not this machine's.\n"
)


class Guard:
    """Stands before the application and turns away, with 403, every request and WebSocket that

    - lacks the token, where there is one: as `?token=` at first, as a cookie from then on;
    - comes from another site's page (its Origin is not our own address, nor the one that a trusted proxy has);
    - came, where there is no token, under a name that is not this machine's: another site's name may be made to
      point here (DNS rebinding).
    """

    def __init__(
        self, app: ASGIApp, token: str | None, port: int, *, tls: bool, proxies: tuple[str, ...] = LOOPBACK
    ) -> None:
        self._app, self._token, self._tls, self._proxies = app, token, tls, proxies
        self._cookie = f"edgegan-{port}"  # cookies are shared by all ports of a host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        try:
            asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        except ValueError:  # more fields than anyone means
            asked = ""
        door = Door.of(headers, scope.get("client"), self._proxies, tls=self._tls)
        refused = self._refusal(door, headers, asked)
        if refused:
            await _refuse(scope, receive, send, refused)
        elif asked and scope["type"] == "http" and scope["path"] == "/":
            await self._welcome(scope, receive, send, secure=self._tls or "https" in door.schemes)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, door: Door, headers: dict[str, str], asked: str) -> str:
        if not door.is_own(headers.get("origin")):
            return _WRONG_PLACE
        if self._token is None:
            return "" if is_loopback(host_name(headers.get("host", ""))) else _WRONG_PLACE
        return "" if self._knows(asked) or self._knows(self._cookie_token(headers)) else _NO_TOKEN

    def _knows(self, word: str) -> bool:
        return self._token is not None and hmac.compare_digest(word.encode(), self._token.encode())

    def _cookie_token(self, headers: dict[str, str]) -> str:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookies[self._cookie].value if self._cookie in cookies else ""

    async def _welcome(self, scope: Scope, receive: Receive, send: Send, *, secure: bool) -> None:
        """Moves the token from the address bar, where it could be copied on, into a cookie."""
        from starlette.responses import RedirectResponse

        answer = RedirectResponse("./", 303, headers=HEADERS)
        if self._token is not None:
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="lax", secure=secure)
        await answer(scope, receive, send)


def _with_headers(send: Send) -> Send:
    added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return sending


async def _refuse(scope: Scope, receive: Receive, send: Send, words: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: the server answers 403
        return
    from starlette.responses import PlainTextResponse

    await PlainTextResponse(words, 403, headers=HEADERS)(scope, receive, send)
