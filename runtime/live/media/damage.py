"""What of a film could not be had as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...opencv import pyav


@dataclass
class Damage:
    """Counts. `failing` is how many of the newest packets, in a row, could not be decoded."""

    packets: int = 0
    resized: int = 0
    failing: int = 0

    def decode(self, packet: Any) -> list[Any]:
        """The frames that PyAV gives for a packet; none, and one more is counted, where it cannot be decoded."""
        try:
            frames = list(packet.decode())
        except pyav().InvalidDataError:
            self.packets += 1
            self.failing += 1
            return []
        self.failing = 0 if frames else self.failing
        return frames

    def words(self, name: str, size_hw: tuple[int, int]) -> tuple[str, ...]:
        """For people; () for nothing. `size_hw` is what pictures of another size were fitted into."""
        told = []
        if self.packets:
            told.append(f"{name} is damaged: {_count(self.packets, 'packet')} could not be decoded")
        if self.resized:
            told.append(f"{_count(self.resized, 'picture')} of another size fitted into {size_hw[1]}x{size_hw[0]}")
        return tuple(told)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
