"""Which pictures and labels a StarGAN sees: one set or several for training, and held-out ones to edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegan.data import Labelled, LabelledStream, Picture, open_labelled
from edgegan.data._faces.stream import FaceStream
from edgegan.data._files.named import split_named
from edgegan.data.faces import FacePictures
from edgegan.families import Stream
from edgegan.runtime.drawn import avatars
from edgegan.runtime.errors import InputError

from .config import Config
from .sets import LabelSet


def streams(cfg: Config, data: str) -> dict[str, Stream]:
    """The training pictures of every set, each with the labels that it knows."""
    defaults = {s.name: s.data for s in cfg.sets}
    specs = split_named(data, defaults, needed=defaults) if cfg.sets else {"real": data}
    found: dict[str, Stream] = {}
    for slot in cfg.slots:
        own = slot.set
        balance = [d for d in cfg.decisions if set(d) & set(cfg.balance) & set(own.attributes)]
        pictures = _open(cfg, own, specs[own.name], "train")
        if isinstance(pictures, FacePictures):
            found[own.name] = FaceStream(
                pictures,
                size=cfg.size,
                augmentation=cfg.augmentation,
                flip=cfg.flip,
                balance=balance,
                cap=cfg.balance_cap,
            )
        else:
            found[own.name] = LabelledStream(pictures, flip=cfg.flip, balance=balance, cap=cfg.balance_cap)
    return found


def open_first_set(cfg: Config, data: str, split: str = "heldout") -> Labelled:
    """Pictures of the first set with a label for every attribute; of those it does not know, zeros.

    With empty `data`, drawn faces. A SPEC that names no set serves too: only one set is opened.
    """
    if not data:
        known = tuple(name for name in cfg.attributes if name in avatars.ATTRIBUTES)
        return AllNames(open_labelled("avatars", size=cfg.size, names=known, split=split), cfg)
    first = cfg.slots[0].set
    if not cfg.sets:
        return _open(cfg, first, data, split)
    defaults = {s.name: s.data for s in cfg.sets}
    named = any(data.startswith(f"{name}=") for name in defaults)
    spec = split_named(data, defaults, needed=[first.name])[first.name] if named else data
    try:
        # Drawn faces know the labels of all sets, and so their true answers.
        every = LabelSet(name=first.name, attributes=cfg.attributes, centre_crop=first.centre_crop)
        return _open(cfg, every, spec, split)
    except InputError:
        return AllNames(_open(cfg, first, spec, split), cfg)


class AllNames:
    """Pictures with a label for every attribute of a model; what their data do not know (not in `known`) is off."""

    def __init__(self, pictures: Labelled, cfg: Config) -> None:
        self.names, self.groups = cfg.attributes, cfg.groups
        self.name, self.known = pictures.name, tuple(name for name in pictures.names if name in cfg.attributes)
        self._pictures = pictures
        self._places = [self.names.index(name) for name in self.known]
        self._theirs = [pictures.names.index(name) for name in self.known]

    def __len__(self) -> int:
        return len(self._pictures)

    def picture(self, index: int) -> Picture:
        """Picture `index`."""
        return self._pictures.picture(index)

    def sources(self) -> Mapping[str, Sequence[Path]]:
        """Those of the pictures."""
        return self._pictures.sources()

    def label(self, index: int) -> NDArray[np.float32]:
        """Its labels, in the model's order."""
        label = np.zeros(len(self.names), np.float32)
        label[self._places] = self._pictures.label(index)[self._theirs]
        return label


def _open(cfg: Config, own: LabelSet, spec: str, split: str) -> Labelled:
    pictures = open_labelled(spec, size=cfg.size, names=own.attributes, split=split, centre_crop=own.centre_crop)
    one_hot = pictures.groups == (pictures.names,)
    if own.kind == "one_hot" and not one_hot:
        raise InputError(
            f"{pictures.name}: of {', '.join(own.attributes)}, any number may be on",
            "kind = one_hot: exactly one",
            "set kind = attributes",
        )
    if own.kind == "attributes" and one_hot and pictures.names not in cfg.groups:
        raise InputError(
            f"{pictures.name}: of {', '.join(own.attributes)}, exactly one is on",
            "kind = attributes: any number",
            "set kind = one_hot",
        )
    return pictures
