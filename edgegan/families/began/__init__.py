"""BEGAN: an autoencoder for a discriminator, in a balance that is controlled (Berthelot et al. 2017)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from edgegan.data import normalise, open_pictures
from edgegan.families import ExportSpec, Family, Networks, Phase, Stage
from edgegan.families import _generation as generation
from edgegan.networks.generation.host_values import set_value
from edgegan.runtime.generate import latent
from edgegan.sheet import Sheet, to_picture

from . import objective
from .config import Config
from .networks import Autoencoder, Balance, Carried, Generator

TITLE = "BEGAN: Boundary Equilibrium Generative Adversarial Networks"
EMA = ("generator",)

__all__ = ["EMA", "FAMILY", "TITLE", "Config"]

_HELD_OUT = 64  # real pictures whose reconstruction is measured


class Picture(nn.Module):
    """Latents (N, nz) -> pictures (N, 3, size, size), clipped to [-1, 1]: nothing bounds what the generator draws."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.carry = float(generator.carry)
        self.generator = copy.deepcopy(generator).float().eval().requires_grad_(False)

    def forward(self, latent: Tensor) -> Tensor:
        """The picture."""
        return self.generator.draw(latent, self.carry).clamp(-1, 1)


def networks(cfg: Config) -> Networks:
    """The generator, the autoencoder, and what balances them."""
    return {
        "generator": Generator(cfg),
        "autoencoder": Autoencoder(cfg),
        "balance": Balance(cfg.gamma, cfg.k_rate),
    }


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """A latent; a picture; two losses."""
    if network == "generator":
        return (torch.from_numpy(latent.draw(1, cfg.nz)),)
    if network == "balance":
        return torch.tensor(0.5), torch.tensor(0.25)
    return (torch.linspace(-1, 1, 3 * cfg.size**2).view(1, 3, cfg.size, cfg.size),)


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """The autoencoder, then the generator; after both, k moves by what they lost."""
    g, d, balance = _check_networks(nets)
    betas = (cfg.beta1, cfg.beta2)

    def remember(parts: dict[str, Tensor]) -> None:
        balance.real.copy_(parts["real"])

    def control(parts: dict[str, Tensor]) -> None:
        balance(balance.real, parts["adv"])

    return (
        Phase(
            "D",
            d,
            torch.optim.Adam(d.parameters(), cfg.lr, betas),
            lambda s: objective.d_loss(cfg.nz, g, d, balance, s),
            after_step=remember,
        ),
        Phase(
            "G",
            g,
            torch.optim.Adam(g.parameters(), cfg.lr, betas),
            lambda s: objective.g_loss(cfg.nz, g, d, balance, s),
            after_step=control,
        ),
    )


def stage(cfg: Config, images: int) -> Stage:
    """One stage, in which the learning rate halves now and then."""
    halvings = images // cfg.halve_images if cfg.halve_images else 0
    return Stage("", cfg.train.batch, max(0.5**halvings, cfg.least_rate))


def advance(cfg: Config, nets: Networks, images: int) -> None:
    """Residuals vanish: their share falls from 1 to 0."""
    carry = max(0.0, 1.0 - images / cfg.residual_images) if cfg.residual_images else 0.0
    for net in nets.values():
        for part in net.modules():
            if isinstance(part, Carried):
                set_value(part, "carry", carry)


def preview(cfg: Config, nets: Networks, data: str) -> Sheet:
    """Pictures of fixed latents above held-out ones, and these as the autoencoder remembers them."""
    g, d, _ = _check_networks(nets)
    device = g.carry.device
    sheet = generation.preview_sheet(cfg, Picture(g), device, data)
    real = [picture for picture in sheet.rows[-1] if picture is not None]
    with torch.no_grad():
        images = torch.stack([torch.from_numpy(normalise(picture)) for picture in real]).to(device)
        remembered = [to_picture(one) for one in d(images).float().cpu()]
    return Sheet(sheet.columns, [*sheet.rows, remembered], [*sheet.row_names, "remembered"])


def validate(cfg: Config, nets: Networks, data: str) -> dict[str, float]:
    """The convergence measure M on held-out pictures and fixed latents first, lower is better; then the distances."""
    g, d, _ = _check_networks(nets)
    device, picture = g.carry.device, Picture(g)
    pictures = open_pictures(data, size=cfg.size, split="heldout")
    count = min(len(pictures), _HELD_OUT)
    images = torch.stack([torch.from_numpy(normalise(pictures.picture(i))) for i in range(count)]).to(device)
    real = float(objective.reconstruction(d, images))
    fake = float(objective.reconstruction(d, picture(torch.from_numpy(latent.draw(count, cfg.nz)).to(device))))
    distances = generation.swd_figures(
        cfg, lambda count: generation.to_pictures(picture, latent.draw(count, cfg.nz), device=device), data
    )
    return {"convergence": real + abs(cfg.gamma * real - fake), "real": real, "fake": fake, **distances}


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`."""
    del data
    g = nets["generator"]
    assert isinstance(g, Generator)
    return (generation.picture_spec(cfg, generation.Exported("began", Picture(g).cpu().eval())),)


def tiny() -> Config:
    """Narrow networks at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        nz=8,
        filters=4,
        residual_images=48,
        halve_images=24,
        domain="drawn faces",
        train=Training(data="avatars:16", batch=4, images=64, sample_images=32, checkpoint_images=32),
    )


def _check_networks(nets: Networks) -> tuple[Generator, Autoencoder, Balance]:
    g, d, balance = nets["generator"], nets["autoencoder"], nets["balance"]
    assert isinstance(g, Generator) and isinstance(d, Autoencoder) and isinstance(balance, Balance)
    return g, d, balance


FAMILY = Family(
    TITLE=TITLE,
    EMA=EMA,
    Config=Config,
    networks=networks,
    example_inputs=example_inputs,
    phases=phases,
    streams=generation.picture_streams,
    held_out=generation.held_out,
    preview=preview,
    exportable=exportable,
    tiny=tiny,
    stage=stage,
    advance=advance,
    validate=validate,
)
