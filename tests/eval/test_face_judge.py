"""What the judge of photographed faces learns from, how far it is believed, and two changes at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.faces.photographs import Shot, write_face_set
from support.needed import needed

from edgegan.data import open_labelled
from edgegan.data._faces.augmentation import Augmentation
from edgegan.data._faces.hair import measure_hair, recolour
from edgegan.data._faces.masks import HAIR
from edgegan.data._faces.stream import FaceStream
from edgegan.data.faces import FacePictures
from edgegan.eval.photographs import accuracy, at_once, dyeing
from edgegan.eval.photographs.judge import FaceJudge
from edgegan.eval.subject import Arrays, Subject
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.condition import Condition

needed("skimage", "train")
needed("efficientnet_lite_pytorch", "train")
NAMES = ("Black_Hair", "Brown_Hair", "Eyeglasses")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FacePictures:
    """The astronaut four times, darker and darker, black and brown in turn."""
    shots = [Shot(1 - n / 8, "train", (n % 2, 1 - n % 2, int(n == 3), int(n > 1))) for n in range(4)]
    spec = write_face_set(tmp_path_factory.mktemp("faces"), (*NAMES, "Male"), shots)
    found = open_labelled(spec, size=64, names=NAMES, split="train")
    assert isinstance(found, FacePictures) and len(found) == 4
    return found


def show(faces: FacePictures, index: int) -> tuple[Arrays, Arrays]:
    """A picture (H, W, 3) in [0, 1] and how much of each pixel is hair."""
    mask = faces.crop_mask(index)
    assert mask is not None
    return faces.picture(index).astype(np.float32) / 255.0, (mask == HAIR).astype(np.float32)


def test_hair_gets_the_colours_of_the_person_who_lends_them_and_nothing_else_changes(faces: FacePictures) -> None:
    (picture, hair), (other, others_hair) = show(faces, 0), show(faces, 3)
    own, wanted = (dyeing.measure_levels(p, h > 0.5) for p, h in ((picture, hair), (other, others_hair)))
    assert own is not None and wanted is not None and np.abs(own - wanted).max() > 10
    dyed = dyeing.dye(picture, hair, own, wanted)
    after = dyeing.measure_levels(dyed, hair > 0.5)
    assert after is not None and np.abs(after - wanted)[3:-3].max() < 2.0, "in units of CIELAB"
    assert np.array_equal(dyed[hair == 0], picture[hair == 0])
    assert np.abs(dyeing.dye(picture, hair, own, own) - picture).max() < 5e-3


def test_the_judge_is_not_shown_what_guides_generators(faces: FacePictures) -> None:
    (picture, hair), (other, others_hair) = show(faces, 0), show(faces, 3)
    levels = [dyeing.measure_levels(p, h > 0.5) for p, h in ((picture, hair), (other, others_hair))]
    colours = [measure_hair(p, h > 0.5) for p, h in ((picture, hair), (other, others_hair))]
    assert all(x is not None for x in (*levels, *colours))
    dyed = dyeing.dye(picture, hair, *levels)  # type: ignore[arg-type]
    guide = recolour(picture, hair, *colours)  # type: ignore[arg-type]
    assert np.abs(dyed - guide)[hair > 0.5].mean() > 0.01


def test_every_colour_comes_to_everybody_and_the_label_says_so(faces: FacePictures) -> None:
    plain, always = (
        FaceStream(faces, size=64, augmentation=Augmentation(), flip=True, guides=False, dye=dye)
        for dye in (None, dyeing.Dye(faces, share=1.0))
    )
    seen = np.zeros((4, 2))
    for number in range(160):
        dyed = always.item(number % 4, np.random.default_rng(number))
        label = dyed["label"]
        assert label[:2].sum() == 1 and label[2] == plain.item(number % 4, np.random.default_rng(number))["label"][2]
        seen[number % 4] += label[:2]
    assert (seen >= 10).all(), "40 showings each, half of them of each colour"
    half = dyeing.Dye(faces, share=0.5)
    picture, hair = show(faces, 0)
    kept = [half(picture, hair, faces.label(0), np.random.default_rng(i))[0] is picture for i in range(100)]
    assert 30 < sum(kept) < 70
    assert always._dye is not None
    bald = always._dye(picture, np.zeros_like(hair), faces.label(0), np.random.default_rng(0))
    assert bald[0] is picture and np.array_equal(bald[1], faces.label(0))


def test_the_judge_is_checked_on_each_group_of_real_people(faces: FacePictures) -> None:
    judge, pictures = FaceJudge(3).eval(), [faces.picture(i) for i in range(4)]
    answers = accuracy.check_judge(judge, faces, pictures)
    whole, groups = accuracy.average_answers(answers), accuracy.measure_groups(judge, faces, pictures)["Male"]
    assert {row["Male"]: row["faces"] for row in groups} == {"no": 2, "yes": 2}
    for key in ("Black_Hair/Brown_Hair", "Eyeglasses"):
        assert sum(row[key] * row["faces"] for row in groups) == pytest.approx(4 * whole[key])


@pytest.mark.parametrize("alone", [False, True])
def test_two_changes_go_through_the_model_as_the_card_says_and_count_where_both_land(
    faces: FacePictures, alone: bool
) -> None:
    condition = Condition(kind="binary", names=NAMES, groups=(NAMES[:2],), default=(1.0, 0.0, 0.0), one_at_a_time=alone)
    image = TensorSpec(name="image", dtype="float32", shape=(1, 3, 64, 64), layout="NCHW", value_range=(-1.0, 1.0))
    card = ModelCard(
        name="x", family="x", task="translate", inputs=(image,), outputs=(image,), size=SizeRule(hw=(64, 64)),
        condition=condition,
    )  # fmt: skip
    told: list[Arrays] = []

    def write_label(inputs: dict[str, Arrays]) -> Arrays:
        """A picture whose three channels are what was asked for."""
        told.append(inputs["label"])
        return np.broadcast_to(inputs["label"][:, :, None, None], inputs["image"].shape) * 2 - 1

    class Channels(FaceJudge):
        """Reads those channels."""

        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            return 10.0 * picture.mean((2, 3))

    pictures = [faces.picture(i) for i in range(4)]
    rows = at_once.score_both(Subject(write_label, card, "a model"), faces, pictures, Channels(3))  # type: ignore[arg-type]
    assert [(tuple(r["pair"]), r["edits"], r["both_landed"]) for r in rows] == [
        (("Black_Hair", "Eyeglasses"), 2, 1.0), (("Brown_Hair", "Eyeglasses"), 2, 1.0)
    ]  # fmt: skip
    assert len(told) == (4 if alone else 2)
    if alone:
        assert [v.tolist() for v in told[:2]] == [[[1, 0, 0], [1, 0, 0]], [[1, 0, 1], [1, 0, 1]]]

    def forget_glasses(inputs: dict[str, Arrays]) -> Arrays:
        return write_label({**inputs, "label": inputs["label"] * np.float32([1, 1, 0])})

    rows = at_once.score_both(Subject(forget_glasses, card, "a model"), faces, pictures, Channels(3))  # type: ignore[arg-type]
    assert [(r["both_landed"], r["each_landed"]) for r in rows] == [(0.0, [1.0, 0.0]), (0.5, [1.0, 0.5])]
    assert len(at_once.make_table(rows).rows) == 2


def test_a_colour_that_is_there_is_no_change(faces: FacePictures) -> None:
    label = faces.label(0)
    assert at_once.change_label(faces, label, ("Brown_Hair", "Eyeglasses")) is None
    changed = at_once.change_label(faces, label, ("Black_Hair", "Eyeglasses"))
    assert changed is not None and changed.tolist() == [1, 0, 1]
