"""StarGAN trained on several label sets at once (paper, section 3.3)."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from support.training.joint import FACE, HEAD, joint, mix_sets, networks
from torch import Tensor

from edgegan import config
from edgegan.data import avatars as avatar_data
from edgegan.families import Step, stargan
from edgegan.families.stargan import objective
from edgegan.families.stargan.config import Config
from edgegan.families.stargan.networks import Classifier
from edgegan.families.stargan.players import Players
from edgegan.families.stargan.sets import LabelSet
from edgegan.runtime.drawn import avatars
from edgegan.runtime.errors import InputError


def one_step(cfg: Config, labels: dict[str, Tensor]) -> Step:
    generator = torch.Generator().manual_seed(0)
    pictures = {name: torch.randn(len(y), 3, cfg.size, cfg.size, generator=generator) for name, y in labels.items()}
    return Step({name: {"image": pictures[name], "label": y} for name, y in labels.items()}, first_image=8, seed=0)


def gradients(loss: Tensor, net: torch.nn.Module) -> dict[str, Tensor]:
    net.zero_grad()
    torch.autograd.backward(loss)
    return {name: p.grad for name, p in net.named_parameters() if p.grad is not None}


def test_the_paper_joint_model_has_the_papers_layout() -> None:
    """[5 CelebA attributes | 8 RaFD expressions | 2 mask entries] to G; all 13 labels, and no mask, in D."""
    cfg = config.load(Config, "stargan", "joint-celeba-rafd-256")
    with torch.device("meta"):
        nets = stargan.networks(cfg)
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}
    assert counts == {"generator": 8_461_888, "discriminator": 45_147_072}
    assert cfg.label_width == 15 and len(cfg.attributes) == 13
    celeba, rafd = cfg.slots
    every = torch.arange(1.0, 14.0)
    assert celeba.condition(every).tolist() == [1, 2, 3, 4, 5] + [0] * 8 + [1, 0]
    assert rafd.condition(every).tolist() == [0] * 5 + [6, 7, 8, 9, 10, 11, 12, 13] + [0, 1]


def test_the_generator_is_told_what_the_discriminator_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = joint()
    nets = networks(cfg)
    g, d = nets["generator"], nets["discriminator"]
    seen: list[Tensor] = []
    g.main.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][:, 3:, 0, 0]))  # type: ignore[union-attr]
    widths: set[int] = set()
    d.main.register_forward_pre_hook(lambda _, inputs: widths.add(inputs[0].shape[1]))  # type: ignore[union-attr]
    step = one_step(cfg, {"head": torch.eye(3).repeat(2, 1), "face": torch.ones(4, 2)})
    for slot, mask in zip(cfg.slots, ([1.0, 0.0], [0.0, 1.0]), strict=True):
        seen.clear()
        objective.g_loss(cfg, Players.of(nets), step, slot)
        assert len(seen) == 2  # there and back
        for vector in seen:
            assert vector.shape[1] == 3 + 2 + 2
            assert (vector[:, 5:] == torch.tensor(mask)).all()
            foreign = torch.ones(5, dtype=torch.bool)
            foreign[slot.here] = False
            assert not vector[:, :5][:, foreign].any()
            assert vector[:, :5][:, slot.here].any()
    assert widths == {3}, "the discriminator sees pictures alone"


@pytest.mark.parametrize("kind", ["attributes", "one_hot"])
def test_only_the_labels_a_set_knows_are_classified(kind: str) -> None:
    cfg = mix_sets()
    slot = next(s for s in cfg.slots if s.set.kind == kind)
    d = networks(cfg)["discriminator"]
    labels = {"faces": torch.ones(4, 2), "moods": torch.eye(3)[[0, 1, 2, 2]]}
    step = one_step(cfg, labels)
    real = slot.batch(step)
    assert torch.equal(real["label"][:, slot.here], labels[slot.set.name])
    loss = objective.classification(cfg, slot, d(real["image"])[1], real["label"])
    head = gradients(loss, d)["conv2.weight"].flatten(1).abs().sum(1)
    known = torch.zeros(5, dtype=torch.bool)
    known[slot.here] = True
    assert (head[known] > 0).all() and not head[~known].any()


def test_attributes_are_binary_and_classes_softmax() -> None:
    """Indifferent logits: ln 2 for each attribute, ln N for one of N classes."""
    cfg = mix_sets()
    faces, moods = cfg.slots
    step = one_step(cfg, {"faces": torch.tensor([[1.0, 0.0]]), "moods": torch.tensor([[0.0, 1.0, 0.0]])})
    logits = torch.zeros(1, 5)
    for slot, expected in ((faces, 2 * np.log(2)), (moods, np.log(3))):
        loss = objective.classification(cfg, slot, logits, slot.batch(step)["label"])
        assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_the_class_heads_probabilities_are_those_of_their_kind() -> None:
    cfg = mix_sets()
    d = networks(cfg)["discriminator"]
    x = torch.randn(3, 3, 16, 16)
    with torch.no_grad():
        logits, found = d(x)[1], Classifier(d, cfg.one_hot_places)(x)
    torch.testing.assert_close(found[:, :2], torch.sigmoid(logits[:, :2]))
    torch.testing.assert_close(found[:, 2:], torch.softmax(logits[:, 2:], 1))


def test_targets_stay_within_the_set() -> None:
    cfg = joint(targets="single")
    head, face = cfg.slots
    own = torch.tensor([[1.0, 0, 0]]).repeat(60, 1)
    step = one_step(cfg, {"head": own, "face": torch.ones(60, 2)})
    target = objective.target_labels(cfg, step, head)
    assert not target[:, 3:].any() and torch.equal(target[:, :2].sum(1), torch.ones(60))
    changed = objective.target_labels(cfg, step, face) != face.batch(step)["label"]
    assert not changed[:, :3].any() and torch.equal(changed[:, 3:].sum(1), torch.ones(60))


def test_every_round_takes_a_step_with_each_set_and_shares_the_optimisers() -> None:
    cfg = joint(adversarial="hinge-r1")
    phases = stargan.phases(cfg, networks(cfg))
    assert [p.name for p in phases] == ["D_head", "R1_head", "G_head", "D_face", "R1_face", "G_face"]
    assert len({id(p.optimiser) for p in phases}) == 2
    alone = stargan.phases(stargan.tiny(), stargan.networks(stargan.tiny()))
    assert [p.name for p in alone] == ["D", "G"]


def test_the_sets_share_no_face() -> None:
    streams = stargan.streams(joint(), joint().train.data)
    assert list(streams) == ["head", "face"] and [len(s) for s in streams.values()] == [12, 10]
    first, second = (
        {f.seed for f in avatar_data.open_data(place, size=16, names=(), split="train")._faces}
        for place in ("12@1", "12@2")
    )
    assert not first & second and len(first | second) == 24
    one, two = (avatar_data.open_data(p, size=16, names=(), split="heldout") for p in ("12@2", "12"))
    assert np.array_equal(one.picture(0), two.picture(0))  # held-out faces are the same for all


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"sets": (LabelSet(name="a", attributes=HEAD), LabelSet(name="b", attributes=HEAD))}, "in one set only"),
        ({"sets": (LabelSet(name="a", attributes=HEAD), LabelSet(name="a", attributes=FACE))}, "a name of its own"),
        ({"sets": (LabelSet(name="a b", attributes=HEAD), LabelSet(name="c", attributes=FACE))}, "a name of its own"),
        ({"attributes": ("Male", "Young")}, "each of the sets only"),
        ({"kind": "one_hot"}, "in each of the sets"),
        ({"sets": (LabelSet(name="a", attributes=HEAD), LabelSet(name="b", kind="one_hot", attributes=("x",)))}, "two"),
        ({"sets": (LabelSet(name="a", attributes=HEAD), LabelSet(name="b", attributes=()))}, "at least two domains"),
        ({"balance": ("Male",)}, "the attributes are: Black_Hair"),
        (
            {
                "sets": (LabelSet(name="a", attributes=FACE), LabelSet(name="b", kind="one_hot", attributes=HEAD)),
                "hides": {"Smiling": ("Black_Hair",)},
            },
            "always seen",
        ),
    ],
)
def test_sets_that_cannot_train_together_are_refused_in_words(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        joint(**changes)


@pytest.mark.parametrize(
    "data,words",
    [
        ("avatars:8", "names none of the data sets head, face"),
        ("head=avatars:8,hair=avatars:8", "names none of the data sets"),
        ("head=avatars:8,head=avatars:9", "named twice"),
        ("head=", "names none"),
        ("head=avatars:8@0", "not a part"),
        ("head=avatars:@2", "not a part"),
    ],
)
def test_data_that_names_the_sets_wrongly_is_refused_in_words(data: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        stargan.streams(joint(), data)


def test_a_set_without_pictures_is_named() -> None:
    with pytest.raises(InputError, match="no pictures are named for moods"):
        stargan.streams(mix_sets(), "faces=avatars:8")


def test_the_resolved_config_tells_all_attributes_and_where_the_pictures_are() -> None:
    cfg = config.load(Config, "stargan", "avatars-joint-64")
    assert cfg.attributes == ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair", "Wearing_Hat") + (
        "Eyeglasses",
        "Goatee",
        "Smiling",
    )
    assert cfg.groups == (avatars.HAIR,)
    assert cfg.train.data == "head=avatars:4000@1,face=avatars:4000@2"
    assert config.build(Config, msgspec.to_builtins(cfg)) == cfg
    assert config.with_settings(cfg, ["train.batch=4"]).sets == cfg.sets
