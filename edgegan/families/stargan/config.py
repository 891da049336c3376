"""StarGAN's configuration; the defaults are the paper's."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import force_setattr, replace

from edgegan.config import BaseConfig
from edgegan.data._named import NAME, join_named
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import Alignment

from .sets import LabelKind, LabelSet, Slot, slots

_FIVE = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")


class Config(BaseConfig, frozen=True, kw_only=True):
    """Widths, depths, size and attributes of a StarGAN, and how it is trained.

    With `sets`, several data sets train it jointly, and `attributes` are those of all sets, in order.
    """

    size: int = 128
    attributes: tuple[str, ...] = _FIVE
    kind: LabelKind = "attributes"  # one_hot: exactly one is on, as of expressions or of folders
    exclusive: tuple[tuple[str, ...], ...] = (("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"),)
    domain: str = "photographed faces"
    faces: bool = True
    alignment: Alignment | None = None
    licence: str = ""
    flip: bool = True
    centre_crop: int | None = None
    sets: tuple[LabelSet, ...] = ()

    conv_dim: int = 64
    blocks: int = 6
    stem_stride: Literal[1, 2] = 1
    mask: bool = False  # GANimation's output mask; not in the paper
    d_conv_dim: int = 64
    d_layers: int = 6

    adversarial: Literal["wgan-gp", "hinge-r1"] = "wgan-gp"
    targets: Literal["permute", "single"] = "permute"  # single: one attribute changes; not in the paper
    focus: tuple[str, ...] = ()  # what single targets pick three times as often: edits that are slow to learn
    balance: tuple[str, ...] = ()  # shown on half of the real pictures, so that single targets keep their share
    hides: dict[str, tuple[str, ...]] = {}  # what cannot be seen, and so not be classified, under an attribute
    n_critic: int = 5
    lambda_cls: float = 1.0
    lambda_rec: float = 10.0
    lambda_gp: float = 10.0
    lambda_mask: float = 0.0  # weight of the mean of the mask
    r1_gamma: float = 1.0
    r1_interval: int = 8
    g_lr: float = 1e-4
    d_lr: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.999

    def __post_init__(self) -> None:
        if self.sets:
            self._join()
        if self.size % 2**self.d_layers or self.size < 2**self.d_layers:
            raise InputError(
                f"size={self.size} with d_layers={self.d_layers}",
                f"the size must be a multiple of {2**self.d_layers} (2 to the power of d_layers)",
            )
        for slot in self.slots:
            least = 2 if slot.sets == 1 or slot.set.kind == "one_hot" else 1
            if len(slot.set.attributes) < least:
                raise InputError(
                    f"attributes={list(slot.set.attributes)}", "StarGAN translates between at least two domains"
                )
        twice = sorted({name for name in self.attributes if self.attributes.count(name) > 1})
        if twice:
            where = "in one set only: what several know, train as one" if self.sets else "once"
            raise InputError(f"attributes={list(self.attributes)}", f"each may be named {where} ({', '.join(twice)})")
        hiding = (*self.hides, *(name for names in self.hides.values() for name in names))
        for field, names in (("focus", self.focus), ("balance", self.balance), ("hides", hiding)):
            if not set(names) <= set(self.attributes):
                raise InputError(f"{field}={list(names)}", f"the attributes are: {', '.join(self.attributes)}")
        chosen = {name for slot in self.slots if slot.set.kind == "one_hot" for name in slot.set.attributes}
        hidden = sorted(chosen.intersection(name for names in self.hides.values() for name in names))
        if hidden:
            raise InputError(f"hides={hidden}", "attributes: of a one_hot set, one is always seen")

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Every label set's place in the condition vector; of a model without `sets`, the one set `real`."""
        one = LabelSet(name="real", attributes=self.attributes, kind=self.kind, centre_crop=self.centre_crop)
        return slots(self.sets or (one,))

    def slot_of(self, name: str) -> Slot:
        """The slot of the set that knows an attribute."""
        return next(slot for slot in self.slots if name in slot.set.attributes)

    @property
    def label_width(self) -> int:
        """Length of the vector that the generator takes: all labels, and a mask entry for each of several sets."""
        return len(self.attributes) + (len(self.sets) if len(self.sets) > 1 else 0)

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The exclusive groups among this model's attributes, in the order of the condition vector.

        No group spans two sets: a picture has the labels of one set only.
        """
        found: list[tuple[str, ...]] = []
        for slot in self.slots:
            own = slot.set.attributes
            exclusive = self.exclusive if slot.set.kind == "attributes" else (own,)
            found += [tuple(a for a in own if a in group) for group in exclusive]
        return tuple(group for group in found if len(group) > 1)

    def _join(self) -> None:
        """Fills in what follows from the sets, so that the resolved config tells it."""
        names = [s.name for s in self.sets]
        if len(set(names)) != len(names) or not all(NAME.fullmatch(name) for name in names):
            raise InputError(f"sets are named {names}", "a name of its own for each, of letters, digits, - and _")
        joined = tuple(name for s in self.sets for name in s.attributes)
        if self.attributes not in (_FIVE, joined):
            raise InputError(
                f"attributes={list(self.attributes)} beside sets", todo="name attributes in each of the sets only"
            )
        if self.kind != "attributes" or self.centre_crop is not None:
            raise InputError("kind or centre_crop beside sets", todo="set them in each of the sets")
        force_setattr(self, "attributes", joined)
        if not self.train.data and all(s.data for s in self.sets):
            data = join_named({s.name: s.data for s in self.sets})
            force_setattr(self, "train", replace(self.train, data=data))
