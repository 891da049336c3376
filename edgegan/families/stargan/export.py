"""What a StarGAN exports: its generator, and its class head, which tells a camera face's own labels."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from edgegan.data import Labelled, normalise
from edgegan.families import ExportSpec, Networks, Tolerance
from edgegan.networks.projected import ProjectedDiscriminator
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.condition import Condition

from . import objective
from .config import Config
from .networks import Classifier

Arrays = dict[str, NDArray[np.float32]]

# Measured against eager on held-out faces with every edit, worst of 64 to 512, at full width and for the narrow model
# that ships. fp32 differs by the order of sums alone: up to 2.4e-5 at full width, 8e-5 on one pixel of the narrow
# model; in OpenVINO, which sums in another order again, 6.7e-5 and 3.9e-4, at 102 dB and more. 1e-3 is an eighth of a
# grey level. fp16 had 70 dB and more; 45 dB over [-1, 1] is 1.4 grey levels of 255 (root mean square). With all layers
# in INT8, full width had 49 dB and the narrow model 51 dB, and a file that OpenVINO computes wrongly 17 dB; 35 dB, 4.5
# grey levels, parts them, and leaves room for weights that bear INT8 worse. --min-psnr asks for more.
MODEL_TOLERANCES = {
    "fp32": Tolerance(max_abs=1e-4, others_max_abs=1e-3, min_psnr_db=80.0),
    "fp16": Tolerance(min_psnr_db=45.0),
    "int8": Tolerance(min_psnr_db=35.0),
}
# Probabilities: up to 7e-7 was measured in fp32 over 64 held-out faces. A bound moves no decision but those within it
# of one half. Export makes a helper in fp32 alone: the others were chosen, not measured.
CLASSIFIER_TOLERANCES = {
    "fp32": Tolerance(max_abs=1e-4),
    "fp16": Tolerance(max_abs=2e-2),
    "int8": Tolerance(max_abs=1e-1),
}


def exportable(
    cfg: Config,
    nets: Networks,
    pictures: Callable[[str], Labelled],
    note: str = "",
) -> tuple[ExportSpec, ...]:
    """The specs of `model` and, where there is a class head or a classifier, of `classifier`.

    `pictures` opens a split: the golden pairs are held out, INT8 is calibrated on training pictures.
    """
    head_net = class_network(nets)
    image = TensorSpec(
        name="image",
        dtype="float32",
        shape=(1, 3, cfg.size, cfg.size),
        layout="NCHW",
        colour="RGB",
        value_range=(-1.0, 1.0),
    )
    edited = msgspec.structs.replace(image, name="edited")  # ONNX wants names that differ from the inputs

    def label(width: int) -> TensorSpec:
        return TensorSpec(name="label", dtype="float32", shape=(1, width), layout="NC", value_range=(0.0, 1.0))

    def card(task: str, inputs: tuple[TensorSpec, ...], output: TensorSpec) -> ModelCard:
        return ModelCard(
            name=f"stargan-{cfg.size}" + ("-classifier" if task == "classify" else ""),
            family="stargan",
            task="classify" if task == "classify" else "translate",
            domain=cfg.domain,
            condition=condition(cfg, masked=task == "translate"),
            faces=cfg.faces,
            alignment=cfg.alignment,
            companions={} if task == "classify" or head_net is None else {"classifier": "classifier.onnx"},
            inputs=inputs,
            outputs=(output,),
            size=SizeRule(hw=(cfg.size, cfg.size)),
            licence=cfg.licence,
            limits=cfg.limits,
        )

    def golden_edits(count: int) -> Arrays:
        return _edits(cfg, pictures("heldout"), count)

    def golden_faces(count: int) -> Arrays:
        faces = pictures("heldout")
        return {"image": np.stack([normalise(faces.picture(i)) for i in range(min(count, len(faces)))])}

    model = ExportSpec(
        name="model",
        folder="",
        module=_freeze(nets["generator"]),
        card=card("translate", (image, label(cfg.label_width)), edited),
        golden=golden_edits,
        calibration=lambda count: _edits(cfg, pictures("train"), count),
        tolerances=MODEL_TOLERANCES,
        dynamic_multiple=cfg.multiple,
        keep_fp32=("InstanceNormalization",),
        note=note,
    )
    if head_net is None:
        return (model,)
    head = ExportSpec(
        name="classifier",
        folder="",
        module=_freeze(Classifier(head_net, cfg.one_hot_places)),
        card=card("classify", (image,), label(len(cfg.attributes))),
        golden=golden_faces,
        tolerances=CLASSIFIER_TOLERANCES,
    )
    return model, head


def condition(cfg: Config, *, masked: bool = False) -> Condition:
    """What the card says of the labels; `masked`: with the mask that tells the generator which set is meant."""
    sets = tuple(s.attributes for s in cfg.sets) if masked and len(cfg.sets) > 1 else ()
    return Condition(
        kind="one_hot" if len(cfg.slots) == 1 and cfg.slots[0].set.kind == "one_hot" else "binary",
        names=cfg.attributes,
        groups=cfg.groups,
        mask_slots=len(sets),
        sets=sets,
        default=_default_label(cfg),
        # A guide shows one change as it is, and what was never shown together may leave one of them out.
        one_at_a_time=masked and cfg.targets == "single" and cfg.lambda_guide > 0,
    )


def class_network(nets: Networks) -> nn.Module | None:
    """What gives class logits: a classifier of its own, else the discriminator's head."""
    discriminator = nets.get("discriminator")
    if "classifier" in nets:
        return nets["classifier"]
    return discriminator.class_network() if isinstance(discriminator, ProjectedDiscriminator) else discriminator


def _edits(cfg: Config, pictures: Labelled, count: int) -> Arrays:
    """`count` pictures, each with every attribute's single edit: N = count * attributes."""
    images, labels = [], []
    for i in range(min(count, len(pictures))):
        for _, target in objective.edit_targets(cfg, torch.from_numpy(pictures.label(i).copy())):
            images.append(normalise(pictures.picture(i)))
            labels.append(target.numpy())
    return {"image": np.stack(images), "label": np.stack(labels)}


def _default_label(cfg: Config) -> tuple[float, ...]:
    """All off, but the first of each exclusive group on: a vector that training has seen."""
    first = {group[0] for group in cfg.groups}
    return tuple(float(name in first) for name in cfg.attributes)


def _freeze(module: nn.Module) -> nn.Module:
    return module.eval().requires_grad_(False).float()
