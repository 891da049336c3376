"""What a FastGAN exports: its generator, and a mixer that takes the style from a second latent."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgegan.families import ExportSpec, Tolerance
from edgegan.runtime.generate import latent
from edgegan.runtime.model.card import Condition, ModelCard, SizeRule, TensorSpec

from .config import Config
from .inference import Picture, ready
from .networks import Generator

_GOLDEN_SEED = 0x601D
_STYLE_SEED = 0x57E1
_CALIBRATION_SEED = 0xCA11B

# Measured against eager on 8 held-out latents, at full width and 256 x 256, with weights of some hundred L1 steps.
# fp32 differs by the order of sums alone: up to 1.3e-6, in OpenVINO 2.8e-6, at 140 dB and more; weights of longer
# training may amplify more, and 1e-3 is an eighth of a grey level. fp16 had 84 dB; 45 dB over [-1, 1] is 1.4 grey
# levels of 255 (root mean square). INT8 had 51 dB with 7 of 17 layers in float, which 38 dB on training latents took;
# 30 dB, 8 grey levels, tells a wrong file from a right one. --min-psnr asks for more.
TOLERANCES = {
    "fp32": Tolerance(max_abs=1e-3, others_max_abs=5e-3, min_psnr_db=75.0),
    "fp16": Tolerance(min_psnr_db=45.0),
    "int8": Tolerance(min_psnr_db=30.0),
}


def exportable(cfg: Config, generator: Generator) -> tuple[ExportSpec, ...]:
    """The specs of `model` and its helper `mixer`; the statistics are measured here, which takes its time."""
    picture = Picture(ready(cfg, generator)).cpu().eval()
    vector = TensorSpec(name="latent", dtype="float32", shape=(1, cfg.nz), layout="NC")
    style = TensorSpec(name="style", dtype="float32", shape=(1, cfg.nz), layout="NC")

    def spec(name: str, inputs: tuple[TensorSpec, ...]) -> ExportSpec:
        def draw_latents(seeds: dict[str, int], count: int) -> dict[str, NDArray[np.float32]]:
            return {tensor.name: latent.draw(count, cfg.nz, seeds[tensor.name]) for tensor in inputs}

        return ExportSpec(
            name=name,
            folder="",
            module=picture,
            card=_card(cfg, name, inputs),
            golden=partial(draw_latents, {"latent": _GOLDEN_SEED, "style": _STYLE_SEED}),
            calibration=partial(draw_latents, {"latent": _CALIBRATION_SEED, "style": _CALIBRATION_SEED + 1}),
            tolerances=TOLERANCES,
        )

    return spec("model", (vector,)), spec("mixer", (vector, style))


def _card(cfg: Config, name: str, inputs: tuple[TensorSpec, ...]) -> ModelCard:
    hw = (cfg.size, cfg.size)
    image = TensorSpec(
        name="image", dtype="float32", shape=(1, 3, *hw), layout="NCHW", colour="RGB", value_range=(-1.0, 1.0)
    )
    return ModelCard(
        name=f"fastgan-{cfg.size}" + ("" if name == "model" else f"-{name}"),
        family="fastgan",
        task="generate",
        domain=cfg.domain,
        condition=Condition(kind="latent"),
        noise=cfg.noise,
        companions={"mixer": "mixer.onnx"} if name == "model" else {},
        inputs=inputs,
        outputs=(image,),
        size=SizeRule(hw=hw),
        licence=cfg.licence,
    )
