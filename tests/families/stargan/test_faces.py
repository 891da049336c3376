"""StarGAN for small sets of faces: projected discriminator, FiLM, fine-tuned classifier, guides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from support.faces.photographs import GEOMETRY, Shot, write_face_set
from support.needed import needed
from torch import Tensor

from edgegan.config import build, with_settings
from edgegan.data._faces.augmentation import Augmentation
from edgegan.families import Step, stargan
from edgegan.families.stargan import Config, objective
from edgegan.families.stargan.export import condition
from edgegan.families.stargan.film import FilmGenerator
from edgegan.families.stargan.players import Players
from edgegan.runtime.errors import InputError
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run
from edgegan.train.loop import Budget, Trainer
from edgegan.train.reporter import Silence

needed("efficientnet_lite_pytorch", "train")
needed("skimage", "train")
NAMES = ("Black_Hair", "Brown_Hair", "Eyeglasses")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> str:
    splits = ("train", "train", "train", "heldout")
    shots = [Shot(1 - n / 8, split, (int(n == 1), int(n != 1), 0)) for n, split in enumerate(splits)]
    return write_face_set(tmp_path_factory.mktemp("faces"), NAMES, shots)


def tiny(data: str, **changes: object) -> Config:
    values: dict[str, object] = {
        "size": 32, "attributes": NAMES, "conditioning": "film", "discriminator": "projected", "adversarial": "hinge",
        "classifier": "finetuned", "classifier_images": 8, "conv_dim": 4, "blocks": 1, "mask": True, "n_critic": 1,
        "targets": "single", "lambda_rec": 0.0, "lambda_guide": 10.0, "d_augment": ("colour", "cutout"),
        "d_augment_strength": 0.3, "balance": ("Black_Hair",), "alignment": GEOMETRY.alignment,
    }  # fmt: skip
    train = {
        "data": data,
        "batch": 4,
        "images": 16,
        "sample_images": 99,
        "validate_images": 99,
        "checkpoint_images": 99,
    }

    return build(Config, {**values, **changes, "train": train})


def train_faces(cfg: Config, folder: Path, images: int, *, resume: bool = False) -> Trainer:
    run = Run(folder, "stargan", cfg, cfg.train.data)
    trainer = Trainer(run, torch.device("cpu"))
    if resume:
        trainer.restore(run.latest())
    trainer.train(Budget(images), Silence())
    return trainer


def test_four_rounds_equal_two_a_resume_and_two(faces: str, tmp_path: Path) -> None:
    cfg = tiny(faces)
    whole = train_faces(cfg, tmp_path / "whole", 16)
    train_faces(cfg, tmp_path / "parts", 8)
    parts = train_faces(cfg, tmp_path / "parts", 16, resume=True)
    for name, net in whole.nets.items():
        for key, value in net.state_dict().items():
            assert torch.equal(value, parts.nets[name].state_dict()[key]), (name, key)


def test_the_classifier_learns_first_alone_and_then_rests(faces: str, tmp_path: Path) -> None:
    cfg = tiny(faces)
    torch.manual_seed(cfg.train.seed)
    fresh = stargan.networks(cfg)
    first = train_faces(cfg, tmp_path / "a", 8)
    later = train_faces(cfg, tmp_path / "a", 16, resume=True)

    def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
        return all(torch.equal(v, b.state_dict()[k]) for k, v in a.state_dict().items())

    assert same(fresh["generator"], first.nets["generator"]) and not same(fresh["classifier"], first.nets["classifier"])
    assert same(first.nets["classifier"], later.nets["classifier"])
    assert not same(first.nets["generator"], later.nets["generator"])
    assert not same(first.nets["discriminator"], later.nets["discriminator"])


def showings(faces: str, cfg: Config, count: int) -> Step:
    stream = stargan.streams(cfg, faces)["real"]
    items = [stream.item(i % len(stream), np.random.default_rng(i)) for i in range(count)]
    batch = {key: torch.from_numpy(np.stack([i[key] for i in items])) for key in items[0]}
    return Step({"real": batch}, 0, 0)


def list_changed(cfg: Config, label: Tensor, target: Tensor) -> list[tuple[str, ...]]:
    """The decisions in which two labels (C,) differ."""
    differ = dict(zip(cfg.attributes, (label != target).tolist(), strict=True))
    return [names for names in cfg.decisions if any(differ[name] for name in names)]


def test_dyed_hair_is_nothing_that_was_put_on(faces: str) -> None:
    cfg = tiny(faces, augmentation=Augmentation(hair=1.0))
    batch = (step := showings(faces, cfg, 24)).real
    own, target = batch["source_label"], objective.target_labels(cfg, step, *cfg.slots)
    grouped = torch.tensor([any(name in g for g in cfg.groups) for name in cfg.attributes])
    dressed = ((own != batch["label"]) & ~grouped).any(1)
    dyed = ((own != batch["label"]) & grouped).any(1) & ~dressed
    assert dyed.any() and dressed.any()
    assert torch.equal(target[dressed][:, grouped], own[dressed][:, grouped])
    assert torch.equal(target[dressed][:, ~grouped], batch["label"][dressed][:, ~grouped])
    assert (target[dyed] != batch["label"][dyed]).any(1).any(), "it is not always dyed back"
    assert all(len(list_changed(cfg, *pair)) <= 1 for pair in zip(own, target, strict=True))


def test_what_was_put_on_is_what_is_taken_off(faces: str) -> None:
    cfg = tiny(faces)
    step = showings(faces, cfg, 16)
    batch = step.real
    target = objective.target_labels(cfg, step, *cfg.slots)
    dressed = (batch["source_label"] != batch["label"]).any(1)
    assert 0 < int(dressed.sum()) < 16
    assert torch.equal(target[dressed], batch["label"][dressed])
    assert (target[~dressed] != batch["label"][~dressed]).any()
    assert all(len(list_changed(cfg, *pair)) <= 1 for pair in zip(batch["source_label"], target, strict=True))
    rows = torch.arange(16)
    edit = (target - batch["source_label"]).abs().argmax(1)
    on = (target - batch["source_label"] > 0.5).any(1)
    edit = torch.where(on, (target - batch["source_label"]).argmax(1), edit)
    changed = (target != batch["source_label"]).any(1)
    right = torch.where(changed[:, None, None, None], batch["guide"][rows, edit], batch["source"])
    assert float(objective.guide_distance(cfg, batch, right, target)) < 1e-6
    assert float(objective.guide_distance(cfg, batch, right + 0.1, target)) > 0.05
    assert float(objective.guide_distance(cfg, batch, batch["source"], target)) > 0.01
    # The same error in each pixel costs more where it has one sign everywhere: a colour that is off as a whole.
    signs = torch.tensor([1.0, -1.0]).repeat(16).expand(32, 32)
    alike, mixed = (float(objective.guide_distance(cfg, batch, right + 0.1 * s, target)) for s in (1.0, signs))
    assert alike > 2.0 * mixed


def test_two_decisions_change_in_every_second_picture(faces: str) -> None:
    cfg = tiny(faces, targets="one_or_two")
    step = showings(faces, cfg, 64)
    own, real = step.real["source_label"], step.real["label"]
    target = objective.target_labels(cfg, step, *cfg.slots)
    counts = [len(list_changed(cfg, *pair)) for pair in zip(own, target, strict=True)]
    assert set(counts) == {0, 1, 2}, "a hair colour may be asked for that is there"
    assert 10 <= counts.count(2) <= 38
    glasses = cfg.attributes.index("Eyeglasses")
    dressed = own[:, glasses] != real[:, glasses]
    assert torch.equal(target[dressed, glasses], real[dressed, glasses])
    assert (target[dressed] != real[dressed]).any(), "hair changes below drawn glasses, too"
    assert (target[:, :2].sum(1) == 1).all(), "one hair colour each"


def test_the_guide_of_two_changes_shows_both(faces: str) -> None:
    cfg = tiny(faces, targets="one_or_two")
    batch = showings(faces, cfg, 16).real
    source, glasses = batch["source"], cfg.attributes.index("Eyeglasses")
    hair = batch["source_label"][:, :2].argmin(1)  # the colour that it is not
    target = batch["source_label"].clone()
    target[:, :2] = torch.eye(2)[hair]
    target[:, glasses] = 1.0 - target[:, glasses]
    guide, weight = objective.compose_guide(cfg, batch, target)
    by_hair, by_glasses = batch["guide"][torch.arange(16), hair], batch["guide"][:, glasses]
    recoloured, redrawn = ((alone - source).abs().amax(1) > 0.02 for alone in (by_hair, by_glasses))
    for there, alone in ((recoloured & ~redrawn, by_hair), (redrawn & ~recoloured, by_glasses)):
        assert there.any() and float((guide - alone).abs().amax(1)[there].mean()) < 0.01
    # Thin frames must not drown in long hair: each change has its own share of the weight.
    assert float(weight[:, 0][redrawn & ~recoloured].mean()) > float(weight[:, 0][recoloured & ~redrawn].mean())


@pytest.mark.parametrize(
    ("changes", "alone"),
    [({}, True), ({"targets": "one_or_two"}, False), ({"targets": "permute"}, False), ({"lambda_guide": 0.0}, False)],
)
def test_the_card_says_where_training_showed_one_change_alone(changes: dict[str, object], alone: bool) -> None:
    cfg = tiny("", **changes)
    assert condition(cfg, masked=True).one_at_a_time == alone


def test_the_guide_alone_teaches_the_edit(faces: str, tmp_path: Path) -> None:
    """Without an opponent, on three pictures, the distance to the guides falls by a fifth in sixty rounds."""
    cfg = with_settings(tiny(faces), ["train.images=248", "g_lr=2e-3", "lambda_cls=0.0", "conv_dim=8"])
    run = Run(tmp_path, "stargan", cfg, faces)
    trainer = Trainer(run, torch.device("cpu"))
    before = stargan.validate(cfg, trainer.nets, faces)["guide"]
    trainer.train(Budget(248), Silence())
    assert stargan.validate(cfg, trainer.nets, faces)["guide"] < 0.8 * before


def test_film_generators_take_multiples_of_eight_and_are_what_the_configuration_says(faces: str) -> None:
    cfg = tiny(faces)
    g = Players.of(stargan.networks(cfg)).g
    assert isinstance(g, FilmGenerator) and cfg.multiple == 8
    with torch.no_grad():
        edited, mask = g.parts(torch.zeros(2, 3, 40, 24), torch.eye(3)[:2])
    assert edited.shape == (2, 3, 40, 24) and mask is not None and mask.shape == (2, 1, 40, 24)
    assert not torch.equal(edited[0, :, 16:24, 8:16], edited[1, :, 16:24, 8:16])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"adversarial": "wgan-gp"}, "adversarial=hinge"),
        ({"size": 40}, "a multiple of 32"),
        ({"kind": "one_hot"}, "classifier=head"),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        tiny("", **changes)


def test_a_checkpoint_repeats_no_weights_that_a_package_holds(faces: str, tmp_path: Path) -> None:
    train_faces(tiny(faces), tmp_path, 4)
    found = checkpoint.load(next((tmp_path / "checkpoints").glob("0*.safetensors")))
    assert not [key for key in found.tensors if key.startswith("net/discriminator") and "backbone" in key]


def test_fastgan_trains_against_a_projected_discriminator(tmp_path: Path) -> None:
    needed("dicebear", "avatars")
    from edgegan.families import fastgan
    from edgegan.train.reporter import Reporter

    cfg = with_settings(fastgan.tiny(), ["discriminator=projected", "train.images=8"])
    run = Run(tmp_path, "fastgan", cfg, cfg.train.data)
    trainer = Trainer(run, torch.device("cpu"))
    before = {k: v.clone() for k, v in trainer.nets["generator"].state_dict().items()}
    with Reporter(run, 8, 0, Console(quiet=True)) as reporter:
        trainer.train(Budget(8), reporter)
    assert any(not torch.equal(v, before[k]) for k, v in trainer.nets["generator"].state_dict().items())
    assert list((tmp_path / "samples").glob("*.png"))


def test_the_adversarial_loss_counts_by_its_weight(faces: str) -> None:
    step = Step({"real": {"image": torch.rand(4, 3, 32, 32) * 2 - 1, "label": torch.eye(3)[[0, 1, 2, 0]]}}, 0, 0)
    players = Players.of(stargan.networks(tiny(faces)))
    found = {}
    for weight in (1.0, 0.25):
        cfg = tiny(faces, lambda_adv=weight, lambda_guide=0.0, lambda_cls=0.0, d_augment=())
        total, parts = objective.g_loss(cfg, players, step, *cfg.slots)
        found[weight] = total.item()
        assert total.item() == pytest.approx(weight * parts["adv"].item())
    assert found[1.0] != found[0.25]
