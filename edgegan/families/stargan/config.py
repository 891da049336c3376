"""StarGAN's configuration; the defaults are the paper's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from edgegan.config import BaseConfig
from edgegan.data._faces.augmentation import Augmentation
from edgegan.data._files.named import NAME, join_named
from edgegan.networks.diff_augment import Kind
from edgegan.ranges import Depth, Every, Images, Layers, LearningRate, Momentum, Pixels, Weight, Width
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import Alignment

from .sets import LabelKind, LabelSet, Slot, slots

_FIVE = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")


class Config(BaseConfig, frozen=True, kw_only=True):
    """Widths, depths, size and attributes of a StarGAN, and how it is trained.

    With `sets`, several data sets train it jointly, and `attributes` are those of all sets, in order.
    """

    size: Pixels = 128
    attributes: tuple[str, ...] = _FIVE
    kind: LabelKind = "attributes"  # one_hot: exactly one is on, as of expressions or of folders
    exclusive: tuple[tuple[str, ...], ...] = (("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"),)
    domain: str = "photographed faces"
    faces: bool = True
    alignment: Alignment | None = None
    licence: str = ""
    limits: str = ""  # what the model cannot do, for its card
    flip: bool = True
    centre_crop: Pixels | None = None
    sets: tuple[LabelSet, ...] = ()

    conv_dim: Width = 64
    blocks: Depth = 6
    stem_stride: Literal[1, 2] = 1  # 2: a quarter of the work; not in the paper
    depthwise: bool = False  # separable convolutions in the blocks (GAN Compression); not in the paper
    mask: bool = False  # GANimation's output mask; not in the paper
    conditioning: Literal["planes", "film"] = "planes"  # film: see film.py; not in the paper
    discriminator: Literal["paper", "projected"] = "paper"  # projected: see networks/projected.py; not in the paper
    d_conv_dim: Width = 64
    d_layers: Layers = 6
    d_augment: tuple[Kind, ...] = ()  # DiffAugment on all that D sees; not in the paper
    d_augment_strength: Annotated[float, Meta(ge=0, le=10)] = 1.0  # of its colours
    classifier: Literal["head", "finetuned"] = "head"  # finetuned: see classifier.py; not in the paper
    classifier_images: Images = 24_000  # a fine-tuned classifier learns from so many first, alone, and then rests

    adversarial: Literal["wgan-gp", "hinge-r1", "hinge"] = "wgan-gp"
    targets: Literal["permute", "single", "one_or_two"] = "permute"  # so many decisions change; not in the paper
    focus: tuple[str, ...] = ()  # picked three times as often, within its group too: edits that are slow to learn
    balance: tuple[str, ...] = ()  # decisions whose answers are shown equally often; a group by any of its members
    balance_cap: Annotated[float, Meta(ge=1, le=1000)] = 6.0  # at most so many times as often as in plain order
    augmentation: Augmentation = Augmentation()  # of aligned faces (--data faces:DIR)
    hides: dict[str, tuple[str, ...]] = {}  # what cannot be seen, and so not be classified, under an attribute
    n_critic: Every = 5
    lambda_adv: Weight = 1.0  # of the generator's adversarial loss; the paper's is 1
    lambda_cls: Weight = 1.0
    lambda_rec: Weight = 10.0
    lambda_gp: Weight = 10.0
    lambda_mask: Weight = 0.0  # weight of the mean of the mask
    lambda_guide: Weight = 0.0  # weight of the distance to what aligned faces say that an edit looks like
    lambda_open: Weight = 0.0  # weight of a mask that is closed where the guide says that something changes
    r1_gamma: Weight = 1.0
    r1_interval: Annotated[int, Meta(ge=0, le=10_000)] = 8  # the penalty every so many rounds; 0: never
    g_lr: LearningRate = 1e-4
    d_lr: LearningRate = 1e-4
    beta1: Momentum = 0.5
    beta2: Momentum = 0.999

    def __post_init__(self) -> None:
        if self.sets:
            self._check_sets()
        if self.discriminator == "projected":
            if self.size % 32:
                raise InputError(f"size={self.size} with discriminator=projected", "a multiple of 32")
        elif self.size % 2**self.d_layers or self.size < 2**self.d_layers:
            raise InputError(
                f"size={self.size} with d_layers={self.d_layers}",
                f"the size must be a multiple of {2**self.d_layers} (2 to the power of d_layers)",
            )
        if self.size % self.multiple:
            raise InputError(
                f"size={self.size} with conditioning={self.conditioning} and stem_stride={self.stem_stride}",
                f"a multiple of {self.multiple}",
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
        self._check_discriminator()
        hiding = (*self.hides, *(name for names in self.hides.values() for name in names))
        for field, names in (("focus", self.focus), ("balance", self.balance), ("hides", hiding)):
            if not set(names) <= set(self.attributes):
                raise InputError(f"{field}={list(names)}", f"the attributes are: {', '.join(self.attributes)}")
        for field in ("lambda_mask", "lambda_open"):
            if getattr(self, field) and not self.mask:
                raise InputError(f"{field}={getattr(self, field)} with mask=false", f"mask=true, or {field}=0")
        chosen = {name for slot in self.slots if slot.set.kind == "one_hot" for name in slot.set.attributes}
        hidden = sorted(chosen.intersection(name for names in self.hides.values() for name in names))
        if hidden:
            raise InputError(f"hides={hidden}", "attributes: of a one_hot set, one is always seen")

    def _check_discriminator(self) -> None:
        if self.discriminator == "projected" and self.adversarial != "hinge":
            raise InputError(
                f"discriminator=projected with adversarial={self.adversarial}",
                "adversarial=hinge: the penalties are for networks whose every layer is trained",
            )
        if self.classifier == "finetuned" and any(slot.set.kind == "one_hot" for slot in self.slots):
            raise InputError("classifier=finetuned with a one_hot set", "classifier=head")

    @property
    def generator_first(self) -> bool:
        """Whether the discriminator learns from the pictures that the generator has just been trained on, as
        FastGAN's does: that spares a pass, and leaves the paper's order where the paper's networks play."""
        return self.discriminator == "projected" and self.n_critic == 1 and len(self.slots) == 1

    @property
    def multiple(self) -> int:
        """Height and width of what the generator takes are multiples of this."""
        return (8 if self.conditioning == "film" else 4) * self.stem_stride

    @property
    def decisions(self) -> tuple[tuple[str, ...], ...]:
        """What a picture is decided on: each exclusive group, and each attribute of its own."""
        grouped = {name for group in self.groups for name in group}
        return (*self.groups, *((name,) for name in self.attributes if name not in grouped))

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Every label set's place in the condition vector; of a model without `sets`, the one set `real`."""
        one = LabelSet(name="real", attributes=self.attributes, kind=self.kind, centre_crop=self.centre_crop)
        return slots(self.sets or (one,))

    def slot_of(self, name: str) -> Slot:
        """The slot of the set that knows an attribute."""
        return next(slot for slot in self.slots if name in slot.set.attributes)

    @property
    def one_hot_places(self) -> tuple[tuple[int, int], ...]:
        """Where labels stand of which exactly one is on: (first, end) for each such set."""
        return tuple((s.here.start, s.here.stop) for s in self.slots if s.set.kind == "one_hot")

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

    def _check_sets(self) -> None:
        names = [s.name for s in self.sets]
        if len(set(names)) != len(names) or not all(NAME.fullmatch(name) for name in names):
            raise InputError(f"sets are named {names}", "a name of its own for each, of letters, digits, - and _")
        if self.attributes != tuple(name for s in self.sets for name in s.attributes):
            raise InputError(
                f"attributes={list(self.attributes)} beside sets", todo="name attributes in each of the sets only"
            )
        if self.kind != "attributes" or self.centre_crop is not None:
            raise InputError("kind or centre_crop beside sets", todo="set them in each of the sets")

    @classmethod
    def complete_values(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The attributes and the data of all sets, joined, where there are sets and nothing else is said."""
        sets = values.get("sets")
        if not sets or not isinstance(sets, list | tuple) or not all(_is_set(one) for one in sets):
            return values
        values.setdefault("attributes", [name for one in sets for name in one["attributes"]])
        train = values.get("train", {})
        if isinstance(train, Mapping) and not train.get("data") and all(one.get("data") for one in sets):
            values["train"] = {**train, "data": join_named({one["name"]: one["data"] for one in sets})}
        return values

    @classmethod
    def reduce_values(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Without the attributes of all sets, which each set names itself."""
        return {key: value for key, value in values.items() if key != "attributes" or not values.get("sets")}


def _is_set(one: Any) -> bool:
    """Whether plain values may be a label set's, as far as they are joined; the rest is the config's to check."""
    if not isinstance(one, Mapping) or not isinstance(one.get("attributes"), list | tuple):
        return False
    return isinstance(one.get("name"), str) and isinstance(one.get("data", ""), str)
