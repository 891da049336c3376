"""BEGAN: the balance of the two losses, vanishing residuals, and what the checkpoint keeps of them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor

from edgegan.families import Step, began
from edgegan.families.began import Config, objective
from edgegan.families.began.networks import Autoencoder, Balance, Generator
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Silence

TINY = began.FAMILY.tiny()


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("size", "filters", "g_millions", "d_millions"),
    [(32, 64, 0.49, 2.31), (64, 64, 0.56, 4.01), (128, 128, 2.01, 23.2)],
)
def test_the_networks_have_the_published_sizes(size: int, filters: int, g_millions: float, d_millions: float) -> None:
    cfg = Config(size=size, filters=filters, skips=False)  # type: ignore[arg-type]
    nets = began.FAMILY.networks(cfg)
    for name, expected in (("generator", g_millions), ("autoencoder", d_millions)):
        assert sum(p.numel() for p in nets[name].parameters()) / 1e6 == pytest.approx(expected, rel=0.01)


def test_k_never_leaves_its_range_and_touches_both_ends() -> None:
    balance = Balance(gamma=0.5, k_rate=0.05)
    rng = np.random.default_rng(0)
    seen = []
    for number in range(2000):
        more_real = number // 500 % 2 == 0
        real, fake = rng.random(2) * ((2, 0.5) if more_real else (0.5, 2))
        m = balance(torch.tensor(real), torch.tensor(fake))
        assert m >= real - 1e-12
        seen.append(float(balance.k))
    assert min(seen) == 0.0 and max(seen) == 1.0


def test_k_rests_where_the_losses_have_the_wanted_ratio() -> None:
    balance = Balance(gamma=0.5, k_rate=0.1)
    balance.k.fill_(0.25)
    assert float(balance(torch.tensor(0.5), torch.tensor(0.25))) == 0.5
    assert float(balance.k) == 0.25
    balance(torch.tensor(0.5), torch.tensor(0.05))  # pictures that are remembered too well count more
    assert float(balance.k) == pytest.approx(0.25 + 0.1 * 0.2, abs=1e-8)


def test_with_k_zero_the_discriminator_is_an_autoencoder_and_no_more() -> None:
    nets = began.FAMILY.networks(TINY)
    g, d, balance = nets["generator"], nets["autoencoder"], nets["balance"]
    assert isinstance(g, Generator) and isinstance(d, Autoencoder) and isinstance(balance, Balance)
    step = Step({"real": {"image": noise(4, 3, 16, 16).clamp(-1, 1)}}, first_image=0, seed=0)
    loss, parts = objective.d_loss(TINY.nz, g, d, balance, step)
    assert loss.item() == parts["real"].item() == objective.reconstruction(d, step.real["image"]).item()
    balance.k.fill_(0.5)
    loss, parts = objective.d_loss(TINY.nz, g, d, balance, step)
    assert loss.item() == pytest.approx(parts["real"].item() - 0.5 * parts["fake"].item(), abs=1e-6)
    d.forward = lambda image: image  # type: ignore[method-assign]
    assert objective.reconstruction(d, step.real["image"]) == 0


def test_residuals_carry_all_at_first_and_nothing_at_the_end() -> None:
    cfg = msgspec.structs.replace(TINY, skips=False)
    g, z = Generator(cfg), noise(2, cfg.nz)
    with torch.no_grad():
        first = g.stem(torch.erf(z / 2**0.5))
        carried = g.draw(z, 1.0)
        assert torch.allclose(carried, g.head(first.repeat_interleave(2, 2).repeat_interleave(2, 3)), atol=1e-6)
        assert not torch.allclose(g.draw(z, 0.0), carried, atol=1e-3)
    nets = began.FAMILY.networks(TINY)
    decoder = nets["autoencoder"].decoder
    carries = []
    for images in (0, 12, 48, 99):
        began.advance(TINY, nets, images)
        assert nets["generator"].carry == nets["autoencoder"].carry == decoder.carry  # type: ignore[union-attr]
        carries.append(float(nets["generator"].carry))  # type: ignore[arg-type]
    assert carries == [1.0, 0.75, 0.0, 0.0]


def test_the_learning_rate_halves_and_keeps_a_floor() -> None:
    rates = [began.stage(TINY, images).rate for images in (0, 23, 24, 48, 72, 960)]
    assert rates == [1, 1, 0.5, 0.25, TINY.least_rate, TINY.least_rate]


def test_k_and_m_are_kept_exactly_and_move_as_the_losses_say(tmp_path: Path) -> None:
    class Trace(Silence):
        def __init__(self) -> None:
            self.parts: list[dict[str, float]] = []

        def step(self, images: int, round_: int, parts: dict[str, float], seconds: float, waited: float = 0.0) -> None:
            self.parts.append(parts)

    train = msgspec.structs.replace(TINY.train, sample_images=0, validate_images=0)
    run = Run(tmp_path, "began", msgspec.structs.replace(TINY, k_rate=0.1, train=train), train.data)
    trace = Trace()
    trainer = Trainer(run, torch.device("cpu"))
    trainer.train(Budget(24), trace)
    k = 0.0
    for before, after in zip(trace.parts, [*trace.parts[1:], None], strict=True):
        assert before["D/k"] == pytest.approx(k, abs=1e-6)
        gap = TINY.gamma * before["D/real"] - before["G/adv"]
        k = min(max(k + 0.1 * gap, 0.0), 1.0)
        if after is not None:
            assert after["G/convergence"] == pytest.approx(before["D/real"] + abs(gap), abs=1e-6)
    saved = run.latest().section("net/balance")
    assert saved["k"].dtype == torch.float64 and float(saved["k"]) == pytest.approx(k, abs=1e-6) and k > 0
    again = Trainer(run, torch.device("cpu"))
    again.restore(run.latest())
    for name, tensor in again.nets["balance"].state_dict().items():
        assert torch.equal(tensor, saved[name])


def test_the_first_figure_on_held_out_pictures_is_m() -> None:
    nets = {name: net.eval() for name, net in began.FAMILY.networks(TINY).items()}
    assert began.FAMILY.validate is not None
    with torch.no_grad():
        figures = began.FAMILY.validate(TINY, nets, "avatars:16")
    assert next(iter(figures)) == "convergence" and "swd" in figures
    expected = figures["real"] + abs(TINY.gamma * figures["real"] - figures["fake"])
    assert figures["convergence"] == pytest.approx(expected) and figures["convergence"] >= figures["real"]
