"""DCGAN: pictures from noise by convolutions alone (Radford et al., ICLR 2016).

"Improved Techniques for Training GANs" (Salimans et al., NeurIPS 2016) are options of this family and not a family of
their own: each is a change to one term or one layer of the same two networks, so that a run with one of them differs
from a run without it in that alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from edgegan.data import Pictures, open_labelled
from edgegan.families import (
    Distillation,
    ExportSpec,
    Family,
    Loss,
    Networks,
    Phase,
    Step,
    Stream,
    _generation,
    _latent_generation,
)
from edgegan.networks.generation.dcgan import DcganDiscriminator, DcganGenerator
from edgegan.networks.generation.virtual_norm import VirtualBatchNorm, VirtualGenerator
from edgegan.runtime.generate import latent

from . import objective
from .classes import classifier_spec, measure_error, open_stream
from .config import Config
from .discriminator import ImprovedDiscriminator
from .history import History, as_vector
from .official import import_official

TITLE = "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks"
EMA = ("generator",)
_REFERENCE_SEED = 0x4EF  # of the latents that virtual batch norms refer to

__all__ = [
    "EMA",
    "FAMILY",
    "TITLE",
    "Config",
    "example_inputs",
    "exportable",
    "held_out",
    "import_official",
    "networks",
    "phases",
    "streams",
    "tiny",
    "validate",
]


def networks(cfg: Config) -> Networks:
    """The generator and the discriminator; weights N(0, 0.02), gains N(1, 0.02); and the means of past weights."""
    norm = partial(VirtualBatchNorm, reference=cfg.virtual_reference) if cfg.norm == "virtual" else nn.BatchNorm2d
    g: nn.Module = DcganGenerator(cfg.size, cfg.nz, cfg.ngf, cfg.body, cfg.latent, norm)
    if cfg.norm == "virtual":
        g = VirtualGenerator(g, torch.from_numpy(latent.draw(cfg.virtual_reference, cfg.nz, _REFERENCE_SEED)))
    body = DcganDiscriminator(cfg.size, cfg.ndf, cfg.body)
    d: nn.Module = body
    if cfg.improved:
        d = ImprovedDiscriminator(body, cfg.minibatch_kernels, cfg.minibatch_dims, len(cfg.classes))
    players: Networks = {"generator": g, "discriminator": d}
    pasts: Networks = {
        f"{name}_history": History(sum(p.numel() for p in player.parameters())) for name, player in players.items()
    }
    return {**players, **(pasts if cfg.historical_weight else {})}


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """Two latents (the batch norms of an MLP train on no fewer), a picture, or weights in a row."""
    if not network.endswith("_history"):
        return _latent_generation.example_inputs(cfg, network)
    history = networks(cfg)[network]
    assert isinstance(history, History)
    return (torch.zeros_like(history.mean),)


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """The generator, then the discriminator on the same fakes, every round."""
    g, d = nets["generator"], nets["discriminator"]
    assert isinstance(d, DcganDiscriminator | ImprovedDiscriminator)

    def player(name: str, network: nn.Module, rate: float, past: str, loss_fn: Callable[[Step], Loss]) -> Phase:
        betas = (cfg.beta1, cfg.beta2)
        adam = torch.optim.Adam(network.parameters(), rate, betas, weight_decay=cfg.weight_decay)
        history = nets.get(past)
        if not isinstance(history, History):
            return Phase(name, network, adam, loss_fn)
        return Phase(
            name,
            network,
            adam,
            lambda s: objective.with_history(loss_fn(s), cfg.historical_weight, history, as_vector(network)),
            after_step=lambda parts: history.add(as_vector(network)),
        )

    return (
        player("G", g, cfg.g_lr, "generator_history", lambda s: objective.g_loss(cfg, g, d, s)),
        player("D", d, cfg.d_lr, "discriminator_history", lambda s: objective.d_loss(cfg, d, s)),
    )


def streams(cfg: Config, data: str) -> dict[str, Stream]:
    """The training pictures, whole; a second time for the features to match; and those whose class is known."""
    found = _generation.picture_streams(cfg, data)
    if cfg.generator_loss == "feature_matching":
        found["matched"] = _generation.picture_streams(cfg, data)["real"]
    return {**found, **open_stream(cfg, data)}


def held_out(cfg: Config, data: str) -> dict[str, Pictures]:
    """The held-out pictures, with classes also the labels by which these are read rightly or wrongly."""
    if not cfg.classes:
        return _generation.held_out(cfg, data)
    return {"held-out": open_labelled(data, size=cfg.size, names=cfg.classes, split="heldout")}


def validate(cfg: Config, nets: Networks, data: str) -> dict[str, float]:
    """The sliced Wasserstein distance to held-out pictures, and with classes the share of these read wrongly."""
    figures, d = _latent_generation.validate(cfg, nets, data), nets.get("discriminator")
    if cfg.classes and isinstance(d, ImprovedDiscriminator):
        figures["class_error"] = measure_error(cfg, d, data)
    return figures


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`, whose golden inputs need no pictures; with classes, D as `classifier`."""
    d = nets.get("discriminator")
    if not cfg.classes or not isinstance(d, ImprovedDiscriminator):
        return _latent_generation.export("dcgan", cfg, nets)
    draw = _latent_generation.ready(cfg, nets, cfg.bn_latents).cpu()
    exported = _generation.Exported("dcgan", draw, companions={"classifier": "classifier.onnx"})
    return _generation.picture_spec(cfg, exported), classifier_spec(cfg, d, data)


def tiny() -> Config:
    """Narrow networks at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        nz=8,
        ngf=8,
        ndf=8,
        body="4x4",
        bn_latents=32,
        domain="drawn faces",
        train=Training(data="avatars:16", batch=4, images=64, sample_images=32, checkpoint_images=32),
    )


FAMILY = Family(
    TITLE=TITLE,
    EMA=EMA,
    Config=Config,
    networks=networks,
    example_inputs=example_inputs,
    phases=phases,
    streams=streams,
    held_out=held_out,
    preview=_latent_generation.preview,
    exportable=exportable,
    tiny=tiny,
    validate=validate,
    import_official=import_official,
    distillation=Distillation[Config](
        partial(_generation.student_widths, norm="batch"), _generation.draw_latents, "ngf"
    ),
)
