"""Batches from a stream: shuffled without end, prefetched, and a pure function of (seed, images seen)."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from edgegan.data._files.work import processors
from edgegan.families import Stream

Item = dict[str, np.ndarray]


def readers(wanted: int) -> int:
    """How many threads read pictures: `wanted`, or for 0 one per processor that this process may use, at most 8."""
    return wanted or min(8, processors())


class Loader:
    """Showing number k is the same whatever ran before it; what was announced is prepared in threads meanwhile.

    Threads are enough: reading, decoding and resizing of pictures release Python's lock. Use as a context manager:
    leaving it ends the threads.
    """

    def __init__(self, stream: Stream, *, seed: int, number: int = 0, workers: int = 2) -> None:
        # Streams of one run are numbered, so that two of one length are not shuffled alike.
        self._stream, self._seed, self._number = stream, seed, number
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="loader")
        self._orders: dict[int, np.ndarray] = {}
        self._ahead: dict[tuple[int, int], list[Future[Item]]] = {}

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def announce(self, first: int, count: int) -> None:
        """Begins to prepare what `batch` will be asked for later; announcing it twice is free."""
        if (first, count) not in self._ahead:
            self._ahead[first, count] = [
                self._pool.submit(self._item, first + i, self._place(first + i)) for i in range(count)
            ]

    def batch(self, first: int, count: int) -> dict[str, Tensor]:
        """The `count` items that begin with showing number `first`; each value is (count, ...)."""
        self.announce(first, count)
        items = [f.result() for f in self._ahead.pop((first, count))]
        return {key: torch.from_numpy(np.stack([item[key] for item in items])) for key in items[0]}

    def _place(self, showing: int) -> int:
        """Which item is shown as number `showing`: each epoch is one permutation, from (seed, epoch)."""
        epoch, place = divmod(showing, len(self._stream))
        if epoch not in self._orders:
            self._orders = {e: o for e, o in self._orders.items() if e >= epoch - 1}
            rng = np.random.Generator(np.random.Philox(key=[self._seed, 1 << 62 | epoch], counter=self._number))
            self._orders[epoch] = rng.permutation(len(self._stream))
        return int(self._orders[epoch][place])

    def _item(self, showing: int, index: int) -> Item:
        rng = np.random.Generator(np.random.Philox(key=[self._seed, showing], counter=1 << 41 | self._number))
        return dict(self._stream.item(index, rng))
