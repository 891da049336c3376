"""One micro-batch on its way through a phase: its pictures, and every random draw that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edgegan import distributed

Batch = Mapping[str, Tensor]


@dataclass(frozen=True)
class Step:
    """One micro-batch on its way through a phase. Real pictures are in [-1, 1], (N, 3, H, W).

    Under torchrun each process holds its own slice of the micro-batch. What is drawn for a picture by its number
    (`uniform`) or over the whole micro-batch (`permute`) is what a single process would draw; what is drawn from
    `rng`, or from torch's generator, is each process's own.
    """

    streams: Mapping[str, Batch]
    first_image: int  # the number of the first real picture of this slice since training began
    seed: int
    first_of_all: int | None = None  # that of the whole micro-batch, over all processes; None: this slice is all
    scratch: dict[str, Any] = field(default_factory=dict)  # what a phase leaves for later ones of the same round

    @property
    def real(self) -> Batch:
        """The one stream of families that have only one."""
        return self.streams["real"]

    @cached_property
    def rng(self) -> np.random.Generator:
        """Randomness that depends on (seed, images seen) alone, so that a resumed run repeats it."""
        return np.random.Generator(np.random.Philox(key=[self.seed, self.first_image]))

    @cached_property
    def _shared_rng(self) -> np.random.Generator:
        """The same in every process."""
        first = self.first_image if self.first_of_all is None else self.first_of_all
        return np.random.Generator(np.random.Philox(key=[self.seed, first], counter=1 << 42))

    def permute(self, own: Tensor) -> Tensor:
        """(N, ...) -> (N, ...): one row for each picture, from a permutation of the whole micro-batch's rows."""
        rows = distributed.gather(own)
        order = torch.from_numpy(self._shared_rng.permutation(len(rows)))
        start = self.first_image - self.first_of_all if self.first_of_all is not None else 0
        return rows[order[start : start + len(own)].to(rows.device)]

    def uniform(self, count: int, *shape: int, draw: int = 0) -> Tensor:
        """(count, *shape) in [0, 1): each picture's own, from (seed, images seen, index, draw) alone.

        The same `draw` always gives the same numbers: give another one for every further use.
        """
        own = (
            np.random.Generator(np.random.Philox(key=[self.seed, self.first_image + i], counter=draw << 64 | 1 << 40))
            for i in range(count)
        )
        return torch.from_numpy(np.array([rng.random(shape) for rng in own], np.float32))
