"""Some pictures of a set, with or without their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegan.data._sets import Labelled, Picture, Pictures


class Subset:
    """Some pictures of a set, in the order of `indices`."""

    def __init__(self, pictures: Pictures, indices: Sequence[int]) -> None:
        self.name = pictures.name
        self._pictures, self._indices = pictures, indices

    def __len__(self) -> int:
        return len(self._indices)

    def picture(self, index: int) -> Picture:
        """Picture `index` of the subset."""
        return self._pictures.picture(self._indices[index])

    def sources(self) -> Mapping[str, Sequence[Path]]:
        """Those of the subset."""
        return {what: [files[i] for i in self._indices] for what, files in self._pictures.sources().items()}


class LabelledSubset(Subset):
    """The same of a labelled set."""

    def __init__(self, pictures: Labelled, indices: Sequence[int]) -> None:
        super().__init__(pictures, indices)
        self.names, self.groups = pictures.names, pictures.groups
        self._label = pictures.label

    def label(self, index: int) -> NDArray[np.float32]:
        """The label of picture `index` of the subset."""
        return self._label(self._indices[index])
