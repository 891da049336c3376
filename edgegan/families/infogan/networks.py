"""InfoGAN's networks: DCGAN's body with codes beside the noise, and Q on the discriminator's trunk."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgegan.networks.generation.dcgan import DcganDiscriminator, DcganGenerator
from edgegan.networks.generation.latents import follow_law

from .codes import read_codes
from .config import Config

_SLOPE = 0.1  # of Q's LeakyReLU (appendix C)


class Generator(nn.Module):
    """Noise (N, nz) of N(0, 1) and codes (N, code_width) -> pictures (N, 3, size, size) in [-1, 1]."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.law = cfg.latent
        self.body = DcganGenerator(cfg.size, cfg.nz + cfg.code_width, cfg.ngf)

    def forward(self, latent: Tensor, codes: Tensor) -> Tensor:
        """The pictures."""
        drawn: Tensor = self.body(torch.cat([follow_law(latent, self.law), codes], dim=1))
        return drawn


class Discriminator(nn.Module):
    """Pictures (N, 3, size, size) -> scores (N,), and estimates of their codes (N, code_width).

    Both heads share the trunk, so Q costs next to nothing (section 5).
    """

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.body = DcganDiscriminator(cfg.size, cfg.ndf)
        self.q = nn.Sequential(
            nn.Flatten(),
            nn.Linear(self.body.width, cfg.q_width, bias=False),
            nn.BatchNorm1d(cfg.q_width),
            nn.LeakyReLU(_SLOPE, inplace=True),
            nn.Linear(cfg.q_width, cfg.code_width),
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and estimates."""
        found = self.body.features(image)
        return self.body.score(found), self.q(found)

    def score(self, image: Tensor) -> Tensor:
        """The scores alone: Q sees no real picture."""
        scores: Tensor = self.body(image)
        return scores


class Reader(nn.Module):
    """Pictures (N, 3, size, size) in [-1, 1] -> their codes as the generator takes them (N, code_width)."""

    def __init__(self, cfg: Config, discriminator: Discriminator) -> None:
        super().__init__()
        self.cfg, self.discriminator = cfg, discriminator

    def forward(self, image: Tensor) -> Tensor:
        """The codes; see `read_codes`."""
        return read_codes(self.cfg, self.discriminator(image)[1])
