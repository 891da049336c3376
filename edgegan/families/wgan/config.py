"""WGAN's configuration; the defaults are the paper's and its code's."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edgegan.config import Training
from edgegan.families._generation import BatchNormConfig
from edgegan.networks.generation.dcgan import Body
from edgegan.ranges import LearningRate, Width
from edgegan.runtime.errors import InputError

Rounds = Annotated[int, Meta(ge=1, le=100_000)]


class Config(BatchNormConfig, frozen=True, kw_only=True):
    """Widths and size of a WGAN, how its critic is bounded, and how many steps it has for each of the generator's.

    A round is one batch of real pictures, for one step of the critic.
    """

    size: Literal[16, 32, 64, 128] = 64

    body: Body = "4x4"
    critic_norm: bool = True  # batch norms in the critic too, as in the authors' code
    ndf: Width = 64

    lr: LearningRate = 5e-5  # of RMSprop, for both networks
    clip: Annotated[float, Meta(gt=0, le=1e3)] = 0.01  # no weight of the critic is farther from 0
    critic_steps: Rounds = 5  # for each step of the generator
    long_steps: Rounds = 100  # instead, for its first `long_first` steps, and whenever `long_every` more are done
    long_first: Annotated[int, Meta(ge=0, le=10**6)] = 25
    long_every: Annotated[int, Meta(ge=0, le=10**6)] = 500  # 0: never again

    train: Training = Training(batch=64, ema_halflife_images=0)

    def __post_init__(self) -> None:
        if 0 < self.long_every < self.long_first:
            raise InputError(
                f"long_every={self.long_every}, long_first={self.long_first}",
                "long_every 0, or no less than long_first",
            )


def generator_due(cfg: Config, round_: int) -> bool:
    """Whether the critic has had its steps for the generator's next one, after round `round_` (from 1).

    A function of the round alone, so that a resumed run goes on in the middle of a count.
    """
    first = cfg.long_first * cfg.long_steps
    if round_ <= first:
        return round_ % cfg.long_steps == 0
    short = cfg.critic_steps
    # Rounds before the next long count; with no first ones, step 0 itself is a multiple of `long_every`.
    to_again = first + (cfg.long_every - cfg.long_first) * short if cfg.long_first else 0
    if not cfg.long_every or round_ <= to_again:
        return (round_ - first) % short == 0
    place = (round_ - to_again - 1) % (cfg.long_steps + (cfg.long_every - 1) * short) + 1
    return place == cfg.long_steps or (place > cfg.long_steps and (place - cfg.long_steps) % short == 0)
