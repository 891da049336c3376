"""A trained generator made ready to run: its pictures depend on the latent alone.

In training mode, in which the original samples, a picture depends on its batch, and every call changes the network. In
eval mode the stored batch statistics are those of the live weights, not of the average. So they are measured anew, on
the averaged weights, with the noise that will be used.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.spectral_norm import SpectralNorm, remove_spectral_norm

from edgegan.families import _generation
from edgegan.runtime.generate import latent as latents_of

from .config import Config, parse_noise
from .layers import FixedNoise, Noise
from .networks import Generator


class Picture(nn.Module):
    """Latents (N, nz), and for a mixer those of the style -> pictures (N, 3, size, size), clipped to [-1, 1]."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, latent: Tensor, style: Tensor | None = None) -> Tensor:
        """The picture. Clipped, not squashed: below 1024 px nothing bounds it, and a tanh would fade it."""
        big: Tensor = self.generator(latent, style)[0]
        return big.clamp(-1, 1)


def ready(cfg: Config, generator: Generator, bn_latents: int | None = None) -> Generator:
    """A copy of the generator in eval mode: spectral norm folded, noise fixed, statistics measured.

    `bn_latents` overrides the config's number of latents that the statistics are measured on.
    """
    with torch.random.fork_rng(devices=()):  # looking at a network must not change how its training goes on
        copied = Generator(cfg.size, cfg.nz, cfg.ngf, cfg.small)
    copied.load_state_dict(generator.state_dict())
    copied.to(next(generator.parameters()).device).float().eval()
    fold(copied)
    fix_noise(copied, cfg.noise)
    copied.requires_grad_(False)
    if cfg.bn == "recalibrate":
        drawn = torch.from_numpy(_generation.statistics_latents(bn_latents or cfg.bn_latents, cfg.nz))
        _generation.measure(copied, (drawn,), cfg.size)
    return copied


def fold(network: nn.Module) -> None:
    """Replaces each spectral-normalised weight by its quotient weight_orig / (u . W v): exact in eval mode."""
    for layer in network.modules():
        if any(isinstance(hook, SpectralNorm) for hook in layer._forward_pre_hooks.values()):
            remove_spectral_norm(layer)


@torch.no_grad()
def fix_noise(generator: Generator, noise: str) -> None:
    """Replaces the noise injections by nothing, or by maps drawn from the seed, multiplied by their weights."""
    seed = parse_noise(noise)
    found = [(name, layer) for name, layer in generator.named_modules() if isinstance(layer, Noise)]
    for number, (name, layer) in enumerate(found):
        fixed: nn.Module = nn.Identity()
        parent, _, last = name.rpartition(".")
        if seed is not None:
            edge = int(parent.removeprefix("feat_"))
            drawn = torch.from_numpy(latents_of.draw(1, edge * edge, seed, first=number)).view(1, 1, edge, edge)
            fixed = FixedNoise(layer.weight * drawn.to(layer.weight.device))
        generator.get_submodule(parent).register_module(last, fixed)
