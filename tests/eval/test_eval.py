"""The counterfactual measure: what it must say of editors whose quality is known."""

from __future__ import annotations

import numpy as np
import pytest

from edgegan.data import avatars, normalise
from edgegan.eval import counterfactual
from edgegan.eval.judge import Judge, attribute_judge
from edgegan.runtime.drawn.avatars import ATTRIBUTES
from edgegan.runtime.model.condition import Condition

SIZE = 64
NAMES = ATTRIBUTES


@pytest.fixture(scope="module")
def pictures() -> avatars.AvatarPictures:
    return avatars.AvatarPictures(12, size=SIZE, names=NAMES, split="heldout")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return attribute_judge(SIZE, NAMES)


def test_the_judge_reads_heldout_faces(pictures: avatars.AvatarPictures, judge: Judge) -> None:
    figures = counterfactual.score(lambda images, labels: images, pictures, judge)
    assert min(figures["judge_accuracy"].values()) >= 0.95


def test_returning_the_input_lands_nothing_and_keeps_everything(pictures: avatars.AvatarPictures, judge: Judge) -> None:
    all_ = counterfactual.score(lambda images, labels: images, pictures, judge)["all"]
    assert all_["landed"] < 0.05
    assert all_["preserved"] > 0.95
    assert all_["psnr_inside_db"] == all_["input_psnr_inside_db"] < 20
    assert all_["psnr_outside_db"] > 45
    assert all_["ssim_inside"] == all_["input_ssim_inside"] < all_["ssim"] < all_["ssim_outside"]


def test_the_true_answers_score_full_marks(pictures: avatars.AvatarPictures, judge: Judge) -> None:
    cases, _ = counterfactual.cases(pictures)
    answers = {(normalise(pictures.picture(c.face)).tobytes(), c.target.tobytes()): c.truth for c in cases}

    def oracle(images: counterfactual.Arrays, labels: counterfactual.Arrays) -> counterfactual.Arrays:
        pairs = zip(images, labels, strict=True)
        return np.stack([normalise(answers[i.tobytes(), t.tobytes()]) for i, t in pairs])

    figures = counterfactual.score(oracle, pictures, judge)
    assert figures["all"]["landed"] > 0.95 and figures["all"]["preserved"] > 0.95
    assert figures["all"]["psnr_inside_db"] == figures["all"]["psnr_outside_db"] == 60.0
    assert figures["all"]["ssim_inside"] == figures["all"]["ssim_outside"] == figures["all"]["ssim"] == 1.0


def test_hair_under_a_hat_is_left_out_and_counted(pictures: avatars.AvatarPictures) -> None:
    cases, left_out = counterfactual.cases(pictures)
    hats = sum(pictures.is_hidden(i, "Black_Hair") for i in range(len(pictures)))
    assert 0 < hats < len(pictures)
    assert left_out == 3 * hats
    assert len(cases) == 7 * len(pictures) - left_out
    assert not any(c.name.endswith("_Hair") and pictures.is_hidden(c.face, c.name) for c in cases)


def test_a_joint_model_is_given_the_labels_of_the_set_that_knows_the_edit(pictures: avatars.AvatarPictures) -> None:
    sets = (NAMES[:5], NAMES[5:])
    condition = Condition(
        kind="binary", names=NAMES, groups=(NAMES[:4],), mask_slots=2, sets=sets, default=(0.0,) * len(NAMES)
    )
    cases, _ = counterfactual.cases(pictures, condition)
    for case in cases:
        known = [name in sets[0] for name in NAMES] if case.name in sets[0] else [name in sets[1] for name in NAMES]
        mask = [1.0, 0.0] if case.name in sets[0] else [0.0, 1.0]
        assert case.vector.tolist() == [*(case.target * known), *mask]
    assert len({case.vector[-2:].tobytes() for case in cases}) == 2
    alone, _ = counterfactual.cases(
        pictures, Condition(kind="binary", names=NAMES, groups=(NAMES[:4],), default=(0,) * 8)
    )
    assert all((case.vector == case.target).all() for case in alone)
