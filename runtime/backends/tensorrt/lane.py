"""The streams, contexts and buffers of one user of an engine."""

from __future__ import annotations

from typing import Any, Literal

from ...errors import NoMemoryError
from ..last_used import LastUsed
from ..nvidia.cuda import Cuda
from .bound import Bound, Shapes
from .engine import Engine

_KEPT = 4  # shapes: a frame with one face and a frame with three take turns

# Two runs may be under way, each in a stream of its own, and arrays on the GPU have buffers apart.
Way = Literal["first", "second", "device"]


class Lane:
    """Keeps what runs the few shapes that came last, for each way of running them; one thread at a time uses it.

    Args:
        cuda: the GPU, with a stream; closed with the lane.
        engine: what `Engine.join` gave to this user; left with the lane.

    Raises:
        NoMemoryError: the GPU has no room for a context; `close` is still to be called.
    """

    def __init__(self, cuda: Cuda, engine: Engine) -> None:
        self._engine, self._streams = engine, {"first": cuda}
        self._kept: dict[Way, LastUsed[Shapes, Bound]] = {}
        self._spare: Any = None  # a context for the first shapes

    def warm(self) -> None:
        """Makes a first context now, so that what keeps the engine from running is said at once."""
        self._spare = self._engine.context()

    def get(self, way: Way, shapes: Shapes) -> Bound:
        """What runs `shapes`; where memory runs out, what is kept for other shapes goes first."""
        self.stream(way)
        kept = self._kept.setdefault(way, LastUsed(_KEPT, lambda shapes: self.bind(way, shapes), Bound.free))
        try:
            return kept.get(shapes)
        except NoMemoryError:
            gone = [each.keep_only(shapes) for each in self._kept.values()]
            if not any(gone):
                raise
        return kept.get(shapes)

    def bind(self, way: Way, shapes: Shapes) -> Bound:
        """As `get`, for the caller to free."""
        context, self._spare = self._spare or self._engine.context(), None
        return Bound(self.stream(way), self._engine, context, shapes, copies=way != "device")

    def stream(self, way: Way) -> Cuda:
        """The GPU with the stream of that way, made the calling thread's own."""
        if way not in self._streams:
            self._streams[way] = Cuda(self._streams["first"].index)
        self._streams[way].use()
        return self._streams[way]

    def close(self) -> None:
        """Waits for all that is under way and frees everything, in the order that CUDA and TensorRT ask for."""
        for cuda in self._streams.values():
            cuda.finish()
        for kept in self._kept.values():
            kept.clear()
        self._spare = None
        try:
            self._engine.leave()
        finally:
            for cuda in self._streams.values():
                cuda.close()
