"""WGAN: the bound on the critic, its schedule, and the estimate that the log shows."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import torch
from torch import Tensor, nn

from edgegan.families import Step, wgan
from edgegan.families.wgan import Config, objective
from edgegan.families.wgan.config import generator_due
from edgegan.runtime.errors import InputError
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Silence

TINY = wgan.FAMILY.tiny()


def count_rounds(cfg: Config, steps: int) -> list[int]:
    """The rounds after which the generator steps, counted as the paper's code does."""
    found, round_ = [], 0
    for step in range(steps):
        long = step < cfg.long_first or (cfg.long_every and step % cfg.long_every == 0)
        round_ += cfg.long_steps if long else cfg.critic_steps
        found.append(round_)
    return found


@pytest.mark.parametrize(
    "cfg",
    [
        Config(),
        TINY,
        Config(long_first=0),
        Config(long_every=0),
        Config(long_first=7, long_every=7, long_steps=3, critic_steps=4),
    ],
)
def test_the_critic_has_its_steps_before_each_of_the_generators(cfg: Config) -> None:
    expected = count_rounds(cfg, 1100)
    assert [r for r in range(1, expected[-1] + 1) if generator_due(cfg, r)] == expected


def test_the_papers_schedule_warms_up_long_and_now_and_then() -> None:
    due = [r for r in range(1, 5100) if generator_due(Config(), r)]
    assert due[:25] == list(range(100, 2501, 100))
    assert due[25] == 2505 and due[499] == 2500 + 475 * 5 and due[500] == due[499] + 100 and due[501] == due[500] + 5
    with pytest.raises(InputError, match="long_every"):
        Config(long_every=3, long_first=25)


class Trace(Silence):
    """Which phases each round ran, and the largest weight of the critic after it."""

    def __init__(self, critic: nn.Module) -> None:
        self.critic, self.largest, self.parts = critic, list[float](), list[dict[str, float]]()

    def step(self, images: int, round_: int, parts: dict[str, float], seconds: float, waited: float = 0.0) -> None:
        self.largest.append(max(float(p.detach().abs().max()) for p in self.critic.parameters()))
        self.parts.append(parts)


def test_no_weight_leaves_its_bound_and_a_resume_keeps_the_count(tmp_path: Path) -> None:
    """Ten rounds with a stop after each possible place of the count: the generator steps when it would have."""
    train = msgspec.structs.replace(TINY.train, sample_images=0, validate_images=0)
    run = Run(tmp_path, "wgan", msgspec.structs.replace(TINY, train=train), train.data)
    stepped = []
    for round_ in range(1, 11):
        trainer = Trainer(run, torch.device("cpu"))
        if round_ > 1:
            trainer.restore(run.latest())
        trace = Trace(trainer.nets["critic"])
        trainer.train(Budget(4 * round_), trace)
        assert trace.largest[0] <= TINY.clip and len(trace.largest) == 1
        assert "D/estimate" in trace.parts[0]
        stepped += [round_] if "G/adv" in trace.parts[0] else []
    assert stepped == count_rounds(TINY, 4)
    saved = run.latest().section("net/critic")
    names = [name for name, _ in trainer.nets["critic"].named_parameters()]
    assert max(float(saved[name].abs().max()) for name in names) <= TINY.clip
    assert any(name.endswith("weight") and saved[name].dim() == 1 for name in names), "the gains of norms too"


def test_a_clipped_linear_critic_has_a_bounded_slope() -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    objective.clip_weights(critic, 0.01)
    x, y = torch.rand(2, 8, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    far = (x - y).abs().sum((1, 2, 3))
    assert ((critic(x) - critic(y)).abs().flatten() <= 0.01 * far + 1e-6).all()


def test_the_estimate_is_zero_for_equal_batches_and_the_distance_for_a_fair_critic() -> None:
    """With D(x) = mean of x, the estimate is the difference of the means: the distance of two constants."""

    class Constant(nn.Module):
        def forward(self, latent: Tensor) -> Tensor:
            return torch.full((len(latent), 3, 4, 4), 0.25)

    def mean(image: Tensor) -> Tensor:
        return image.mean((1, 2, 3))

    critic = nn.Module()
    critic.forward = mean  # type: ignore[method-assign,assignment]
    for value in (0.25, 1.0):
        step = Step({"real": {"image": torch.full((4, 3, 4, 4), value)}}, first_image=0, seed=0)
        loss, parts = objective.d_loss(2, Constant(), critic, step)
        assert parts["estimate"].item() == pytest.approx(value - 0.25) == pytest.approx(-loss.item())
