"""StarGAN: one generator for many domains (Choi et al., CVPR 2018)."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from edgegan.data import Counterfactual, Labelled, normalise
from edgegan.families import ExportSpec, Family, LabelPlaces, Networks, Phase
from edgegan.networks.projected import ProjectedDiscriminator
from edgegan.runtime.edit.labels import decide
from edgegan.sheet import Picture, Sheet, to_picture

from . import objective
from .classifier import AttributeClassifier, classifier_loss, make_optimiser
from .config import Config
from .distillation import DISTILLATION
from .export import condition
from .export import exportable as _exportable
from .film import FilmGenerator
from .labels import label_axis
from .networks import Discriminator, Generator, to_probabilities
from .objective import edit_targets
from .official import import_official
from .pictures import AllNames, open_first_set, streams
from .players import Players
from .validate import held_out, validate

TITLE = "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation"
EMA = ("generator",)

__all__ = [
    "EMA",
    "FAMILY",
    "TITLE",
    "Config",
    "edit_targets",
    "example_inputs",
    "exportable",
    "import_official",
    "networks",
    "phases",
    "preview",
    "streams",
    "tiny",
    "validate",
]


def networks(cfg: Config) -> Networks:
    """Generator, discriminator, and a classifier where it is apart, with PyTorch's defaults, as the original."""
    labels = len(cfg.attributes)
    nets: Networks = {}
    if cfg.conditioning == "film":
        nets["generator"] = FilmGenerator(
            cfg.label_width, cfg.conv_dim, cfg.blocks, cfg.mask, cfg.stem_stride, cfg.depthwise
        )
    else:
        nets["generator"] = Generator(
            cfg.label_width, cfg.conv_dim, cfg.blocks, cfg.stem_stride, cfg.mask, cfg.depthwise
        )
    if cfg.discriminator == "projected":
        nets["discriminator"] = ProjectedDiscriminator(labels, class_head=cfg.classifier == "head")
    else:
        nets["discriminator"] = Discriminator(cfg.size, labels, cfg.d_conv_dim, cfg.d_layers)
    if cfg.classifier == "finetuned":
        nets["classifier"] = AttributeClassifier(labels)
    return nets


def example_inputs(cfg: Config, network: str) -> tuple[Tensor, ...]:
    """A picture, and for the generator a label."""
    image = torch.linspace(-1, 1, 3 * cfg.size**2).view(1, 3, cfg.size, cfg.size)
    return (image, torch.zeros(1, cfg.label_width)) if network == "generator" else (image,)


