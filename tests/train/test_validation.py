"""Figures on held-out data decide which checkpoint is kept as the best."""

from __future__ import annotations

import json
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor, nn

from edgegan import families
from edgegan.data import avatars, normalise, open_pictures
from edgegan.families import fastgan
from edgegan.families.stargan.networks import Generator
from edgegan.runtime.generate import latent
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run, open_trained
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Reporter
from edgegan.train.validation import Best, measure

CPU = torch.device("cpu")
STARGAN = families.get("stargan")


def tiny_run(folder: Path, **train: object) -> Run:
    cfg = STARGAN.tiny()
    cfg = msgspec.structs.replace(cfg, train=msgspec.structs.replace(cfg.train, **train))
    run = Run(folder, "stargan", cfg, cfg.train.data)
    folder.mkdir(parents=True)
    run.write_config()
    return run


def train(run: Run, images: int) -> Trainer:
    trainer = Trainer(run, CPU, threads=1)
    if run.checkpoints():
        trainer.restore(run.latest())
    with Reporter(run, images, trainer.images, Console(quiet=True)) as reporter:
        trainer.train(Budget(images), reporter)
    return trainer


def test_the_lowest_first_figure_is_kept_through_resumes_and_removals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([math.nan, 1.0, 2.0, math.nan, 1.5, 1.2])  # at 8, 16, 20 (a session ends), 24, 32 and 40 images

    def validate(cfg: object, nets: dict[str, nn.Module], data: str) -> dict[str, float]:
        assert not any(net.training for net in nets.values()) and not torch.is_grad_enabled()
        value = next(answers)
        return {"deciding": value, "other": -value}

    monkeypatch.setattr(STARGAN, "validate", validate)
    run = tiny_run(tmp_path / "run", images=40, validate_images=8, checkpoint_images=4, keep=1)
    for images in (20, 40):
        trainer = train(run, images)
        assert all(net.training for net in trainer.nets.values())
    assert trainer.best == Best("deciding", 1.0, 16)
    best = checkpoint.load(run.best_path)
    assert best.header["images"] == 16 and Best.from_header(best.header["best"]) == trainer.best
    assert [int(p.stem) for p in run.checkpoints()] == [40]
    assert open_trained(run.folder)[2].header["images"] == 40  # the newest, unless the best is named
    assert open_trained(run.best_path)[2].header["images"] == 16
    lines = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines if "heldout/deciding" in line] == [8, 16, 20, 24, 32, 40]


def test_zero_measures_nothing_and_a_family_without_figures_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tiny_run(tmp_path / "off", validate_images=0)
    assert train(run, 4).best is None and not run.best_path.exists()
    monkeypatch.delattr(STARGAN, "validate")
    run = tiny_run(tmp_path / "without", validate_images=4)
    assert train(run, 4).best is None and measure(run, run.family.networks(run.cfg)) == {}


class Unchanged(Generator):
    """Gives back the picture that it was given."""

    def parts(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor | None]:
        return image, None


def test_on_drawn_faces_stargan_is_measured_against_the_true_answers() -> None:
    cfg = STARGAN.tiny()
    nets = {**STARGAN.networks(cfg), "generator": Unchanged(4, 4, 1)}
    faces = avatars.open_data("", size=16, names=cfg.attributes, split="heldout")
    wanted = []
    for i in range(64 // len(cfg.attributes)):
        own = dict(zip(faces.names, faces.label(i), strict=True))
        for name in cfg.attributes:
            changes = not (name in cfg.groups[0] and own[name])
            if changes and not faces.is_hidden(i, name):
                truth = faces.truth(i, name, name in cfg.groups[0] or not own[name])
                wanted.append(np.abs(normalise(truth) - normalise(faces.picture(i))).mean())
    figures = STARGAN.validate(cfg, nets, "avatars:16")
    assert len(wanted) > 30 and figures == pytest.approx({"l1": np.mean(wanted)}, rel=1e-5)


def test_on_other_data_stargan_is_measured_by_its_class_head_and_by_editing_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for domain in ("cat", "dog"):
        (tmp_path / domain).mkdir()
        for i in range(30):
            Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)).save(tmp_path / domain / f"{i}.png")
    cfg = msgspec.structs.replace(STARGAN.tiny(), attributes=("cat", "dog"), kind="one_hot")
    nets = {**STARGAN.networks(cfg), "generator": Unchanged(2, 4, 1)}
    for parameter in nets["discriminator"].parameters():
        nn.init.zeros_(parameter)
    figures = STARGAN.validate(cfg, nets, f"folders:{tmp_path}")
    assert figures["reconstruction"] == 0.0
    assert figures["classification"] == pytest.approx(math.log(2))  # a class head that knows nothing of two classes
    assert next(iter(figures)) == "error" and figures["error"] == pytest.approx(cfg.lambda_cls * math.log(2))


def test_a_generators_pictures_come_nearer_and_looking_draws_no_randomness() -> None:
    cfg = fastgan.tiny()
    torch.manual_seed(0)
    g = fastgan.networks(cfg)["generator"].eval()
    before = fastgan.validate(cfg, {"generator": g}, "avatars:16")
    state = torch.get_rng_state()
    assert fastgan.validate(cfg, {"generator": g}, "avatars:16") == before
    assert torch.equal(torch.get_rng_state(), state)
    assert list(before) == ["swd", "swd_64", "swd_32", "swd_16"]
    real = open_pictures("avatars:16", size=cfg.size, split="train")
    answers = torch.from_numpy(np.stack([normalise(real.picture(i)) for i in range(16)]))
    latents = torch.from_numpy(latent.draw(16, cfg.nz, seed=1))
    adam = torch.optim.Adam(g.train().parameters(), 5e-3)
    for _ in range(40):
        loss = (g(latents)[0] - answers).abs().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert fastgan.validate(cfg, {"generator": g.eval()}, "avatars:16")["swd"] < 0.85 * before["swd"]
