"""What steers a model: its names, and the vectors that make a change to a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from ..checks import check_finite
from ..errors import InputError


class Partly(float):
    """A wanted value that holds only for a share, from 0 to 1: the rest of the way is the face's own label."""

    share: float

    def __new__(cls, value: float, share: float) -> Partly:
        self = super().__new__(cls, value)
        self.share = share
        return self


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What steers the model. The order of `names` is the order of the condition vector.

    `groups` are sets of names of which exactly one is on. `default` is the vector used when nothing is known
    about a picture; for a generator, how often each name is on. `ranges` are the ends of names whose values are not
    from 0 to 1. A model trained jointly on several label sets (StarGAN, section 3.3) takes the labels of one
    set at a time: `sets` are the names of each, and `mask_slots` as many entries are appended to the vector, of
    which one is on and says which set is meant. `one_at_a_time` says that training changed one decision at a time (a
    group, or a name of its own), so that the model may leave out one of several.
    """

    kind: Literal["none", "binary", "one_hot", "latent"] = "none"
    names: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    mask_slots: int = 0
    sets: tuple[tuple[str, ...], ...] = ()
    default: tuple[float, ...] = ()
    ranges: dict[str, tuple[float, float]] = {}
    one_at_a_time: bool = False

    @property
    def decisions(self) -> tuple[tuple[str, ...], ...]:
        """Each group, and each name of its own, in the order of `names`."""
        grouped = {name: group for group in self.groups for name in group}
        return tuple(dict.fromkeys(grouped.get(name, (name,)) for name in self.names))

    def apply(self, label: Mapping[str, float], changes: Mapping[str, float]) -> dict[str, float]:
        """`label` with `changes` on top; turning one name of a group on turns the others off.

        Values are not clipped; one that is `Partly` wanted goes so far from the label. Raises InputError for a name
        that the model does not know, and for a value that is no finite number.
        """
        unknown = [n for n in changes if n not in self.names]
        if unknown:
            raise InputError(
                f"the model has no attribute {', '.join(map(repr, unknown))}",
                f"it knows: {', '.join(self.names) or 'none'}",
            )
        for what, values in (("the change of", changes), ("the label of", label)):
            for name, value in values.items():
                check_finite(value, f"{what} {name}", "a finite number: 0 is off, 1 is on")
        out = {n: float(label.get(n, d)) for n, d in zip(self.names, self.default, strict=True)}
        for name, value in changes.items():
            share = value.share if isinstance(value, Partly) else 1.0
            own = out[name]
            for group in self.groups:
                if name in group and value > 0:
                    out.update({other: out[other] * (1.0 - share * min(float(value), 1.0)) for other in group})
            out[name] = float(value) if share >= 1.0 else own + share * (float(value) - own)
        return out

    def vectors(self, label: Mapping[str, float], changes: Mapping[str, float]) -> list[list[float]]:
        """The condition vectors, one for each pass through the network, that make `changes` to a picture.

        `label` is the picture's own. A model of one label set takes one pass, also where nothing changes. A joint
        model takes one for each set that a change belongs to, in their order, and none for no change. With
        `one_at_a_time` there is a pass for each decision that a change belongs to, on top of those before it, also
        where the label has it so: a network may see what the classifier misread.
        """
        now, target = self.apply(label, {}), self.apply(label, changes)
        found = []
        for names in self.decisions if self.one_at_a_time else self.sets:
            if not changes.keys().isdisjoint(names):
                now = now | {n: target[n] for n in names}
                found.append(self._vector(now, names))
        return found if found or self.sets else [self._vector(target, self.names)]

    def _vector(self, target: Mapping[str, float], names: tuple[str, ...]) -> list[float]:
        """What the network takes; of a joint model, for the set that knows `names`."""
        if not self.sets:
            return [target[n] for n in self.names] + [0.0] * self.mask_slots
        chosen = next(one for one in self.sets if names[0] in one)
        return [target[n] if n in chosen else 0.0 for n in self.names] + [float(one == chosen) for one in self.sets]
