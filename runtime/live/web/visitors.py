"""Who is on the page at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .room import Room
from .visitor import Visitor

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

_BUSY = 1013  # "try again later", of the registry that RFC 6455 began


class Visitors(Room[Visitor]):
    """All who are there, from coming to going."""

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
