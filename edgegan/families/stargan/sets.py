"""Label sets: what each data set of a joint training knows, and where that stands in the vector (section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import torch
from torch import Tensor

from edgegan.families import Batch, Step
from edgegan.ranges import Pixels

LabelKind = Literal["attributes", "one_hot"]


class LabelSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One data set and its labels.

    `attributes` are on or off each; of a `one_hot` set's names (expressions, folders) exactly one is on.
    `centre_crop` is the square cut from the middle of each original picture, in pixels.
    """

    name: str
    attributes: tuple[str, ...]
    kind: LabelKind = "attributes"
    data: str = ""  # a --data SPEC
    centre_crop: Pixels | None = None


@dataclass(frozen=True)
class Slot:
    """A set's place in [labels of set 1 | ... | labels of set n | mask]: eq. 7, the mask one-hot of length n.

    Labels (N, C) are those of all sets, 0 or 1, with zeros where a set does not know them. One set alone has no
    mask. Only the generator sees the mask; the discriminator's logits (N, C) have the labels' order.
    """

    set: LabelSet
    number: int  # of this set, from 0
    sets: int
    first: int  # where its labels begin
    labels: int  # C

    @property
    def here(self) -> slice:
        """The columns of this set's labels."""
        return slice(self.first, self.first + len(self.set.attributes))

    def batch(self, step: Step) -> Batch:
        """This set's real pictures and, as (N, C), their labels."""
        found = step.streams[self.set.name]
        own = found["label"]
        if own.shape[1] == self.labels:
            return found
        label = own.new_zeros(len(own), self.labels)
        label[:, self.here] = own
        return {**found, "label": label}

    def condition(self, label: Tensor) -> Tensor:
        """(N, C) or (C,) -> what the generator takes: this set's labels alone, and the mask that names it."""
        if self.sets == 1:
            return label
        known, mask = torch.zeros_like(label), label.new_zeros(*label.shape[:-1], self.sets)
        known[..., self.here] = label[..., self.here]
        mask[..., self.number] = 1.0
        return torch.cat([known, mask], -1)


def slots(sets: Sequence[LabelSet]) -> tuple[Slot, ...]:
    """The places of all sets, in order."""
    starts = [sum(len(s.attributes) for s in sets[:i]) for i in range(len(sets) + 1)]
    return tuple(Slot(s, i, len(sets), starts[i], starts[-1]) for i, s in enumerate(sets))
