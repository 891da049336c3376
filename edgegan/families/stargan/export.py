"""What a StarGAN exports: its generator, and its class head, which tells a camera face's own labels."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from edgegan.data import Labelled, Picture, open_labelled
from edgegan.data._labelled import normalised
from edgegan.families import ExportSpec, Tolerance
from edgegan.runtime import avatars
from edgegan.runtime.card import Condition, ModelCard, SizeRule, TensorSpec

from . import objective
from .config import Config
from .networks import Classifier, Discriminator, Generator

Arrays = dict[str, NDArray[np.float32]]

# fp32 differs only by the order of sums: 3e-6 was measured at full width, so 1e-4 leaves room for other
# processors. OpenVINO sums in another order again: up to 2.4e-4 was measured over 512 edits, at 113 dB and more;
# 1e-3 is an eighth of a grey level. 45 dB over [-1, 1] is 1.4 grey levels of 255 (root mean square); fp16 measured
# 70 dB and more.
MODEL_TOLERANCES = {
    "fp32": Tolerance(max_abs=1e-4, others_max_abs=1e-3, min_psnr_db=80.0),
    "fp16": Tolerance(min_psnr_db=45.0),
    "int8": Tolerance(min_psnr_db=35.0),
}
# Probabilities: 0.02 moves no decision but those within 0.02 of one half.
CLASSIFIER_TOLERANCES = {
    "fp32": Tolerance(max_abs=1e-4),
    "fp16": Tolerance(max_abs=2e-2),
    "int8": Tolerance(max_abs=1e-1),
}


def exportable(
    cfg: Config, generator: Generator, discriminator: Discriminator, heldout: Callable[[], Labelled], note: str = ""
) -> tuple[ExportSpec, ...]:
    """The specs of `model` and `classifier`; `heldout` opens the pictures for the golden pairs."""
    labels = len(cfg.attributes)
    image = TensorSpec(
        name="image",
        dtype="float32",
        shape=(1, 3, cfg.size, cfg.size),
        layout="NCHW",
        colour="RGB",
        value_range=(-1.0, 1.0),
    )
    edited = msgspec.structs.replace(image, name="edited")  # ONNX wants names that differ from the inputs
    label = TensorSpec(name="label", dtype="float32", shape=(1, labels), layout="NC", value_range=(0.0, 1.0))
    condition = Condition(
        kind="binary", names=cfg.attributes, groups=cfg.groups, default=tuple(_default_label(cfg).values())
    )

    def card(task: str, inputs: tuple[TensorSpec, ...], output: TensorSpec) -> ModelCard:
        return ModelCard(
            name=f"stargan-{cfg.size}" + ("-classifier" if task == "classify" else ""),
            family="stargan",
            task="classify" if task == "classify" else "translate",
            domain=cfg.domain,
            condition=condition,
            faces=cfg.faces,
            alignment=cfg.alignment,
            companions={} if task == "classify" else {"classifier": "classifier.onnx"},
            inputs=inputs,
            outputs=(output,),
            size=SizeRule(hw=(cfg.size, cfg.size)),
            licence=cfg.licence,
        )

    def golden_edits(count: int) -> Arrays:
        return _golden(cfg, heldout(), count)

    def golden_faces(count: int) -> Arrays:
        pictures = heldout()
        return {"image": np.stack([normalised(pictures.picture(i)) for i in range(min(count, len(pictures)))])}

    return (
        ExportSpec(
            name="model",
            folder="",
            module=_frozen(generator),
            card=card("translate", (image, label), edited),
            golden=golden_edits,
            tolerances=MODEL_TOLERANCES,
            dynamic_multiple=4 * cfg.stem_stride,
            keep_fp32=("InstanceNormalization",),
            note=note,
        ),
        ExportSpec(
            name="classifier",
            folder="",
            module=_frozen(Classifier(discriminator)),
            card=card("classify", (image,), label),
            golden=golden_faces,
            tolerances=CLASSIFIER_TOLERANCES,
        ),
    )


class DrawnFaces:
    """Held-out drawn faces for a model of any attributes; what a drawing does not know is off."""

    def __init__(self, cfg: Config) -> None:
        self.names, self.groups = cfg.attributes, cfg.groups
        known = tuple(name for name in cfg.attributes if name in avatars.ATTRIBUTES)
        self._drawn = open_labelled("avatars", size=cfg.size, names=known, split="heldout")
        self.name = self._drawn.name
        self._places = {name: i for i, name in enumerate(self._drawn.names)}

    def __len__(self) -> int:
        return len(self._drawn)

    def picture(self, index: int) -> Picture:
        """Picture `index`."""
        return self._drawn.picture(index)

    def label(self, index: int) -> NDArray[np.float32]:
        """Its labels, in the model's order."""
        drawn = self._drawn.label(index)
        return np.array([drawn[self._places[n]] if n in self._places else 0.0 for n in self.names], np.float32)


def _golden(cfg: Config, pictures: Labelled, count: int) -> Arrays:
    """`count` held-out pictures, each with every attribute's single edit: N = count * attributes."""
    images, labels = [], []
    for i in range(min(count, len(pictures))):
        for name in cfg.attributes:
            target = torch.from_numpy(pictures.label(i).copy())
            objective.set_attribute(cfg, target, name, on=None)
            images.append(normalised(pictures.picture(i)))
            labels.append(target.numpy())
    return {"image": np.stack(images), "label": np.stack(labels)}


def _default_label(cfg: Config) -> dict[str, float]:
    """All off, but the first of each exclusive group on: a vector that training has seen."""
    first = {group[0] for group in cfg.groups}
    return {name: float(name in first) for name in cfg.attributes}


def _frozen(module: nn.Module) -> nn.Module:
    return module.eval().requires_grad_(False).float()
