"""Who is on the page at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..controls.attributes import Controls
from ..controls.panel import Panel
from .broadcast import Broadcast
from .bulletin import Bulletin
from .guests import Guests
from .ice import IceServer
from .limits import IN_FLIGHT, Limits
from .visitor import Visitor

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

_BUSY = 1013  # "try again later", of the registry that RFC 6455 began


class Visitors:
    """All who are there, and what they share. Belongs to the event loop.

    `guests` is None where visitors show no cameras, `faces` tells whether a click chooses one, and `ice` is how a
    WebRTC connection finds its way out of the network.
    """

    def __init__(
        self,
        controls: Panel,
        broadcast: Broadcast,
        bulletin: Bulletin,
        guests: Guests | None,
        limits: Limits,
        *,
        faces: bool = False,
        ice: Sequence[IceServer] = (),
    ) -> None:
        self.controls, self.broadcast, self.bulletin = controls, broadcast, bulletin
        self.guests, self.limits, self.faces, self.ice = guests, limits, faces, tuple(ice)
        self._here: dict[str, Visitor] = {}

    def __len__(self) -> int:
        return len(self._here)

    def hello(self, name: str) -> dict[str, Any]:
        """The first words to a visitor: its name, and what it may do here."""
        return {
            "type": "hello",
            "visitor": name,
            "in_flight": IN_FLIGHT,
            "own_camera": self.guests is not None,
            "walk": not isinstance(self.controls, Controls),
            "faces": self.faces,
            "most_pixels": self.limits.frame_pixels,
            "ice": [server.as_dict() for server in self.ice],
        }

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
