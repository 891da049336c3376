"""A source around another one."""

from __future__ import annotations

from ..source import Source


class Wrapped(Source):
    """Tells of itself what `source` tells; owns it. Subclasses say which frames come, and when."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name, self.about, self.live, self.fps = source.name, source.about, source.live, source.fps
        self.size_hw, self.length, self.sound = source.size_hw, source.length, source.sound
        self.constant_fps, self.revivable, self.notes = source.constant_fps, source.revivable, source.notes
        self.seed = source.seed

    def troubles(self) -> tuple[str, ...]:
        """Those of the source."""
        return self._source.troubles()

    def stop(self) -> None:
        """Passes it on."""
        self._source.stop()

    def close(self) -> None:
        """Closes the source."""
        self._source.close()
