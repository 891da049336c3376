"""What a picture is decided on: each attribute of its own, and each group of which one is on, as one decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Named(Protocol):
    """Names of attributes, and the groups among them."""

    @property
    def names(self) -> Sequence[str]:
        """The attributes, in the order of a label's places."""
        ...

    @property
    def groups(self) -> Sequence[Sequence[str]]:
        """Sets of these names of which exactly one is on."""
        ...


def name_decision(of: Named, name: str) -> str:
    """An attribute's name, or its group's: one of a group counts as one decision."""
    return next(("/".join(g) for g in of.groups if name in g), name)


def name_answers(of: Named, values: NDArray[np.float32]) -> dict[str, str]:
    """Each decision's answer as a word: the strongest of a group ("none" where all are 0), on or off otherwise."""
    found: dict[str, str] = {}
    names = list(of.names)
    for group in of.groups:
        own = {name: float(values[names.index(name)]) for name in group}
        found["/".join(group)] = max(own, key=lambda n: own[n]) if any(own.values()) else "none"
    grouped = {n for g in of.groups for n in g}
    found.update({n: "on" if values[j] > 0.5 else "off" for j, n in enumerate(names) if n not in grouped})
    return found
