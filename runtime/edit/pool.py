"""Several loads of one model, for programs that serve more than one client at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray

from ..backends import Arrays, Backend, Selection, Shareable
from ..backends.processor import count_cores
from ..errors import BackendError, InputError
from ..faces.options import FaceOptions
from ..model.artefact import Artefact
from ..model.card import ModelCard
from ..model.image import Image, Order
from .assembly import assemble
from .editor import Editor, _Another
from .loading import Loading, load_for
from .session import Turns

if TYPE_CHECKING:
    from typing import Self, Unpack

    from .loading import LoadingOptions


class Lanes:
    """Equal backends behind the contract of one, but that `run` may be called from any number of threads.

    Each call takes the backend that has been free longest, and waits while there is none. A network that can be
    shared is loaded once, and every further lane works on it; any other is loaded `count` times.
    """

    name: ClassVar[str] = "lanes"
    suffixes: ClassVar[tuple[str, ...]] = ()
    devices: ClassVar[tuple[str, ...]] = ()

    def __init__(self, load: Callable[[], Backend], count: int) -> None:
        self._free: SimpleQueue[Backend] = SimpleQueue()
        self._lock = Lock()
        self._lanes = count
        self._closed = False
        opened: list[Backend] = []
        try:
            opened.append(load())
            for _ in range(count - 1):
                first = opened[0]
                opened.append(first.another() if isinstance(first, Shareable) else load())
        except BaseException:
            for each in opened:
                each.close()
            raise
        first = opened[0]
        self.device, self.inputs, self.outputs = first.device, first.inputs, first.outputs
        self.notices, self.selection = first.notices, first.selection
        for each in opened:
            self._free.put(each)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """See `Backend.run`."""
        if self._closed:
            raise BackendError("this backend is closed")
        lane = self._free.get()
        try:
            return lane.run(inputs)
        finally:
            self._free.put(lane)

    def close(self) -> None:
        """Frees every backend, once the calls that use them have ended; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for lane in [self._free.get() for _ in range(self._lanes)]:
                lane.close()
                self._free.put(lane)  # a call that came too late gets one that says that it is closed

    def __enter__(self) -> Lanes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class EditorPool:
    """One model, ready `size` times: so many pictures go through the network side by side.

    `client()` gives each client (a visitor, a camera, a thread) an `Editor` of its own, with tracks, labels, choice
    of faces and statistics that no other client sees. There may be any number of them: they take turns on the
    networks, whichever is free. Pictures that stand alone need none: `edit` and `translate` may be called from any
    thread. Closing the pool waits for the calls that run and closes every client.
    """

    def __init__(self, first: Editor, size: int) -> None:
        self.size = size
        self._first = first
        self._idle: deque[Editor] = deque()

    @classmethod
    def open(
        cls,
        path: str | Path | Artefact | None = None,
        *,
        size: int = 2,
        threads: int | None = None,
        work_size: tuple[int, int] | None = None,
        faces: FaceOptions | None = None,
        **options: Unpack[LoadingOptions],
    ) -> EditorPool:
        """Loads a model `size` times; the other arguments, and what it raises, are those of `Editor.open`.

        Args:
            path: as in `Editor.open`.
            size: how many networks. Each holds the weights once more, but for TensorRT: there all run one engine.
            threads: CPU threads of each network; None shares the cores out among them.
            work_size: as in `Editor.open`.
            faces: as in `Editor.open`.
            options: backend, device, allow_fallback, rebuild and on_progress of `Editor.open`.
        """
        if size < 1:
            raise InputError(f"a pool of {size} networks was asked for", "at least 1")
        model = load_for("translate", path)
        each = threads or max(1, count_cores() // size)

        loading = Loading(threads=each, **options)
        parts = assemble(
            model,
            lambda network: Lanes(lambda: loading.network(network), size),
            lambda helper, network: Lanes(lambda: loading.helper(helper, network), size),
            work_size=work_size,
            faces=faces,
        )
        return cls(Editor(*parts), size)

    @property
    def card(self) -> ModelCard:
        """Of the model."""
        return self._first.card

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know."""
        return self._first.notices

    @property
    def selection(self) -> Selection:
        """Which backend and device run the model, why, and why not the others."""
        return self._first.selection

    def client(self) -> Editor:
        """An editor for one more client; close it, or use it as a context manager, when the client leaves."""
        with self._first._turn():
            pipeline = self._first._pipeline.another()
        return _Another(self._first, pipeline, Turns())

    def edit(
        self, frame: Image, changes: Mapping[str, float], *, colour: Order = "bgr", out: Image | None = None
    ) -> Image:
        """A picture that stands alone; see `Editor.edit`."""
        with self._some() as editor:
            return editor.edit(frame, changes, colour=colour, out=out)

    def edit_batch(
        self, frames: Sequence[Image], changes: Mapping[str, float], *, colour: Order = "bgr"
    ) -> list[Image]:
        """See `Editor.edit_batch`."""
        with self._some() as editor:
            return editor.edit_batch(frames, changes, colour=colour)

    def translate(
        self,
        crop: Image,
        changes: Mapping[str, float],
        label: Mapping[str, float] | None = None,
        *,
        colour: Order = "bgr",
        out: Image | None = None,
    ) -> Image:
        """See `Editor.translate`."""
        with self._some() as editor:
            return editor.translate(crop, changes, label, colour=colour, out=out)

    def warm_up(self, frame_hw: tuple[int, int] = (720, 1280)) -> float:
        """See `Editor.warm_up`; each network runs once. Returns the seconds it took."""
        with self._some() as editor:
            return sum(editor.warm_up(frame_hw) for _ in range(self.size))  # calls go round the networks

    def close(self) -> None:
        """Frees the models; a second call does nothing."""
        self._first.close()

    @contextmanager
    def _some(self) -> Iterator[Editor]:
        """An editor that no other thread uses, kept for the next call."""
        try:
            editor = self._idle.pop()
        except IndexError:
            editor = self.client()
        try:
            yield editor
        finally:
            self._idle.append(editor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
