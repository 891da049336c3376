"""What an InfoGAN exports: its generator with the codes as an input, and Q, which reads a picture's codes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from edgegan.families import ExportSpec, Tolerance, _generation
from edgegan.networks.generation.batch_statistics import measure_statistics
from edgegan.runtime.generate import conditions, latent
from edgegan.runtime.model.card import ModelCard, SizeRule

from .codes import condition
from .config import Config
from .networks import Discriminator, Reader

# Probabilities and means are of the order of 1. fp32 differs by the order of sums alone, fp16 by some 1e-3.
_CODE_TOLERANCES = {
    "fp32": Tolerance(max_abs=1e-3, others_max_abs=5e-3),
    "fp16": Tolerance(max_abs=5e-2),
    "int8": Tolerance(max_abs=2e-1),
}


def exportable(cfg: Config, draw: nn.Module, discriminator: nn.Module | None) -> tuple[ExportSpec, ...]:
    """The specs of `model` and, where there is a discriminator, of its helper `codes`.

    Args:
        draw: the averaged generator, made ready; moved to the CPU.
        discriminator: its norms are measured anew on pictures of that generator, which are what Q has learned to read.
    """
    told = condition(cfg)
    draw = draw.cpu()

    def rows(count: int, seed: int) -> NDArray[np.float32]:
        return conditions.draw(told, count, seed)

    codes = _generation.Input("codes", cfg.code_width, rows, (-1.0, 1.0))
    companions = {"codes": "codes.onnx"} if discriminator is not None else {}
    exported = _generation.Exported("infogan", draw, condition=told, others=(codes,), companions=companions)
    model = _generation.picture_spec(cfg, exported)
    if discriminator is None:
        return (model,)

    @torch.no_grad()
    def pictures(count: int, seed: int) -> torch.Tensor:
        made: torch.Tensor = draw(
            torch.from_numpy(latent.draw(count, cfg.nz, seed)), torch.from_numpy(rows(count, seed))
        )
        return made

    reader = Reader(cfg, _read_only(discriminator)).eval()
    measure_statistics(reader, (pictures(min(cfg.bn_latents, 512), _generation.CALIBRATION_SEED),), 64)
    image = model.card.outputs[0]
    card = ModelCard(
        name=f"infogan-{cfg.size}-codes",
        family="infogan",
        task="classify",
        domain=cfg.domain,
        condition=told,
        inputs=(image,),
        outputs=(_generation.vector_spec("codes", cfg.code_width),),
        size=SizeRule(hw=(cfg.size, cfg.size)),
        licence=cfg.licence,
    )
    return model, ExportSpec(
        name="codes",
        folder="",
        module=reader,
        card=card,
        golden=lambda count: {"image": pictures(count, _generation.GOLDEN_SEED).numpy()},
        tolerances=_CODE_TOLERANCES,
    )


def _read_only(discriminator: nn.Module) -> Discriminator:
    copied = _generation.ready(discriminator, lambda count: (), bn="keep", count=0, size=1)
    assert isinstance(copied, Discriminator)
    return copied.cpu()
