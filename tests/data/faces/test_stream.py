"""Aligned faces as a stream: what an item shows, and what its guides say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from support.faces.photographs import Shot, write_face_set
from support.needed import needed

from edgegan.data import open_labelled
from edgegan.data._faces.augmentation import Augmentation
from edgegan.data._faces.stream import FaceStream
from edgegan.data.faces import FacePictures

needed("skimage", "train")
NAMES = ("Black_Hair", "Brown_Hair", "Eyeglasses", "Smiling")
STILL = Augmentation(
    rotation=0, scale=0, shift=0, background=0, light=0, colour=0, gamma=0, noise=0, jpeg=0, blur=0
)  # fmt: skip


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> FacePictures:
    """One person with brown hair, three times as dark with black hair, once "with glasses"."""
    shots = [Shot(1.0, "train", (0, 1, 0, 1)), Shot(0.45, "train", (1, 0, 0, 1)), Shot(0.9, "train", (0, 1, 1, 1))]
    spec = write_face_set(tmp_path_factory.mktemp("stream"), NAMES, shots)
    found = open_labelled(spec, size=64, names=NAMES, split="train")
    assert isinstance(found, FacePictures)
    return found


def items(pictures: FacePictures, count: int = 24) -> list[dict[str, np.ndarray]]:
    stream = FaceStream(pictures, size=64, augmentation=STILL, flip=False)
    return [stream.item(i % len(stream), np.random.default_rng(i)) for i in range(count)]


def test_an_item_is_repeated_by_its_generator(pictures: FacePictures) -> None:
    stream = FaceStream(pictures, size=64, augmentation=Augmentation(), flip=True)
    one, same, other = (stream.item(0, np.random.default_rng(s)) for s in (5, 5, 6))
    assert one.keys() == {"image", "label", "source", "source_label", "guide", "guided"}
    assert all(np.array_equal(one[key], same[key]) for key in one)
    assert not np.array_equal(one["image"], other["image"])
    assert one["guide"].shape == (4, 3, 64, 64) and one["guided"].shape == (4, 1, 64, 64)
    assert all(value.dtype == np.float32 for value in one.values())


def test_drawn_glasses_are_labelled_and_their_truth_is_the_picture_without(pictures: FacePictures) -> None:
    dressed = [i for i in items(pictures) if not np.array_equal(i["source_label"], i["label"])]
    assert dressed  # half of those who wear none
    for item in dressed:
        assert item["label"][2] == 0 and item["source_label"][2] == 1
        assert not np.array_equal(item["source"], item["image"])
        assert np.array_equal(item["guide"][2], item["image"]) and item["guided"][2].min() == 1
    for item in items(pictures):
        if item["label"][2] == 1:  # real glasses: what is below them nobody knows
            assert np.array_equal(item["source"], item["image"])
            assert np.array_equal(item["guide"][2], item["image"])
            assert item["guided"][2][0, 32, 20:44].max() == 0 and item["guided"][2][0, 5].min() == 1


def test_hair_is_guided_to_the_other_colour_and_its_own_is_left_alone(pictures: FacePictures) -> None:
    plain = [i for i in items(pictures) if i["label"][1] == 1 and np.array_equal(i["source_label"], i["label"])]
    for item in plain:
        assert np.array_equal(item["guide"][1], item["source"]) and item["guided"][1].min() == 1
        change = np.abs(item["guide"][0] - item["source"]).max(0)
        assert change[:28].max() > 0.1 and change[36:50, 26:38].max() < 0.02  # hair above, not the nose and mouth
        darker = (item["guide"][0] - item["source"]).mean(0)
        assert darker[change > 0.1].mean() < 0


def test_dyed_hair_is_labelled_and_its_guides_do_not_depend_on_the_dye(pictures: FacePictures) -> None:
    dyed, plain = (
        FaceStream(pictures, size=64, augmentation=replace(STILL, hair=share), flip=False) for share in (1.0, 0.0)
    )
    seen = set()
    for i in range(24):
        item, other = (s.item(i % len(s), np.random.default_rng(i)) for s in (dyed, plain))
        assert np.array_equal(item["image"], other["image"]) and np.array_equal(item["label"], other["label"])
        hair, own = item["source_label"][:2], int(item["label"][1])
        assert hair.sum() == 1
        seen.add((own, int(hair[1])))
        now = int(hair[1])
        assert np.array_equal(item["guide"][now], item["source"]) and item["guided"][now].min() == 1
        if now != own and item["source_label"][2] == item["label"][2]:  # no drawn glasses
            change = np.abs(item["source"] - item["image"]).max(0)
            assert change[:28].max() > 0.1 and change[36:50, 26:38].max() < 0.02
        if item["source_label"][2] == other["source_label"][2] == item["label"][2] and now == own:
            assert np.array_equal(item["guide"][1 - now], other["guide"][1 - now])
    assert seen == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_hair_to_begin_with_is_drawn_evenly_by_lightness_where_that_is_asked_for(tmp_path: Path) -> None:
    """One of ten has light hair: begun with in one case of twenty by colours, and in half of all by lightness."""
    shots = [Shot(0.45, "train", (1, 0, 0, 1)), *[Shot(0.45, "train", (0, 1, 0, 1))] * 8]
    shots.append(Shot(1.0, "train", (0, 1, 0, 1)))
    found = open_labelled(write_face_set(tmp_path, NAMES, shots), size=64, names=NAMES, split="train")
    assert isinstance(found, FacePictures)
    share = {}
    for even in (0.0, 1.0):
        stream = FaceStream(found, size=64, augmentation=replace(STILL, hair=1.0, even=even), flip=False)
        rng = np.random.default_rng(0)
        drawn = np.array([stream._draw_donor(rng)[1].mean[0] for _ in range(200)])
        share[even] = float((drawn > (drawn.min() + drawn.max()) / 2).mean())
    assert share[0.0] < 0.1 and 0.35 < share[1.0] < 0.65, share


def test_what_nobody_knows_is_guided_outside_the_person_alone(pictures: FacePictures) -> None:
    for item in items(pictures, 6):
        assert np.array_equal(item["guide"][3], item["source"])
        assert item["guided"][3][0, 28:50, 24:40].max() == 0 and item["guided"][3].max() == 1


def test_decisions_are_balanced(pictures: FacePictures) -> None:
    stream = FaceStream(pictures, size=64, augmentation=STILL, flip=False, balance=[NAMES[:2], NAMES[2:3]], cap=99)
    labels = np.stack([pictures.label(int(i)) for i in stream._order])
    assert abs(labels[:, 2].mean() - 0.5) < 0.1
