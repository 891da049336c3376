"""The techniques of Salimans et al. (2016), each by itself."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from support import contract
from support.training.improved import HAIR, OPTIONS
from support.training.resuming import resumes_exactly, train
from torch import nn

from edgegan.config import with_settings
from edgegan.families import Step, dcgan
from edgegan.families.dcgan.classes import Classifier, open_stream
from edgegan.families.dcgan.discriminator import ImprovedDiscriminator, MinibatchFeatures
from edgegan.families.dcgan.history import History, as_vector
from edgegan.families.dcgan.objective import feature_matching, smooth_d
from edgegan.runtime.errors import EdgeganError, InputError
from edgegan.train.folder.run import Run

COMPARING, CLASSIFYING = "minibatch discrimination", "classes"  # the two that cannot be together


@pytest.mark.parametrize("option", OPTIONS)
def test_each_technique_trains_by_itself_and_resumes_exactly(option: str, tmp_path: Path) -> None:
    tensors = resumes_exactly("dcgan", with_settings(dcgan.tiny(), OPTIONS[option]), tmp_path)
    plain = train(Run(_make(tmp_path / "plain"), "dcgan", dcgan.tiny(), dcgan.tiny().train.data), 16)
    assert any(key not in plain or not torch.equal(plain[key], tensors[key]) for key in tensors), "it changes nothing"


@pytest.mark.parametrize("left_out", [COMPARING, CLASSIFYING])
def test_all_of_them_together_keep_the_contract(left_out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = [setting for option, own in OPTIONS.items() if option != left_out for setting in own]
    cfg = with_settings(dcgan.tiny(), settings)
    monkeypatch.setattr(dcgan.FAMILY, "tiny", lambda: cfg)
    contract.keeps_the_contract("dcgan")
    contract.exports_are_eval_float32_modules_whose_card_tells_the_truth("dcgan")


def test_matched_features_have_no_distance_and_only_the_mean_counts() -> None:
    torch.manual_seed(0)
    features = torch.randn(6, 4, 2, 2)
    assert feature_matching(features, features.flip(0)).item() == pytest.approx(0, abs=1e-12)
    assert feature_matching(features, features + 2).item() == pytest.approx(4, rel=1e-5)


def test_the_features_to_match_are_those_of_other_pictures() -> None:
    cfg = with_settings(dcgan.tiny(), OPTIONS["feature matching"])
    streams = dcgan.streams(cfg, "avatars:16")
    assert list(streams) == ["real", "matched"]
    assert list(dcgan.streams(dcgan.tiny(), "avatars:16")) == ["real"]


def test_a_minibatch_of_one_picture_again_and_again_is_known_by_its_likeness() -> None:
    torch.manual_seed(0)
    layer = MinibatchFeatures(12, 5, 3)
    one = torch.randn(1, 12)
    assert torch.allclose(layer(one.repeat(4, 1)), torch.full((4, 5), 3.0), atol=1e-5), "N - 1 for equal pictures"
    assert torch.equal(layer(one), torch.zeros(1, 5)), "0 for a picture alone"
    far = layer(100 * torch.randn(4, 12))
    assert far.max() < 0.01, "and for pictures that have nothing in common"
    nn.init.constant_(layer.bias, 7.0)
    assert torch.allclose(layer(one), torch.full((1, 5), 7.0))


def test_the_mean_of_past_weights_is_exact_and_without_a_past_there_is_no_penalty() -> None:
    torch.manual_seed(0)
    past, history = torch.randn(7, 5), History(5)
    assert history(past[0]).item() == 0
    for weights in past:
        history.add(weights)
    assert torch.allclose(history.mean, past.mean(0), atol=1e-6) and int(history.steps) == 7
    now = torch.randn(5, requires_grad=True)
    history(now).backward()
    assert now.grad is not None and torch.allclose(now.grad, 2 * (now.detach() - past.mean(0)), atol=1e-5)


def test_historical_averaging_remembers_each_step_of_both_players(tmp_path: Path) -> None:
    cfg = with_settings(dcgan.tiny(), OPTIONS["historical averaging"])
    tensors = train(Run(tmp_path, "dcgan", cfg, cfg.train.data), cfg.train.batch)
    nets = dcgan.networks(cfg)
    for name in ("generator", "discriminator"):
        assert int(tensors[f"net/{name}_history/steps"]) == 1
        state = {key: tensors[f"net/{name}/{key}"] for key in nets[name].state_dict()}
        nets[name].load_state_dict(state)
        assert torch.equal(tensors[f"net/{name}_history/mean"], as_vector(nets[name]).detach())


def test_smoothing_of_one_side_lowers_how_sure_the_best_discriminator_is() -> None:
    """Where both kinds are equally likely, the best answer is target / 2; and real pictures are never quite sure."""
    scores = torch.linspace(-6, 6, 24001)
    both = torch.stack([smooth_d(s, s, 0.9) for s in scores])
    assert torch.sigmoid(scores[both.argmin()]).item() == pytest.approx(0.45, abs=1e-3)
    plain = torch.stack([smooth_d(s, s, 1.0) for s in scores])
    assert torch.sigmoid(scores[plain.argmin()]).item() == pytest.approx(0.5, abs=1e-3)
    real = torch.stack([smooth_d(s, torch.tensor(-9.0), 0.9) for s in scores])
    assert torch.sigmoid(scores[real.argmin()]).item() == pytest.approx(0.9, abs=1e-3)


def test_a_smoothed_discriminator_is_less_sure_of_real_pictures() -> None:
    """The same networks and pictures, 60 steps of the discriminator alone."""
    sure = {}
    for target in (1.0, 0.9):
        cfg = replace(dcgan.tiny(), real_target=target, d_lr=0.002)
        torch.manual_seed(0)
        nets = dcgan.networks(cfg)
        _, phase = dcgan.phases(cfg, nets)
        real, fake = torch.rand(8, 3, 16, 16), -torch.rand(8, 3, 16, 16)
        for _ in range(60):
            step = Step({"real": {"image": real}}, first_image=0, seed=0, scratch={dcgan.objective.FAKES: fake})
            phase.optimiser.zero_grad()
            loss, parts = phase.loss_fn(step)
            loss.backward()  # type: ignore[no-untyped-call]
            phase.optimiser.step()
        sure[target] = parts["real"].item()
    assert sure[1.0] > 0.97 and sure[0.9] == pytest.approx(0.9, abs=0.03)


def test_the_score_with_classes_is_what_the_implied_class_leaves_over() -> None:
    torch.manual_seed(0)
    d = dcgan.networks(with_settings(dcgan.tiny(), OPTIONS["classes"]))["discriminator"]
    assert isinstance(d, ImprovedDiscriminator)
    features = torch.randn(5, d.body.width)
    logits = torch.cat([d.logits(features), torch.zeros(5, 1)], dim=1)
    assert torch.allclose(torch.sigmoid(d.score(features)), 1 - logits.softmax(1)[:, -1], atol=1e-6)


def test_few_pictures_show_their_class_and_each_has_one() -> None:
    cfg = with_settings(dcgan.tiny(), OPTIONS["classes"])
    few = open_stream(cfg, "avatars:16")["labelled"]
    assert len(few) == 8 and len(open_stream(replace(cfg, labelled=99), "avatars:16")["labelled"]) == 16
    assert few.item(3, np.random.default_rng(0))["label"].sum() == 1
    with pytest.raises(InputError, match="exactly one"):
        open_stream(replace(cfg, classes=("Eyeglasses", "Smiling")), "avatars:16")


def test_the_discriminator_with_classes_exports_as_a_classifier_and_its_error_is_a_figure() -> None:
    cfg = with_settings(dcgan.tiny(), OPTIONS["classes"])
    torch.manual_seed(0)
    nets = dcgan.networks(cfg)
    model, spec = dcgan.exportable(cfg, nets, "avatars:16")
    assert model.card.companions == {"classifier": "classifier.onnx"} and spec.card.condition.names == HAIR
    assert isinstance(spec.module, Classifier)
    image = torch.from_numpy(spec.golden(3)["image"])
    with torch.no_grad():
        likely = spec.module(image)
        assert torch.allclose(likely.sum(1), torch.ones(3)) and torch.allclose(
            spec.module(image[:1]), likely[:1], atol=1e-5
        )
    figures = dcgan.validate(cfg, nets, "avatars:16")
    assert list(figures)[0] == "swd" and 0 <= figures["class_error"] <= 1
    assert len(dcgan.exportable(dcgan.tiny(), dcgan.networks(dcgan.tiny()), "")) == 1


def test_few_labels_and_many_pictures_teach_the_classes(tmp_path: Path) -> None:
    """Two classes that a mean colour tells apart: after a hundred steps nearly all held-out pictures are right."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 12)):
        for name, level in (("dark", 60), ("light", 190)):
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                noise = rng.integers(-50, 50, (16, 16, 3))
                Image.fromarray((level + noise).astype(np.uint8)).save(folder / f"{i}.png")
    settings = ['classes=["dark", "light"]', "labelled=10", "train.batch=8", "d_lr=0.001"]
    cfg = with_settings(dcgan.tiny(), settings)
    data = f"folders:{tmp_path}"
    run = Run(_make(tmp_path / "run"), "dcgan", cfg, data)
    tensors = train(run, 400)
    nets = dcgan.networks(cfg)
    d = nets["discriminator"]
    d.load_state_dict({key: tensors[f"net/discriminator/{key}"] for key in d.state_dict()})
    assert dcgan.validate(cfg, nets, data)["class_error"] < 0.1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["real_target=0.4"], "real_target"),
        (['classes=["one"]'], "two or more"),
        (['classes=["a", "a"]'], "two or more"),
        (["body=mlp", "norm=virtual"], "norm=virtual"),
        (['classes=["a", "b"]', "minibatch_kernels=5"], "knows a picture alone"),
        (["generator_loss=l1"], "generator_loss"),
    ],
)
def test_configurations_that_cannot_work_are_refused(settings: list[str], words: str) -> None:
    with pytest.raises(EdgeganError) as error:
        with_settings(dcgan.Config(), settings)
    assert words in str(error.value)


def test_chance_is_unchanged_without_options() -> None:
    zero = torch.zeros(3)
    assert smooth_d(zero, zero, 1.0).item() == pytest.approx(2 * math.log(2))


def _make(folder: Path) -> Path:
    folder.mkdir()
    return folder
