"""What a FastGAN exports: its generator, and a mixer that takes the style from a second latent."""

from __future__ import annotations

from edgegan.families import ExportSpec
from edgegan.families._generation import Exported, Input, picture_spec
from edgegan.runtime.generate import latent

from .config import Config
from .inference import Picture, ready
from .networks import Generator


def exportable(cfg: Config, generator: Generator) -> tuple[ExportSpec, ...]:
    """The specs of `model` and its helper `mixer`; the statistics are measured here, which takes its time."""
    picture = Picture(ready(cfg, generator)).cpu().eval()
    # Another seed than the latent's: mixed with itself, a picture is the plain one.
    style = Input("style", cfg.nz, lambda count, seed: latent.draw(count, cfg.nz, seed + 1))
    model = Exported("fastgan", picture, noise=cfg.noise, companions={"mixer": "mixer.onnx"})
    mixer = Exported("fastgan", picture, name="mixer", noise=cfg.noise, others=(style,))
    return picture_spec(cfg, model), picture_spec(cfg, mixer)
