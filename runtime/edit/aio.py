"""The editor for asyncio: its calls run in a thread, and the event loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ..checks import Owner
from ..errors import InputError
from ..faces.options import Which
from ..metrics.tally import Statistics
from ..model.artefact import Artefact
from ..model.card import ModelCard
from ..model.image import Image, Order
from .editor import Editor

if TYPE_CHECKING:
    from typing import Self

_P = ParamSpec("_P")
_T = TypeVar("_T")


class AsyncEditor:
    """The methods of `Editor`, to be awaited; use it as an asynchronous context manager, or await `close`.

    Calls run one after another, in the order in which they were made, on one thread of its own. Cancelling one is
    safe: what has not begun never does, and what runs ends in its thread, unseen, before the next call begins. A
    picture given must not be written to until its call has ended; after a cancellation, until the next one has.
    One event loop at a time.

    Args:
        editor: an editor of this object's own, such as `EditorPool.client()`; it is closed with it.
    """

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._closed = False
        self._owner = Owner("editor")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="edgegan-editor")

    @classmethod
    async def open(cls, path: str | Path | Artefact | None = None, **options: Any) -> Self:
        """As `Editor.open`, which names the options and what it raises; a cancelled one frees what it loaded."""
        loading = asyncio.get_running_loop().run_in_executor(None, partial(Editor.open, path, **options))
        try:
            return cls(await asyncio.shield(loading))
        except asyncio.CancelledError:
            loading.add_done_callback(_close_late)
            raise

    @property
    def card(self) -> ModelCard:
        """Of the model."""
        return self._editor.card

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know."""
        return self._editor.notices

    @property
    def statistics(self) -> Statistics:
        """See `Editor.statistics`."""
        return self._editor.statistics

    async def edit(
        self, frame: Image, changes: Mapping[str, float], *, timestamp: float | None = None, colour: Order = "bgr"
    ) -> Image:
        """See `Editor.edit`."""
        return await self._call(self._editor.edit, frame, changes, timestamp=timestamp, colour=colour)

    async def edit_batch(
        self, frames: Sequence[Image], changes: Mapping[str, float], *, colour: Order = "bgr"
    ) -> list[Image]:
        """See `Editor.edit_batch`."""
        return await self._call(self._editor.edit_batch, frames, changes, colour=colour)

    async def translate(
        self,
        crop: Image,
        changes: Mapping[str, float],
        label: Mapping[str, float] | None = None,
        *,
        colour: Order = "bgr",
    ) -> Image:
        """See `Editor.translate`."""
        return await self._call(self._editor.translate, crop, changes, label, colour=colour)

    async def estimate(self, crop: Image, *, colour: Order = "bgr") -> dict[str, float]:
        """See `Editor.estimate`."""
        return await self._call(self._editor.estimate, crop, colour=colour)

    async def choose(self, which: Which) -> None:
        """See `Editor.choose`."""
        await self._call(self._editor.choose, which)

    async def reset(self) -> None:
        """See `Editor.reset`."""
        await self._call(self._editor.reset)

    async def warm_up(self, frame_hw: tuple[int, int] = (720, 1280)) -> float:
        """See `Editor.warm_up`."""
        return await self._call(self._editor.warm_up, frame_hw)

    async def close(self) -> None:
        """Frees the models once the call that runs has ended; those that wait raise InputError.

        It goes on if it is cancelled.
        """
        self._closed = True
        if not self._owner.here:
            return
        self._thread.shutdown(wait=False)
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, self._editor.close))

    async def _call(self, method: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        self._owner.check()
        if self._closed:
            raise InputError("this editor is closed", todo="open a new one with AsyncEditor.open")
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(method, *args, **kwargs))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _close_late(loading: asyncio.Future[Editor]) -> None:
    """Frees an editor that nobody waits for any more, beside the event loop."""
    if not loading.cancelled() and loading.exception() is None:
        loading.get_loop().run_in_executor(None, loading.result().close)
