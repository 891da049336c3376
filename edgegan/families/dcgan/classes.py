"""Semi-supervised classification: the few labelled pictures, and the classifier that the discriminator has become."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from edgegan.data import LabelledStream, normalise, open_labelled, open_pictures
from edgegan.data._files.subsets import LabelledSubset
from edgegan.families import ExportSpec, Stream, Tolerance, _generation
from edgegan.networks.generation.batch_statistics import measure_statistics
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.condition import Condition

from .config import Config
from .discriminator import ImprovedDiscriminator

STAND_IN = "avatars:64"  # what needs no download
_TRAINING_PICTURES = 256  # that the norms are measured on
_TOLERANCES = {"fp32": Tolerance(max_abs=1e-3, others_max_abs=5e-3), "fp16": Tolerance(max_abs=5e-2)}


def open_stream(cfg: Config, data: str) -> dict[str, Stream]:
    """The stream of labelled pictures, where there are classes: the first `labelled` of the set, each of one class.

    Raises InputError for a picture of no class or of several.
    """
    if not cfg.classes:
        return {}
    pictures = open_labelled(data, size=cfg.size, names=cfg.classes, split="train")
    few = LabelledSubset(pictures, range(min(cfg.labelled, len(pictures))))
    wrong = [i for i in range(len(few)) if few.label(i).sum() != 1]
    if wrong:
        raise InputError(
            f"{pictures.name}: picture {wrong[0]} has {int(few.label(wrong[0]).sum())} of the classes "
            f"{', '.join(cfg.classes)}",
            "exactly one for each picture",
        )
    return {"labelled": LabelledStream(few, flip=cfg.flip)}


class Classifier(nn.Module):
    """Pictures (N, 3, size, size) in [-1, 1] -> the probabilities of the classes (N, K), given that they are real."""

    def __init__(self, discriminator: ImprovedDiscriminator) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, image: Tensor) -> Tensor:
        """The probabilities."""
        return self.discriminator.logits(self.discriminator.features(image)).softmax(1)


def classifier(cfg: Config, discriminator: ImprovedDiscriminator, data: str) -> Classifier:
    """The discriminator as a classifier on the CPU, its norms measured on training pictures alone.

    In training they have seen generated pictures as well.
    """
    ready = _generation.ready(discriminator, lambda count: (), bn="keep", count=0, size=1).cpu()
    assert isinstance(ready, ImprovedDiscriminator)
    found = Classifier(ready).eval()
    measure_statistics(found, (_pictures(cfg, data, "train", _TRAINING_PICTURES),), 64)
    return found


@torch.no_grad()
def measure_error(cfg: Config, discriminator: ImprovedDiscriminator, data: str) -> float:
    """The share of held-out pictures whose class is read wrongly."""
    pictures = open_labelled(data, size=cfg.size, names=cfg.classes, split="heldout")
    images = torch.from_numpy(np.stack([normalise(pictures.picture(i)) for i in range(len(pictures))]))
    answers = classifier(cfg, discriminator, data)(images).argmax(1)
    truth = torch.tensor([int(pictures.label(i).argmax()) for i in range(len(pictures))])
    return float((answers != truth).float().mean())


def classifier_spec(cfg: Config, discriminator: ImprovedDiscriminator, data: str) -> ExportSpec:
    """The classifier as an artefact."""
    hw = (cfg.size, cfg.size)
    image = TensorSpec(
        name="image", dtype="float32", shape=(1, 3, *hw), layout="NCHW", colour="RGB", value_range=(-1.0, 1.0)
    )
    return ExportSpec(
        name="classifier",
        folder="",
        module=classifier(cfg, discriminator, data or STAND_IN),
        card=ModelCard(
            name=f"dcgan-{cfg.size}-classifier",
            family="dcgan",
            task="classify",
            domain=cfg.domain,
            condition=Condition(
                kind="one_hot",
                names=cfg.classes,
                groups=(cfg.classes,),
                default=tuple(float(not number) for number in range(len(cfg.classes))),
            ),
            inputs=(image,),
            outputs=(_generation.vector_spec("label", len(cfg.classes), (0.0, 1.0)),),
            size=SizeRule(hw=hw),
            licence=cfg.licence,
        ),
        golden=lambda count: {"image": _pictures(cfg, data or STAND_IN, "heldout", count).numpy()},
        tolerances={**_TOLERANCES, "int8": Tolerance(max_abs=2e-1)},
        note="" if data else "the classifier is verified on drawn faces, not on the training data",
    )


def _pictures(cfg: Config, data: str, split: str, count: int) -> Tensor:
    pictures = open_pictures(data, size=cfg.size, split=split)
    return torch.from_numpy(np.stack([normalise(pictures.picture(i)) for i in range(min(count, len(pictures)))]))
