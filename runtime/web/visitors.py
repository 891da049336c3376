"""Visitors of the page: one for each open tab, from the moment its WebSocket opens until it closes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ..controls import Controls
from ..errors import EdgeganError, InputError
from ..panel import Panel, View
from .broadcast import Broadcast, Moment, Shot
from .bulletin import Bulletin
from .guests import Guest, Guests
from .messages import Bucket, Wish, packed

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from .peer import Peer

IN_FLIGHT = 2  # frames on the way to a visitor, and from one
_NEWS_S = 0.1  # how soon what another visitor, or a key, has changed shows
_FIGURES_S = 1.0
_KEYS = tuple(" ng+-")  # of a walk: a page may press these, and none that ends the run
_BUSY, _AGAINST_THE_RULES = 1013, 1008  # of RFC 6455 and its registry


@dataclass(frozen=True)
class Limits:
    """What one visitor, and all together, may ask of this device."""

    visitors: int = 8
    frame_bytes: int = 2 << 20
    frame_pixels: int = 1920 * 1080
    messages_per_s: float = 250.0
    burst: float = 500.0


class Visitors:
    """All who are there. Belongs to the event loop."""

    def __init__(
        self, controls: Panel, broadcast: Broadcast, bulletin: Bulletin, guests: Guests | None, limits: Limits
    ) -> None:
        self.controls, self.broadcast, self.bulletin = controls, broadcast, bulletin
        self.guests, self.limits = guests, limits
        self._here: dict[str, Visitor] = {}

    def __len__(self) -> int:
        return len(self._here)

    def find(self, name: str) -> Visitor | None:
        """The visitor to whom this name was given, while there."""
        return self._here.get(name)

    async def serve(self, socket: WebSocket) -> None:
        """One visitor, from coming to going."""
        await socket.accept()
        if len(self._here) >= self.limits.visitors:
            return await socket.close(_BUSY, f"{self.limits.visitors} visitors are here already; try again later")
        visitor = Visitor(self, socket)
        self._here[visitor.name] = visitor
        try:
            await visitor.stay()
        finally:
            del self._here[visitor.name]
            await visitor.leave()


class Visitor:
    """One open tab: what it watches, its own camera if it shows one, and what it was told last."""

    def __init__(self, visitors: Visitors, socket: WebSocket) -> None:
        self.name = secrets.token_urlsafe(16)
        self.view: View = "after"
        self.guest: Guest | None = None
        self.peer: Peer | None = None
        self._all, self._socket, self._limits = visitors, socket, visitors.limits
        self._messages = Bucket(visitors.limits.messages_per_s, visitors.limits.burst)
        self._under_way = 0
        self._room = asyncio.Event()
        self._room.set()
        self._watching = asyncio.Event()
        self._watching.set()
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(2 * IN_FLIGHT)  # one who turns round may be ahead of us

    @property
    def controls(self) -> Panel:
        """What its sliders move: everyone's, or its own while it shows its own camera."""
        return self.guest.controls if self.guest is not None else self._all.controls

    async def stay(self) -> None:
        """Serves the visitor until it goes, breaks the rules, or the server ends."""
        hello = {"type": "hello", "visitor": self.name, "in_flight": IN_FLIGHT}
        own, walk = self._all.guests is not None, not isinstance(self._all.controls, Controls)
        await self._say({**hello, "own_camera": own, "walk": walk, "most_pixels": self._limits.frame_pixels})
        work: list[Coroutine[Any, Any, None]] = [self._listen(), self._show(), self._inform(), self._answer()]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, EdgeganError):
                await self._socket.close(_AGAINST_THE_RULES, str(end).replace("\n", "; ")[:120])
            elif isinstance(end, Exception) and not _is_goodbye(end):
                raise end

    async def leave(self) -> None:
        """Frees all that was the visitor's."""
        await self._hang_up()
        if self.guest is not None:
            self.guest.close()
            self.guest = None

    async def _hang_up(self) -> None:
        peer, self.peer = self.peer, None
        if peer is not None:
            await peer.close()

    async def _listen(self) -> None:
        """What the visitor sends: a picture of its camera, or a wish as JSON."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if not self._messages.take():
                raise InputError("too many messages came", f"at most {self._limits.messages_per_s:g} a second")
            if message.get("bytes") is not None:
                self._take(message["bytes"])
            else:
                await self._obey(message.get("text") or "")

    def _take(self, data: bytes) -> None:
        if len(data) > self._limits.frame_bytes:
            raise InputError(f"a picture of {len(data)} bytes came", f"at most {self._limits.frame_bytes}")
        if self._frames.full():
            raise InputError("too many pictures came at once", f"at most {IN_FLIGHT} that were not answered")
        if self.guest is not None:  # else one that was under way when the visitor turned back to the device's
            self._frames.put_nowait(data)

    async def _obey(self, text: str) -> None:
        try:
            wish = msgspec.json.decode(text, type=Wish)
        except msgspec.MsgspecError as error:
            raise InputError(f"a message came that cannot be read: {error}") from None
        if wish.type == "shown":
            self._under_way = max(0, self._under_way - 1)
            self._room.set()
        elif wish.type == "set":
            self._try(self.controls.set, wish.name, wish.value)
        elif wish.type == "mirror":
            self.controls.choose(mirror=bool(wish.value))
        elif wish.type == "preset":
            self._try(self.controls.load, wish.name)
        elif wish.type == "reset":
            self.controls.reset()
        elif wish.type == "press" and wish.name in _KEYS:
            self.controls.press(wish.name)
        elif wish.type == "view" and wish.name in self.controls.views:
            self.view = wish.name
        elif wish.type == "camera":
            await self._turn(own=wish.name == "own")

    def _try(self, act: Callable[..., None], *what: object) -> None:
        """A wish that cannot be met is answered in words, and the visitor stays."""
        try:
            act(*what)
        except InputError as error:
            self.controls.say(error.seen)

    async def _turn(self, *, own: bool) -> None:
        """To the visitor's own camera, or back to the device's."""
        await self._hang_up()
        if own and self.guest is None and self._all.guests is not None:
            self.guest = await self._all.guests.welcome()
        elif not own and self.guest is not None:
            self.guest.close()
            self.guest = None
        while not self._frames.empty():
            self._frames.get_nowait()
        if self.guest is None:
            self._watching.set()
        else:
            self._watching.clear()
        await self._say({"type": "camera", "name": "device" if self.guest is None else "own"})

    async def _show(self) -> None:
        """The device's stream, with at most two frames on the way: what is shown is never older than the line."""
        broadcast = self._all.broadcast
        while True:
            await self._watching.wait()
            with broadcast.watching():
                shown: Moment | None = None
                while self._watching.is_set():
                    await self._room.wait()
                    shown = await broadcast.newer(shown)
                    if not self._watching.is_set():  # turned to its own camera meanwhile
                        break
                    view = self.view
                    picture = await broadcast.encoded(shown, view, mirror=self._all.controls.look.mirror)
                    await self._send(shown, view, picture)

    async def _send(self, moment: Moment, view: View, picture: bytes) -> None:
        self._under_way += 1
        if self._under_way >= IN_FLIGHT:
            self._room.clear()
        about = {
            "camera": "device",
            "view": view,
            "number": moment.index,
            "age_ms": round(moment.age_ms),
            "held_s": round(moment.held_s, 1),
        }
        await self._socket.send_bytes(packed(about, picture))

    async def _answer(self) -> None:
        """The visitor's own pictures, edited, in their order; each answer makes room for one more."""
        while True:
            data = await self._frames.get()
            guest, view, began = self.guest, self.view, time.monotonic()
            if guest is None or self._all.guests is None:
                continue
            try:
                picture = await self._all.guests.edit_jpeg(guest, data, view, self._limits.frame_pixels)
            except EdgeganError:
                if guest is self.guest:
                    raise
                continue  # the visitor turned back while it was edited
            about = {"camera": "own", "view": view, "edit_ms": round(1000 * (time.monotonic() - began), 1)}
            await self._socket.send_bytes(packed(about, picture))

    async def _inform(self) -> None:
        """What stands at the controls, when it changed, and every second the figures."""
        told: Any = None
        figures_at = -_FIGURES_S
        while True:
            controls = self.controls
            if told != (controls, controls.version):
                told = controls, controls.version
                await self._say({"type": "state", **controls.state()})
            if time.monotonic() - figures_at >= _FIGURES_S:
                figures_at = time.monotonic()
                await self._say({"type": "figures", **self._all.bulletin.figures(len(self._all))})
            await asyncio.sleep(_NEWS_S)

    def newest(self) -> Shot | None:
        """The last frame of its own camera, while it shows one."""
        return self.guest.newest if self.guest is not None else None

    async def _say(self, words: dict[str, Any]) -> None:
        await self._socket.send_text(msgspec.json.encode(words).decode())


def _is_goodbye(error: BaseException) -> bool:
    """Whether this is how a send ends when the other side has gone."""
    from starlette.websockets import WebSocketDisconnect

    return isinstance(error, (WebSocketDisconnect, OSError, RuntimeError))