def phases(cfg: Config, nets: Networks) -> tuple[Phase, ...]:
    """D every round, the generator every n_critic rounds; with hinge-r1, the penalty every r1_interval rounds.

    With several sets, all of these for each in turn, as the original; the optimisers are shared. A classifier that is
    fine-tuned has the first rounds to itself.
    """
    players = Players.of(nets)
    g, d, c = players.g, players.d, players.c
    betas = (cfg.beta1, cfg.beta2)
    d_adam = torch.optim.Adam(d.parameters(), cfg.d_lr, betas)
    g_adam = torch.optim.Adam(g.parameters(), cfg.g_lr, betas)
    found: list[Phase] = []
    first = 1
    if c is not None:
        alone = -(-cfg.classifier_images // cfg.train.batch)
        found.append(Phase("C", c, make_optimiser(c), partial(classifier_loss, c), last=alone))
        first = alone + 1
    for slot in cfg.slots:
        of = f"_{slot.set.name}" if slot.sets > 1 else ""
        d_loss, g_loss = (partial(loss, cfg, players, slot=slot) for loss in (objective.d_loss, objective.g_loss))
        second = cfg.adversarial == "wgan-gp"
        d_phase = Phase(f"D{of}", d, d_adam, d_loss, first=first, needs_second_order=second)
        g_phase = Phase(f"G{of}", g, g_adam, g_loss, cfg.n_critic, first=first)
        r1_phases = []
        if cfg.adversarial == "hinge-r1":
            assert isinstance(d, Discriminator)
            r1_loss = partial(objective.r1_loss, cfg, d, slot=slot)
            r1 = Phase(f"R1{of}", d, d_adam, r1_loss, cfg.r1_interval, first=first, needs_second_order=True)
            r1_phases = [r1]
        found += [g_phase, d_phase] if cfg.generator_first else [d_phase, *r1_phases, g_phase]
    return tuple(found)


def preview(cfg: Config, nets: Networks, data: str, count: int = 6) -> Sheet:
    """Held-out pictures edited to each attribute in turn; on avatars, the true answers stand below each row.

    With several sets the pictures are the first's, edited to the attributes of all.
    """
    players = Players.of(nets)
    g = players.g
    pictures = open_first_set(cfg, data)
    rows: list[list[Picture | None]] = []
    names: list[str] = []
    device = next(g.parameters()).device
    for i in range(min(count, len(pictures))):
        image = torch.from_numpy(normalise(pictures.picture(i))).to(device)
        targets = edit_targets(cfg, _own_label(cfg, players, pictures, i, image))
        labels = torch.stack([t for _, t in targets]).to(device)
        with torch.no_grad():
            fakes = g(image.expand(len(targets), -1, -1, -1), labels).float().cpu()
        rows.append([pictures.picture(i), *(to_picture(f) for f in fakes)])
        names.append("edited")
        if hasattr(pictures, "truth"):
            known: Counterfactual = pictures  # type: ignore[assignment]
            truths = [known.truth(i, name, bool(t[cfg.attributes.index(name)])) for name, t in targets]
            rows.append([None, *truths])
            names.append("truth")
    return Sheet(["input", *(_edit_caption(cfg, a) for a in cfg.attributes)], rows, names)


def exportable(cfg: Config, nets: Networks, data: str) -> tuple[ExportSpec, ...]:
    """The generator as `model`, and the class head, or the classifier apart, as `classifier`, if it is there."""
    note = "" if data else "verified on drawn faces, not on the training data"
    return _exportable(cfg, nets, partial(open_first_set, cfg, data), note)


def tiny() -> Config:
    """Two residual blocks at 16 px."""
    from edgegan.config import Training

    return Config(
        size=16,
        attributes=("Black_Hair", "Blond_Hair", "Eyeglasses", "Smiling"),
        conv_dim=4,
        blocks=1,
        d_conv_dim=4,
        d_layers=3,
        n_critic=2,
        flip=False,
        domain="drawn faces",
        train=Training(data="avatars:16", batch=4, images=64, sample_images=32, checkpoint_images=32),
    )


def _own_label(cfg: Config, players: Players, pictures: Labelled, index: int, image: Tensor) -> Tensor:
    """(C,) labels of a picture; what its data do not know, the class head says."""
    label = torch.from_numpy(pictures.label(index).copy())
    if isinstance(pictures, AllNames):
        with torch.no_grad():
            likely = to_probabilities(players.classify(image[None]), cfg.one_hot_places)[0].tolist()
        guessed = decide(condition(cfg), dict(zip(cfg.attributes, likely, strict=True)))
        for place, name in enumerate(cfg.attributes):
            if name not in pictures.known:
                label[place] = guessed[name]
    return label


def _edit_caption(cfg: Config, name: str) -> str:
    return name if any(name in group for group in cfg.groups) else f"± {name}"


FAMILY = Family(
    TITLE=TITLE,
    EMA=EMA,
    Config=Config,
    networks=networks,
    example_inputs=example_inputs,
    phases=phases,
    streams=streams,
    preview=preview,
    exportable=exportable,
    tiny=tiny,
    validate=validate,
    held_out=held_out,
    import_official=import_official,
    labels=LabelPlaces[Config](lambda cfg: cfg.attributes, label_axis),
    distillation=DISTILLATION,
)
