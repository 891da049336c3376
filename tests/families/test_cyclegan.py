"""CycleGAN: what its losses weigh, who judges what, what is exported and what can be imported."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from edgegan import config
from edgegan.data import normalise, open_pairs
from edgegan.families import Step, cyclegan
from edgegan.families.cyclegan import objective
from edgegan.families.cyclegan.config import Config
from edgegan.families.cyclegan.networks import draw_from_pool
from edgegan.networks import ImagePool
from edgegan.runtime.errors import InputError


def make_config(**changes: object) -> Config:
    return config.build(Config, {**msgspec.to_builtins(cyclegan.tiny()), **changes})


def step(first: int = 0, count: int = 2) -> Step:
    generator = torch.Generator().manual_seed(first)
    a, b = (torch.rand(count, 3, 16, 16, generator=generator) * 2 - 1 for _ in range(2))
    return Step({"a": {"image": a}, "b": {"image": b}}, first_image=first, seed=0)


class Constant(nn.Module):
    """A generator or critic that always answers the same."""

    def __init__(self, value: float, channels: int = 3) -> None:
        super().__init__()
        self.value, self.channels = nn.Parameter(torch.tensor(value)), channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.value.expand(len(x), self.channels, *x.shape[2:])


def test_the_weights_of_the_losses_are_the_papers() -> None:
    """Cycle 10 each way; identity is relative, so that 0.5 weighs 5."""
    cfg = Config()
    nets: dict[str, nn.Module] = {"AtoB": nn.Identity(), "BtoA": nn.Identity()}
    nets |= {"D_A": Constant(0.25, 1), "D_B": Constant(0.75, 1)}
    total, parts = objective.g_loss(cfg, nets, step())
    assert parts["cycle_A"] == parts["cycle_B"] == parts["idt_A"] == parts["idt_B"] == 0
    assert total.item() == pytest.approx(0.75**2 + 0.25**2)  # unscaled, LSGAN's (D - 1)^2

    def with_weights(**weights: float) -> tuple[float, dict[str, float]]:
        nets.update(AtoB=Constant(0.3), BtoA=Constant(-0.6))
        total, parts = objective.g_loss(msgspec.structs.replace(cfg, **weights), nets, step())
        return total.item(), {k: v.item() for k, v in parts.items()}

    with_all, parts = with_weights()
    without, fewer = with_weights(lambda_identity=0.0)
    assert not any("idt" in name for name in fewer)
    assert with_all - without == pytest.approx(5 * (parts["idt_A"] + parts["idt_B"]), rel=1e-4)
    assert without == pytest.approx(
        parts["adv_AtoB"] + parts["adv_BtoA"] + 10 * (parts["cycle_A"] + parts["cycle_B"]), rel=1e-4
    )
    skewed, _ = with_weights(lambda_a=20.0)
    assert skewed - with_all == pytest.approx(10 * parts["cycle_A"] + 5 * parts["idt_A"], rel=1e-4)


def test_identity_and_cycle_compare_with_the_right_domain() -> None:
    a_to_b, b_to_a = Constant(0.5), Constant(-0.5)
    nets: dict[str, nn.Module] = {"AtoB": a_to_b, "BtoA": b_to_a, "D_A": Constant(0.0, 1), "D_B": Constant(0.0, 1)}
    given = step()
    a, b = given.streams["a"]["image"], given.streams["b"]["image"]
    _, parts = objective.g_loss(Config(), nets, given)
    for name, answer, wanted in (("cycle_A", -0.5, a), ("idt_A", -0.5, a), ("cycle_B", 0.5, b), ("idt_B", 0.5, b)):
        torch.testing.assert_close(parts[name], (answer - wanted).abs().mean())


def test_d_a_judges_domain_b_and_half_of_the_loss_counts() -> None:
    class Sees(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[torch.Tensor] = []

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.seen.append(x)
            return torch.full((len(x), 1, 2, 2), 0.5)

    given = step()
    nets: dict[str, nn.Module] = {"D_A": Sees(), "D_B": Sees()}
    fakes = {f"fake_{d}": torch.rand(2, 3, 16, 16) for d in "ab"}
    given.scratch.update(fakes)
    total, parts = objective.d_loss(Config(pool=0), nets, given)
    for name, domain in (("D_A", "b"), ("D_B", "a")):
        net = nets[name]
        assert isinstance(net, Sees)
        assert torch.equal(net.seen[0], given.streams[domain]["image"])
        assert torch.equal(net.seen[1], fakes[f"fake_{domain}"])
        assert parts[name].item() == pytest.approx(0.5)  # (0.5 - 1)^2 + 0.5^2
    assert total.item() == pytest.approx(0.5)


def test_generators_step_first_and_the_discriminators_see_their_pictures_from_the_pool() -> None:
    cfg = cyclegan.tiny()
    nets = cyclegan.networks(cfg)
    g, d = cyclegan.phases(cfg, nets)
    assert (g.name, d.name) == ("G", "D") and g.optimiser is not d.optimiser
    for first in range(0, 8, 2):
        now = step(first)
        g.loss_fn(now)
        fake = now.scratch["fake_b"]
        assert not fake.requires_grad
        d.loss_fn(now)[0].backward()
        assert all(p.grad is None for p in g.module.parameters())
        pool = nets["pool_B"]
        assert isinstance(pool, ImagePool)
        assert int(pool.filled) == min(first + 2, cfg.pool)
        if first == 0:
            assert torch.equal(pool.images[:2], fake)
    kept = {k: v.clone() for k, v in nets["pool_B"].state_dict().items()}
    again = draw_from_pool(nets, "AtoB", fake, now)
    nets["pool_B"].load_state_dict(kept)
    assert torch.equal(draw_from_pool(nets, "AtoB", fake, now), again), "draws come from the step alone"


@pytest.mark.parametrize("adversarial", ["vanilla", "wgan-gp"])
def test_other_games_train_too(adversarial: str) -> None:
    cfg = make_config(adversarial=adversarial, pool=0, discriminator="pixel", generator="unet", norm="instance-affine")
    nets = cyclegan.networks(cfg)
    assert not any(name.startswith("pool") for name in nets)
    now = step()
    for phase in cyclegan.phases(cfg, nets):
        loss, parts = phase.loss_fn(now)
        loss.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in phase.module.parameters())
        assert ("gp_D_A" in parts) == (adversarial == "wgan-gp" and phase.name == "D")


def test_domains_of_unequal_length_are_streams_of_their_own(tmp_path: Path) -> None:
    from PIL import Image

    for folder, count in (("trainA", 3), ("trainB", 5), ("testA", 2), ("testB", 4)):
        (tmp_path / folder).mkdir()
        for i in range(count):
            Image.fromarray(np.full((20, 24, 3), 10 * i, np.uint8)).save(tmp_path / folder / f"{i}.png")
    cfg = cyclegan.tiny()
    streams = cyclegan.streams(cfg, f"unaligned:{tmp_path}")
    assert [(name, len(stream)) for name, stream in streams.items()] == [("a", 3), ("b", 5)]
    nets = cyclegan.networks(cfg)
    sheet = cyclegan.preview(cfg, nets, f"unaligned:{tmp_path}")
    assert list(sheet.columns) == ["summer", "to winter", "and back", "winter", "to summer", "and back"]
    figures = cyclegan.validate(cfg, nets, f"unaligned:{tmp_path}")
    assert list(figures) == ["l1", "cycle_l1_AtoB", "cycle_l1_BtoA"]


def test_validation_measures_the_distance_to_the_true_partner() -> None:
    cfg = cyclegan.tiny()
    nets: dict[str, nn.Module] = {"AtoB": Constant(1.0), "BtoA": Constant(-1.0)}
    pairs = open_pairs("avatars-seasons", size=16, split="heldout")
    figures = cyclegan.validate(cfg, nets, "avatars-seasons", count=9)
    for name, answer, side in (("AtoB", 1.0, pairs.b), ("BtoA", -1.0, pairs.a)):
        wanted = np.mean([np.abs(answer - normalise(side.picture(i))).mean() for i in range(9)])
        assert figures[f"partner_l1_{name}"] == pytest.approx(wanted, rel=1e-4)
    assert next(iter(figures)) == "l1"


def test_golden_pictures_are_the_directions_own_heldout_ones() -> None:
    cfg = cyclegan.tiny()
    pairs = open_pairs("avatars-seasons", size=16, split="heldout")
    specs = cyclegan.exportable(cfg, cyclegan.networks(cfg), cfg.train.data)
    assert [spec.folder for spec in specs] == ["AtoB", "BtoA"]
    for spec, side in zip(specs, (pairs.a, pairs.b), strict=True):
        assert np.array_equal(spec.golden(3)["image"][2], normalise(side.picture(2)))
        assert spec.card.domain.endswith("to winter" if spec.folder == "AtoB" else "to summer")


@pytest.mark.parametrize("name", config.presets("cyclegan"))
def test_every_preset_makes_networks(name: str) -> None:
    cfg = config.load(Config, "cyclegan", name)
    with torch.device("meta"):
        nets = cyclegan.networks(cfg)
        out = nets["AtoB"](*(t.to("meta") for t in cyclegan.example_inputs(cfg, "AtoB")))
        assert out.shape == (1, 3, cfg.size, cfg.size)
        assert nets["D_A"](out).shape[2] >= 1
    assert 2 * cfg.train.decay_images == cfg.train.images, "half of the epochs at a constant rate, half decaying"


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"size": 18, "load_size": 18}, "multiple of 4"),
        ({"load_size": 8}, "less than size"),
        ({"d_layers": 3}, "3 or more"),
        ({"generator": "unet", "stem_stride": 2}, "generator=resnet: only it"),
        ({"generator": "unet", "downs": 1}, "downs is a whole number from 2"),
        ({"pool": -1}, "pool is a whole number from 0"),
    ],
)
def test_bad_configurations_are_refused_in_words(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make_config(**changes)
