"""StarGAN against the facts of the paper and of its authors' code."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch

from edgegan import config
from edgegan.families import Step, stargan
from edgegan.families.stargan import objective
from edgegan.families.stargan.config import Config
from edgegan.families.stargan.networks import Classifier, Discriminator, Generator
from edgegan.families.stargan.players import Players
from edgegan.runtime.errors import InputError

HAIR5 = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    "labels,size,g_count,d_count", [(5, 128, 8_430_528, 44_762_048), (5, 256, 8_430_528, 44_884_928)]
)
def test_parameter_counts_are_the_papers(labels: int, size: int, g_count: int, d_count: int) -> None:
    cfg = Config(size=size, attributes=HAIR5)
    with torch.device("meta"):
        nets = stargan.networks(cfg)
    assert count(nets["generator"]) == g_count
    assert count(nets["discriminator"]) == d_count


def test_key_names_and_shapes_are_the_published_checkpoints() -> None:
    with torch.device("meta"):
        g, d = Generator(5, 64, 6), Discriminator(128, 5, 64, 6)
    keys = g.state_dict()
    assert {k for k in keys if k.count(".") == 2 and "weight" in k} == {
        f"main.{i}.weight" for i in (0, 1, 3, 4, 6, 7, 15, 16, 18, 19, 21)
    }
    for i in (0, 3, 6, 15, 18, 21):
        assert f"main.{i}.weight" in keys and f"main.{i}.bias" not in keys
    for i in range(9, 15):
        assert keys[f"main.{i}.main.0.weight"].shape == (256, 256, 3, 3)
    assert not any("running" in k for k in keys)
    assert keys["main.0.weight"].shape == (64, 8, 7, 7)
    assert keys["main.15.weight"].shape == (256, 128, 4, 4)
    d_keys = d.state_dict()
    assert d_keys["main.10.weight"].shape == (2048, 1024, 4, 4) and "main.10.bias" in d_keys
    assert d_keys["conv1.weight"].shape == (1, 2048, 3, 3) and "conv1.bias" not in d_keys
    assert d_keys["conv2.weight"].shape == (5, 2048, 2, 2)


@pytest.mark.parametrize("stride,mask", [(1, False), (2, True), (1, True), (2, False)])
def test_sizes_that_are_multiples_pass_unchanged(stride: int, mask: bool) -> None:
    g = Generator(3, 4, 1, stride, mask)
    for h, w in ((4 * stride * 2, 4 * stride * 5), (32, 24)):
        out = g(torch.randn(2, 3, h, w).clamp(-1, 1), torch.zeros(2, 3))
        assert out.shape == (2, 3, h, w)
        assert out.abs().max() <= 1


def test_a_picture_does_not_depend_on_its_batch_or_on_eval_mode() -> None:
    g = Generator(3, 8, 1)
    x, c = torch.randn(3, 3, 16, 16), torch.rand(3, 3)
    together = g(x, c)
    torch.testing.assert_close(g(x[1:2], c[1:2]), together[1:2])
    torch.testing.assert_close(g.eval()(x, c), together)


def test_labels_have_an_effect() -> None:
    """They would not with reflection padding: the instance norms would cancel constant planes."""
    torch.manual_seed(0)
    g = Generator(3, 8, 1)
    x = torch.randn(1, 3, 16, 16)
    assert (g(x, torch.zeros(1, 3)) - g(x, torch.ones(1, 3))).abs().max() > 1e-3


def test_where_the_mask_is_zero_the_picture_stays() -> None:
    g = Generator(3, 4, 1, 1, mask=True)
    x, c = torch.rand(1, 3, 16, 16), torch.zeros(1, 3)
    out, mask = g.parts(x, c)
    assert mask is not None and 0 <= mask.min() <= mask.max() <= 1
    with torch.no_grad():
        g.main[-1].weight[3] = 0.0  # type: ignore[index, operator]
    _, half = g.parts(x, c)
    assert half is not None
    torch.testing.assert_close(half, torch.full_like(half, 0.5))


def test_the_classifier_is_the_discriminators_class_head() -> None:
    d = Discriminator(16, 4, 4, 3)
    x = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(Classifier(d)(x), torch.sigmoid(d(x)[1]))
    torch.testing.assert_close(d.score(x), d(x)[0])


def step(labels: torch.Tensor, first: int = 0, seed: int = 0) -> Step:
    return Step({"real": {"image": torch.zeros(len(labels), 3, 16, 16), "label": labels}}, first, seed)


def test_permuted_targets_are_the_batchs_own_labels() -> None:
    cfg = stargan.tiny()
    labels = torch.eye(4)
    target = objective.target_labels(cfg, step(labels, first=8), *cfg.slots)
    assert sorted(target.tolist()) == sorted(labels.tolist())
    assert any(
        not torch.equal(objective.target_labels(cfg, step(labels, first=f), *cfg.slots), labels) for f in range(4)
    )


def test_single_targets_change_one_decision_and_keep_groups_exclusive() -> None:
    cfg = msgspec.structs.replace(stargan.tiny(), targets="single")
    labels = torch.tensor([[1.0, 0, 0, 1]]).repeat(64, 1)
    target = objective.target_labels(cfg, step(labels), *cfg.slots)
    assert torch.equal(target[:, :2].sum(1), torch.ones(64))  # one hair colour, always
    changed = (target != labels).float()
    assert set(changed[:, :2].amax(1).add(changed[:, 2]).add(changed[:, 3]).tolist()) == {0.0, 1.0}
    assert len({tuple(row) for row in target.tolist()}) == 4  # itself, the other hair, glasses on, smile off


def test_what_is_in_focus_is_picked_three_times_as_often() -> None:
    plain = msgspec.structs.replace(stargan.tiny(), targets="single")
    labels = torch.zeros(3000, 4)
    labels[:, 0] = 1
    share = {
        cfg.focus: objective.target_labels(cfg, step(labels), *cfg.slots)[:, 3].mean().item()
        for cfg in (plain, msgspec.structs.replace(plain, focus=("Smiling",)))
    }
    assert share[()] == pytest.approx(1 / 3, abs=0.04)
    assert share["Smiling",] == pytest.approx(3 / 5, abs=0.04)
    blond = msgspec.structs.replace(plain, focus=(plain.attributes[1],))  # of a group of two
    target = objective.target_labels(blond, step(labels), *blond.slots)
    assert target[:, 1].mean().item() == pytest.approx(3 / 5 * 3 / 4, abs=0.04)
    assert target[:, 3].mean().item() == pytest.approx(1 / 5, abs=0.04)


def test_sampling_targets_follow_the_papers_test_mode() -> None:
    cfg = Config(attributes=HAIR5)
    label = torch.tensor([1.0, 0, 0, 1, 1])
    targets = {name: t.tolist() for name, t in stargan.edit_targets(cfg, label)}
    assert targets == {
        "Black_Hair": [1, 0, 0, 1, 1],
        "Blond_Hair": [0, 1, 0, 1, 1],
        "Brown_Hair": [0, 0, 1, 1, 1],
        "Male": [1, 0, 0, 0, 1],
        "Young": [1, 0, 0, 1, 0],
    }


def test_the_generator_steps_every_n_critic_rounds() -> None:
    cfg = Config(size=64, attributes=HAIR5, conv_dim=2, blocks=1, d_conv_dim=2)
    phases = {p.name: p for p in stargan.phases(cfg, stargan.networks(cfg))}
    assert phases.keys() == {"D", "G"}
    assert [r for r in range(1, 16) if phases["G"].due(r)] == [5, 10, 15]
    assert all(phases["D"].due(r) for r in range(1, 16))


def test_the_weights_of_the_losses_are_the_papers() -> None:
    """With the critic and its penalty silenced, what is left of eq. 6 is cls + 10 rec."""
    cfg = stargan.tiny()
    torch.manual_seed(0)
    nets = stargan.networks(cfg)
    s = step(torch.eye(4))
    s.streams["real"]["image"].normal_()
    total, parts = objective.g_loss(cfg, Players.of(nets), s, *cfg.slots)
    torch.testing.assert_close(total, parts["adv"] + parts["cls"] + 10 * parts["rec"])
    total, parts = objective.d_loss(cfg, Players.of(nets), s, *cfg.slots)
    torch.testing.assert_close(total, parts["adv"] + 10 * parts["gp"] + parts["cls"])


@pytest.mark.parametrize("name", config.presets("stargan"))
def test_every_preset_makes_networks(name: str) -> None:
    cfg = config.load(Config, "stargan", name)
    with torch.device("meta"):
        nets = stargan.networks(cfg)
        out = nets["generator"](*stargan.example_inputs(cfg, "generator"))
    assert out.shape == (1, 3, cfg.size, cfg.size)
    if cfg.train.data:
        assert len(cfg.attributes) >= 8


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"size": 100}, "multiple of 64"),
        ({"attributes": ("Male",)}, "at least two"),
        ({"attributes": ("Male", "Male")}, "once"),
        ({"focus": ("Hat",)}, "Male"),
    ],
)
def test_bad_configurations_are_refused_in_words(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Config(**changes)  # type: ignore[arg-type]


def test_golden_inputs_are_every_edit_of_heldout_faces() -> None:
    cfg = stargan.tiny()
    model, classifier = stargan.exportable(cfg, stargan.networks(cfg), cfg.train.data)
    golden = model.golden(3)
    assert golden["image"].shape == (12, 3, 16, 16) and golden["label"].shape == (12, 4)
    assert np.abs(golden["image"]).max() <= 1
    assert classifier.golden(3)["image"].shape == (3, 3, 16, 16)
    assert model.card.companions == {"classifier": "classifier.onnx"}
    assert model.card.condition.default == (1, 0, 0, 0)


def test_a_stride_two_head_starts_without_a_checkerboard() -> None:
    """A constant feature map must not come out with neighbouring pixels apart, away from the border."""
    head = Generator(3, 8, 1, stem_stride=2).main[-2]
    out = head(torch.ones(1, 8, 16, 16))[..., 8:-8, 8:-8]
    assert (out - out.mean((2, 3), keepdim=True)).abs().max() < 1e-5
