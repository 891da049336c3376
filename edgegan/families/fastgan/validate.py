"""How far generated pictures are from held-out ones, in a few seconds."""

from __future__ import annotations

import torch

from edgegan.data import Pictures, open_pictures
from edgegan.eval.swd import descriptors, swd
from edgegan.families import Networks
from edgegan.runtime.generate import latent
from edgegan.sheet import to_picture

from .config import Config
from .inference import Picture, ready
from .networks import Generator

PICTURES = 128  # of each kind; 128 patches of each picture and level
_AT_ONCE, _BN_LATENTS = 8, 128


def held_out(cfg: Config, data: str) -> dict[str, Pictures]:
    """The held-out pictures of a set."""
    return {"held-out": open_pictures(data, size=cfg.size, split="heldout")}


@torch.no_grad()
def validate(cfg: Config, nets: Networks, data: str) -> dict[str, float]:
    """The sliced Wasserstein distance (x 1000) on Laplacian pyramids, its mean over the levels first, lower is better.

    Between pictures of the latents of seed 0 and as many held-out ones, PICTURES at most, each level's patches
    normalised (Karras et al. 2018, section 5).
    """
    generator = nets["generator"]
    assert isinstance(generator, Generator)
    (pictures,) = held_out(cfg, data).values()
    count = min(len(pictures), PICTURES)
    draw = Picture(ready(cfg, generator, min(cfg.bn_latents, _BN_LATENTS)))
    vectors = torch.from_numpy(latent.draw(count, cfg.nz)).to(next(generator.parameters()).device)
    fakes = [to_picture(one.float().cpu()) for batch in torch.split(vectors, _AT_ONCE) for one in draw(batch)]
    levels = swd(descriptors([pictures.picture(i) for i in range(count)]), descriptors(fakes))
    return {"swd": sum(levels.values()) / len(levels), **{f"swd_{height}": value for height, value in levels.items()}}
