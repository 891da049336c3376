"""Conditional GAN: how the label enters both networks, and what is known of it outside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from support.training.resuming import resumes_exactly, train
from torch import nn

from edgegan.config import with_settings
from edgegan.families import Step, cgan
from edgegan.families.cgan import Config
from edgegan.families.cgan.concat import beside
from edgegan.families.cgan.networks import Generator, condition, discriminator
from edgegan.families.cgan.projection import LabelNorm, ProjectionDiscriminator
from edgegan.runtime.errors import EdgeganError
from edgegan.runtime.generate import conditions
from edgegan.train.folder.run import Run

BOTH = pytest.mark.parametrize("conditioning", ["concat", "projection"])


@BOTH
@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_both_networks_map_between_their_sizes_and_see_the_label(conditioning: str, size: int) -> None:
    cfg = with_settings(replace(cgan.tiny(), ngf=2, ndf=2), [f"size={size}", f"conditioning={conditioning}"])
    torch.manual_seed(0)
    g, d = Generator(cfg).eval(), discriminator(cfg).eval()
    z, labels = torch.randn(1, cfg.nz).repeat(3, 1), torch.eye(3)
    pictures = g(z, labels)
    assert pictures.shape == (3, 3, size, size) and pictures.abs().max() <= 1
    assert pictures.std(0).max() > 0, "the label changes nothing in the generator"
    scores = d(pictures[:1].repeat(3, 1, 1, 1), labels)
    assert scores.shape == (3,) and scores.std() > 0, "the label changes nothing in the discriminator"


def test_planes_hold_the_label_everywhere() -> None:
    x = beside(torch.zeros(2, 3, 4, 5), torch.tensor([[1.0, 0.5], [0.0, -1.0]]))
    assert x.shape == (2, 5, 4, 5)
    assert (x[0, 3] == 1).all() and (x[0, 4] == 0.5).all() and (x[1, 4] == -1).all() and (x[:, :3] == 0).all()


def test_two_labels_differ_in_score_by_the_projection_of_the_features() -> None:
    torch.manual_seed(0)
    d = ProjectionDiscriminator(16, 4, 8).eval()
    x, a, b = torch.randn(5, 3, 16, 16), torch.rand(5, 4), torch.rand(5, 4)
    with torch.no_grad():
        weight, h = d.embedding.weight, d.features(x)
        apart = d(x, a) - d(x, b)
    assert h.shape == (5, 8)
    assert torch.allclose(apart, ((a - b) @ weight.T * h).sum(1), atol=1e-5) and apart.abs().max() > 1e-3
    with torch.no_grad():
        assert torch.equal(d(x, torch.zeros(5, 4)), d.score(h).flatten())


def test_spectral_norms_settle_at_one() -> None:
    torch.manual_seed(0)
    d = ProjectionDiscriminator(16, 4, 8)
    for _ in range(30):
        d(torch.randn(2, 3, 16, 16), torch.rand(2, 4))
    for name, layer in d.eval().named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05), name


def test_one_of_several_labels_is_a_row_of_the_table() -> None:
    """With one name on, gain and shift are looked up; with two, they add up."""
    torch.manual_seed(0)
    norm = LabelNorm(6, 3).eval()
    nn.init.normal_(norm.shift.weight)
    x = torch.randn(1, 6, 2, 2)
    (one,) = norm(x, torch.tensor([[0.0, 1.0, 0.0]]))
    expected = norm.norm(x)[0] * (1 + norm.gain.weight[:, 1, None, None]) + norm.shift.weight[:, 1, None, None]
    assert torch.allclose(one, expected, atol=1e-6)
    both = norm(x, torch.tensor([[0.0, 1.0, 1.0]]))
    other = norm(x, torch.tensor([[0.0, 0.0, 1.0]]))
    assert torch.allclose(
        both - norm(x, torch.zeros(1, 3)), one[None] + other - 2 * norm(x, torch.zeros(1, 3)), atol=1e-5
    )


def test_what_is_asked_for_are_labels_that_the_data_has_and_their_odds_are_counted() -> None:
    cfg = cgan.tiny()
    g, asked = Generator(cfg), []
    labels = torch.tensor([[1.0, 0, 1], [1, 0, 0], [0, 1, 1], [1, 0, 1]])

    def d(image: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        asked.append(label)
        return image.mean((1, 2, 3))

    step = Step({"real": {"image": torch.zeros(4, 3, 16, 16), "label": labels}}, first_image=8, seed=1)
    cgan.objective.d_loss(cfg, g, d, step)
    cgan.objective.g_loss(cfg, g, d, step)
    assert torch.equal(asked[0], labels)
    for told in asked[1:]:
        assert sorted(map(tuple, told.tolist())) == sorted(map(tuple, labels.tolist()))
    assert not torch.equal(asked[1], labels), "in another order"
    assert g.odds.tolist() == [0.75, 0.25, 0.75]
    g.count(torch.zeros(4, 3))
    assert torch.allclose(g.odds, torch.tensor([0.375, 0.125, 0.375])) and g.seen == 8
    told = condition(cfg, g)
    assert told.default == (0.375, 0.125, 0.375) and told.kind == "binary"
    drawn = conditions.draw(told, 2000)
    assert (drawn[:, :2].sum(1) == 1).all() and drawn.mean(0) == pytest.approx([0.75, 0.25, 0.375], abs=0.03)
    only = condition(replace(cfg, attributes=("a", "b"), groups=(("a", "b"),)), g)
    assert only.kind == "one_hot"


def test_the_class_grid_has_a_latent_a_row_and_a_name_a_column() -> None:
    cfg = cgan.tiny()
    torch.manual_seed(0)
    sheet = cgan.preview(cfg, cgan.networks(cfg), cfg.train.data)
    assert list(sheet.columns) == ["drawn", *cfg.attributes]
    first = sheet.rows[0]
    assert not np.array_equal(first[1], first[2]), "another name, another picture"
    again = cgan.preview(cfg, cgan.networks(cfg), cfg.train.data)
    assert again.row_names == sheet.row_names


@BOTH
def test_four_steps_equal_two_a_resume_and_two(conditioning: str, tmp_path: Path) -> None:
    settings = [f"conditioning={conditioning}", *(["n_critic=2"] if conditioning == "projection" else [])]
    tensors = resumes_exactly("cgan", with_settings(cgan.tiny(), settings), tmp_path)
    assert tensors["ema/generator/seen"] == 16 and torch.equal(
        tensors["ema/generator/odds"], tensors["net/generator/odds"]
    )


def test_the_generator_rests_while_its_critic_learns(tmp_path: Path) -> None:
    cfg = with_settings(cgan.tiny(), ["n_critic=3"])
    tensors = train(Run(tmp_path, "cgan", cfg, cfg.train.data), 3 * cfg.train.batch)
    steps = {key: tensor for key, tensor in tensors.items() if key.endswith("/step")}
    assert {int(t) for k, t in steps.items() if k.startswith("optimiser/G")} == {1}
    assert {int(t) for k, t in steps.items() if k.startswith("optimiser/D")} == {3}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("attributes=[]", "without a label"),
        ('attributes=["a", "a"]', "a twice"),
        ('groups=[["Hat"]]', "Hat in groups"),
        ('groups=[["Black_Hair"], ["Black_Hair"]]', "in two groups"),
        ("conditioning=film", "conditioning"),
    ],
)
def test_configurations_that_cannot_work_are_refused(setting: str, words: str) -> None:
    with pytest.raises(EdgeganError) as error:
        with_settings(cgan.tiny(), [setting])
    assert words in str(error.value)


def test_a_config_without_attributes_is_refused_at_once() -> None:
    with pytest.raises(EdgeganError, match="attributes"):
        Config()
