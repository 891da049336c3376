"""What all visitors of the page share, and who is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from ..controls.attributes import Controls
from ..controls.panel import Panel
from .broadcast import Broadcast
from .bulletin import Bulletin
from .guests import Guests
from .ice import IceServer
from .limits import IN_FLIGHT, Limits

V = TypeVar("V")


class Room(Generic[V]):
    """Belongs to the event loop.

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
        self._here: dict[str, V] = {}

    def __len__(self) -> int:
        return len(self._here)

    def find(self, name: str) -> V | None:
        """The visitor to whom this name was given, while there."""
        return self._here.get(name)

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
