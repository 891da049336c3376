"""Joint StarGAN in small: two sets of drawn faces."""

from __future__ import annotations

import msgspec
import torch
from rich.console import Console

from edgegan import config
from edgegan.config import Training
from edgegan.families import Networks, stargan
from edgegan.families.stargan.config import Config
from edgegan.families.stargan.sets import LabelSet
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Reporter

HEAD, FACE = ("Black_Hair", "Blond_Hair", "Wearing_Hat"), ("Eyeglasses", "Smiling")
EXPRESSIONS = ("angry", "happy", "sad")


def joint(**changes: object) -> Config:
    """Two sets of drawn faces that share neither labels nor people."""
    sets = (
        LabelSet(name="head", data="avatars:12@1", attributes=HEAD),
        LabelSet(name="face", data="avatars:10@2", attributes=FACE),
    )
    kept = {"domain": "drawn faces", "train": Training(batch=4, images=64, sample_images=64, checkpoint_images=64)}
    small = {"size": 16, "conv_dim": 4, "blocks": 1, "d_conv_dim": 4, "d_layers": 3, "n_critic": 2, "flip": False}
    return config.build(Config, msgspec.to_builtins({**kept, **small, "sets": sets, **changes}))


def mix_sets() -> Config:
    """Attributes and expressions."""
    sets = (LabelSet(name="faces", attributes=FACE), LabelSet(name="moods", kind="one_hot", attributes=EXPRESSIONS))
    return joint(sets=sets)


def networks(cfg: Config) -> Networks:
    torch.manual_seed(0)
    return stargan.networks(cfg)


def train(run: Run, images: int, *, resume: bool = False) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    run.write_config()
    trainer = Trainer(run, torch.device("cpu"))
    if resume:
        trainer.restore(run.latest())
    with Reporter(run, images, trainer.images, Console(quiet=True)) as reporter:
        trainer.train(Budget(images), reporter)
