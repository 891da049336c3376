"""How BEGAN's gamma moves variety: short runs that differ in nothing else.

    python benchmarks/claims/began_gamma.py --out benchmarks/results/began-gamma

Each run begins with the same weights and sees the same pictures. `variety` is the mean distance of two generated
pictures (root mean square over pixels, of 1 for the distance of black and white), and `of the real` its share of that
of held-out pictures. `sharpness` is the mean magnitude of a picture's Laplacian, likewise. k and M are the last ones.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from edgegan import config, families
from edgegan.data import open_pictures
from edgegan.families import _generation as generation
from edgegan.families.began import Picture as Drawn
from edgegan.families.began.networks import Generator
from edgegan.runtime.files import write_atomic
from edgegan.runtime.generate import latent
from edgegan.sheet import Picture, Sheet
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Silence

PICTURES, SHOWN = 128, 8


@dataclass(frozen=True)
class Figures:
    """What one gamma came to; see above."""

    gamma: float
    images: int
    variety: float
    variety_of_real: float
    sharpness_of_real: float
    k: float
    convergence: float


def variety(pictures: list[Picture]) -> float:
    """The mean distance of two pictures, in [0, 1]."""
    flat = np.stack(pictures).reshape(len(pictures), -1).astype(np.float64) / 255
    squares = (flat**2).mean(1)
    distances = np.maximum(squares[:, None] + squares - 2 * flat @ flat.T / flat.shape[1], 0) ** 0.5
    return float(distances[~np.eye(len(flat), dtype=bool)].mean())


def sharpness(pictures: list[Picture]) -> float:
    """The mean magnitude of their Laplacians, in grey levels."""
    return float(np.mean([np.abs(cv2.Laplacian(p.astype(np.float32), cv2.CV_32F)).mean() for p in pictures]))


def train(gamma: float, images: int, settings: list[str], real: list[Picture]) -> tuple[Figures, list[Picture]]:
    """One run, and pictures of fixed latents."""
    family = families.get("began")
    quiet = ["train.sample_images=0", "train.validate_images=0", "train.checkpoint_images=0"]
    cfg = config.load(family.Config, "began", "avatars-32", [*settings, f"gamma={gamma}", *quiet])
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(Run(Path(folder), "began", cfg, cfg.train.data), torch.device("cpu"))
        trainer.train(Budget(images), Silence())
    generator = trainer.ema["generator"]
    assert isinstance(generator, Generator)
    picture = Drawn(generator)
    made = generation.to_pictures(picture, latent.draw(PICTURES, cfg.nz), device=torch.device("cpu"))
    balance = trainer.nets["balance"].state_dict()
    figures = Figures(
        gamma,
        images,
        variety=round(variety(made), 4),
        variety_of_real=round(variety(made) / variety(real), 3),
        sharpness_of_real=round(sharpness(made) / sharpness(real), 3),
        k=round(float(balance["k"]), 4),
        convergence=round(float(balance["convergence"]), 4),
    )
    return figures, made[:SHOWN]


def main() -> None:
    """All runs, a sheet and a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="where to write OUT.png and OUT.json")
    parser.add_argument("--gamma", type=float, action="append", help="repeatable; default: 0.3, 0.5 and 0.7")
    parser.add_argument("--images", type=int, default=32_000, help="of each run")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the preset")
    options = parser.parse_args()
    cfg = config.load(families.get("began").Config, "began", "avatars-32", options.set)
    pictures = open_pictures(cfg.train.data, size=cfg.size, split="heldout")
    real = [pictures.picture(i) for i in range(min(PICTURES, len(pictures)))]
    found, rows = [], []
    for gamma in options.gamma or [0.3, 0.5, 0.7]:
        figures, made = train(gamma, options.images, options.set, real)
        print(json.dumps(asdict(figures)), flush=True)
        found.append(asdict(figures))
        rows.append(made)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    names = [*(f"gamma {figures['gamma']}" for figures in found), "held out"]
    Sheet([""] * SHOWN, [*rows, real[:SHOWN]], names).save(options.out.with_suffix(".png"))
    command = shlex.join(["python", "benchmarks/claims/began_gamma.py", *sys.argv[1:]])
    document = {"command": command, "settings": options.set, "runs": found}
    write_atomic(options.out.with_suffix(".json"), (json.dumps(document, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
