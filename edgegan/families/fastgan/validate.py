"""How far generated pictures are from held-out ones, in a few seconds."""

from __future__ import annotations

from edgegan.families import Networks, _generation
from edgegan.runtime.generate import latent

from .config import Config
from .inference import Picture, ready
from .networks import Generator


def validate(cfg: Config, nets: Networks, data: str) -> dict[str, float]:
    """The sliced Wasserstein distance between pictures of the latents of seed 0 and as many held-out ones."""
    generator = nets["generator"]
    assert isinstance(generator, Generator)
    draw = Picture(ready(cfg, generator, min(cfg.bn_latents, _generation.PREVIEW_LATENTS)))
    device = next(generator.parameters()).device
    return _generation.swd_figures(
        cfg, lambda count: _generation.to_pictures(draw, latent.draw(count, cfg.nz), device=device), data
    )
