"""Training in stages: batches and learning rates of each, fresh moments, and batches that cannot be shared."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import torch

from edgegan import families
from edgegan.config import BaseConfig
from edgegan.families import Networks, Stage
from edgegan.runtime.errors import InputError, TrainingError
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run
from edgegan.train.loader import Loader
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Silence

CPU = torch.device("cpu")


class Rounds(Silence):
    """Keeps the images seen after each round, and the learning rate it had."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer, self.images, self.rates, self.stages = trainer, list[int](), list[float](), list[Stage]()

    def step(self, images: int, round_: int, parts: dict[str, float], seconds: float, waited: float = 0.0) -> None:
        self.images.append(images)
        self.rates.append(self.trainer.phases[0].optimiser.param_groups[0]["lr"])

    def stage(self, images: int, stage: Stage) -> None:
        self.stages.append(stage)


def stage_at(cfg: BaseConfig, images: int) -> Stage:
    return Stage("small", 4) if images < 12 else Stage("large", 8, rate=0.5)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A FastGAN whose batch doubles, and whose rates halve, after 12 images."""
    family = families.get("fastgan")
    monkeypatch.setattr(family, "stage", stage_at)
    train = msgspec.structs.replace(family.tiny().train, sample_images=0, validate_images=0)
    return Run(tmp_path, "fastgan", msgspec.structs.replace(family.tiny(), train=train), train.data)


def test_each_stage_has_its_batch_and_its_rate_and_begins_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    announced: set[tuple[int, int]] = set()
    announce = Loader.announce

    def record(self: Loader, first: int, count: int) -> None:
        announced.add((first, count))
        announce(self, first, count)

    monkeypatch.setattr(Loader, "announce", record)
    trainer = Trainer(run, CPU)
    rounds = Rounds(trainer)
    full = trainer.phases[0].optimiser.param_groups[0]["lr"]
    trainer.train(Budget(28), rounds)
    assert rounds.images == [4, 8, 12, 20, 28]
    assert rounds.rates == [full] * 3 + [full / 2] * 2
    assert [stage.name for stage in rounds.stages] == ["small", "large"]
    # What is prepared ahead is what will be asked for: nothing is read in vain.
    assert announced == {(0, 4), (4, 4), (8, 4), (12, 8), (20, 8), (28, 8), (36, 8)}


def test_moments_are_forgotten_where_a_stage_begins_and_nowhere_else(run: Run) -> None:
    """Also after a resume: amid a stage the moments go on, at a border they begin anew."""

    def steps(trainer: Trainer) -> set[int]:
        return {int(values["step"]) for values in trainer.phases[0].optimiser.state.values()}

    trainer = Trainer(run, CPU)
    trainer.train(Budget(12), Silence())
    assert steps(trainer) == {3}
    trainer.train(Budget(20), Silence())
    assert steps(trainer) == {1}
    again = Trainer(run, CPU)
    again.restore(run.latest())
    again.train(Budget(28), Silence())
    assert steps(again) == {2}
    border = Trainer(run, CPU)
    border.restore(checkpoint.load(run.checkpoint_path(12)))
    border.train(Budget(20), Silence())
    assert steps(border) == {1}


def test_the_networks_are_advanced_before_every_round(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def advance(cfg: BaseConfig, nets: Networks, images: int) -> None:
        assert set(nets) == {"generator", "discriminator"}
        seen.append(images)

    monkeypatch.setattr(run.family, "advance", advance)
    Trainer(run, CPU).train(Budget(20), Silence())
    assert seen == [0, 4, 8, 12]


def test_a_batch_that_cannot_be_shared_is_refused_with_its_stage(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.family, "stage", lambda cfg, images: Stage("odd", 3) if images > 8 else Stage("even", 4))
    run.cfg = msgspec.structs.replace(run.cfg, train=msgspec.structs.replace(run.cfg.train, accumulate=2))
    with pytest.raises(InputError, match="batch of 3 in the stage odd"):
        Trainer(run, CPU)


def test_moments_of_some_parameters_are_taken_and_of_another_network_refused() -> None:
    used, unused = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    adam = torch.optim.Adam([used, unused])
    used.grad = torch.ones(2)
    adam.step()
    tensors = checkpoint.optimiser_tensors(adam)
    assert {key.split("/")[0] for key in tensors} == {"0"}
    fresh = torch.optim.Adam([used, unused])
    checkpoint.restore_optimiser(fresh, tensors, checkpoint.count_parameters(adam))
    assert torch.equal(fresh.state[used]["exp_avg"], adam.state[used]["exp_avg"]) and unused not in fresh.state
    with pytest.raises(TrainingError, match="another number of parameters"):
        checkpoint.restore_optimiser(torch.optim.Adam([used]), tensors, 2)
    with pytest.raises(TrainingError, match="another number of parameters"):
        checkpoint.restore_optimiser(torch.optim.Adam([used, unused]), tensors)  # an older file has all
