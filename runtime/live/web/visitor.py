"""One visitor of the page: an open tab, from the moment its WebSocket opens until it closes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec

from ...errors import EdgeganError, InputError
from ..controls.keys import guest_keys
from ..controls.look import Look, View
from ..controls.panel import Panel
from ..screen.views import frame_point
from .broadcast import Moment, Shot
from .guests import Guest
from .limits import Bucket, InFlight
from .messages import Wish, pack, shorten_reason
from .newest import Newest
from .room import Room

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from .peer import Peer

_NEWS_S = 0.1  # how soon what another visitor, or a key, has changed shows
_FIGURES_S = 1.0
_AGAINST_THE_RULES = 1008  # of RFC 6455


class Visitor:
    """What it watches, its own camera if it shows one, and what it was told last."""

    def __init__(self, room: Room[Any], socket: WebSocket) -> None:
        self.name = secrets.token_urlsafe(16)
        self.view: View = "after"
        self.guest: Guest | None = None
        self.peer: Peer | None = None
        self._room, self._socket, self._limits = room, socket, room.limits
        self._messages = Bucket(room.limits.messages_per_s, room.limits.burst)
        self._in_flight = InFlight()
        self._watching = asyncio.Event()
        self._watching.set()
        self._frames: Newest[bytes] = Newest()

    @property
    def controls(self) -> Panel:
        """What its sliders move: everyone's, or its own while it shows its own camera."""
        return self.guest.controls if self.guest is not None else self._room.controls

    @property
    def newest(self) -> Shot | None:
        """The last frame of its own camera, while it shows one."""
        return self.guest.newest if self.guest is not None else None

    async def stay(self) -> None:
        """Serves the visitor until it goes, breaks the rules, or the server ends."""
        await self._say(self._room.hello(self.name))
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
                await self._socket.close(_AGAINST_THE_RULES, shorten_reason(str(end)))
            elif isinstance(end, Exception) and not _is_goodbye(end):
                raise end

    async def leave(self) -> None:
        """Frees all that was the visitor's."""
        try:
            await self.hang_up()
        finally:
            await self._close(self._release())

    async def hang_up(self) -> None:
        """Ends the call of its camera, wholly, also when the visitor goes meanwhile."""
        peer, self.peer = self.peer, None
        if peer is not None:
            await asyncio.shield(peer.close())

    def _release(self) -> Guest | None:
        """Shows its own camera no more. What is returned has to be closed, which may take a turn on the model."""
        guest, self.guest = self.guest, None
        self._frames.clear()
        return guest

    async def _close(self, guest: Guest | None) -> None:
        if guest is not None and self._room.guests is not None:
            await self._room.guests.farewell(guest)

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
        if self.guest is not None:  # else one that was under way when the visitor turned back to the device's
            self._frames.put(data)

    async def _obey(self, text: str) -> None:
        try:
            wish = msgspec.json.decode(text, type=Wish)
        except msgspec.MsgspecError as error:
            raise InputError(f"a message came that cannot be read: {error}") from None
        if wish.type == "shown":
            self._in_flight.count_arrived()
        elif wish.type == "set":
            self._try(self.controls.set, wish.name, wish.value)
        elif wish.type == "mirror":
            self.controls.choose(mirror=bool(wish.value))
        elif wish.type == "click":
            self._try(self._click, wish.at)
        elif wish.type == "preset":
            self._try(self.controls.load, wish.name)
        elif wish.type == "reset":
            self.controls.reset()
        elif wish.type == "press" and wish.name in guest_keys(self.controls):
            self.controls.press(wish.name)
        elif wish.type == "view" and wish.name in self.controls.views:
            self.view = wish.name
        elif wish.type == "camera":
            await self._switch_camera(own=wish.name == "own")

    def _try(self, act: Callable[..., None], *what: object) -> None:
        """A wish that cannot be met is answered in words, and the visitor stays."""
        try:
            act(*what)
        except InputError as error:
            self.controls.say(error.seen)

    def _click(self, at: tuple[float, float] | None) -> None:
        """Chooses the face at a place of the picture as it is shown, from 0 to 1; None chooses as at first."""
        if at is not None and not all(0.0 <= each <= 1.0 for each in at):
            raise InputError(f"a click at {at[0]:g}, {at[1]:g} came", "a place in the picture, from 0 to 1")
        if self._room.faces:
            look = Look(mirror=self.controls.look.mirror)
            self.controls.choose(click=None if at is None else frame_point(look, *at))

    async def _switch_camera(self, *, own: bool) -> None:
        """To the visitor's own camera, or back to the device's."""
        await self.hang_up()
        why = ""
        if own and self.guest is None and self._room.guests is not None:
            try:
                self.guest = await self._room.guests.welcome()
            except InputError as error:
                why = f"{error.seen}: {error.todo}"
        leaving = None if own else self._release()
        if self.guest is None:
            self._watching.set()
        else:
            self._watching.clear()
        try:
            await self._say({"type": "camera", "name": "device" if self.guest is None else "own", "why": why})
        finally:  # it may be gone, and nobody else knows the guest now
            await self._close(leaving)

    async def _show(self) -> None:
        """The device's stream, with at most two frames on the way: what is shown is never older than the line."""
        broadcast = self._room.broadcast
        while True:
            await self._watching.wait()
            with broadcast.watching():
                shown: Moment | None = None
                while self._watching.is_set():
                    await self._in_flight.below_limit()
                    shown = await broadcast.newer(shown)
                    if not self._watching.is_set():  # turned to its own camera meanwhile
                        break
                    view = self.view
                    picture = await broadcast.encode_once(shown, view, mirror=self._room.controls.look.mirror)
                    await self._send(shown, view, picture)

    async def _send(self, moment: Moment, view: View, picture: bytes) -> None:
        self._in_flight.count_sent()
        about = {
            "camera": "device",
            "view": view,
            "number": moment.index,
            "age_ms": round(moment.age_ms),
            "held_s": round(moment.held_s, 1),
            "held_why": moment.held_why,
        }
        await self._socket.send_bytes(pack(about, picture))

    async def _answer(self) -> None:
        """The visitor's own pictures, edited; those that were not begun when a newer one came are passed over."""
        while True:
            data, count = await self._frames.take()
            guest, view, began = self.guest, self.view, time.monotonic()
            if data is None or guest is None or self._room.guests is None:
                continue
            try:
                picture = await self._room.guests.edit_jpeg(guest, data, view, self._limits.frame_pixels)
            except EdgeganError:
                if guest is self.guest:
                    raise
            if guest is self.guest:  # it has not turned back meanwhile
                about = {
                    "camera": "own",
                    "view": view,
                    "answers": count,
                    "edit_ms": round(1000 * (time.monotonic() - began), 1),
                }
                await self._socket.send_bytes(pack(about, picture))

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
                await self._say({"type": "figures", **self._room.bulletin.figures(len(self._room))})
            await asyncio.sleep(_NEWS_S)

    async def _say(self, words: dict[str, Any]) -> None:
        await self._socket.send_text(msgspec.json.encode(words).decode())


def _is_goodbye(error: BaseException) -> bool:
    """Whether this is how a send ends when the other side has gone."""
    from starlette.websockets import WebSocketDisconnect

    return isinstance(error, (WebSocketDisconnect, OSError, RuntimeError))
