"""The parts of a training set of faces: masks, duplicates, augmentation, spectacles, hair colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.faces.photographs import GEOMETRY, HAIR, astronaut, draw_portrait
from support.needed import needed

from edgegan.data._faces.augmentation import Augmentation, Light, degrade, draw_light, draw_placement, place
from edgegan.data._faces.backgrounds import composite, draw_background
from edgegan.data._faces.duplicates import SAME, describe_face, group_duplicates
from edgegan.data._faces.eyewear import USUAL, draw_eyewear, draw_style, overlay
from edgegan.data._faces.hair import HairColour, choose_colours, measure_hair, recolour
from edgegan.data._faces.masks import HAIR as HAIR_VALUE
from edgegan.data._faces.masks import PERSON, cut_out
from edgegan.data._faces.selection import measure_sharpness, refuse_blur
from edgegan.runtime.edit.align import warp
from edgegan.runtime.faces.finder import FaceFinder

needed("skimage", "train")
STILL = Augmentation(
    rotation=0, scale=0, shift=0, background=0, light=0, colour=0, gamma=0, noise=0, jpeg=0, blur=0
)  # fmt: skip


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    whole = astronaut()
    return warp(whole, GEOMETRY.matrix(FaceFinder().find(whole)[0]), (GEOMETRY.edge, GEOMETRY.edge))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_person_and_their_hair_are_cut_out() -> None:
    picture, person, hair = draw_portrait()
    mask = cut_out(picture, GEOMETRY)
    assert mask is not None
    assert overlap(mask >= PERSON, person) > 0.9
    assert overlap(mask == HAIR_VALUE, hair) > 0.85
    assert np.array_equal(mask, cut_out(picture, GEOMETRY))
    bald = cut_out(picture, GEOMETRY, bald=True)
    assert bald is not None and not (bald == HAIR_VALUE).any()


def test_a_picture_without_a_person_in_the_middle_has_no_mask() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (GEOMETRY.edge, GEOMETRY.edge, 3)).astype(np.uint8)
    wall = np.full_like(noise, 120)
    assert cut_out(wall, GEOMETRY) is None or (cut_out(wall, GEOMETRY) == HAIR_VALUE).sum() == 0


def test_the_same_photograph_is_known_again_and_others_are_not(portrait: np.ndarray) -> None:
    again = cv2.convertScaleAbs(cv2.GaussianBlur(portrait, (0, 0), 0.7), alpha=1.2, beta=-15)
    other, _, _ = draw_portrait()
    descriptors = [describe_face(p, GEOMETRY) for p in (portrait, other, again, portrait[:, ::-1].copy())]
    assert group_duplicates(descriptors) == [0, 1, 0, 0]
    assert float(descriptors[0] @ descriptors[2]) > SAME
    assert group_duplicates([]) == []


def test_sharpness_does_not_depend_on_contrast_and_falls_with_blur(portrait: np.ndarray) -> None:
    flat = cv2.convertScaleAbs(portrait, alpha=0.5, beta=60)
    sharp, blurred = (
        measure_sharpness(portrait, GEOMETRY),
        measure_sharpness(cv2.GaussianBlur(portrait, (0, 0), 3), GEOMETRY),
    )
    assert abs(measure_sharpness(flat, GEOMETRY) / sharp - 1) < 0.15
    assert blurred < 0.5 * sharp
    assert not refuse_blur(portrait, GEOMETRY) and "blurred" in refuse_blur(
        cv2.GaussianBlur(portrait, (0, 0), 4), GEOMETRY
    )


def test_the_neutral_augmentation_shows_the_crop_as_it_is(portrait: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    size, border = GEOMETRY.size, (GEOMETRY.edge - GEOMETRY.size) // 2
    crop = portrait[border:-border, border:-border]
    shown = place(portrait, draw_placement(STILL, GEOMETRY.edge, size, size, rng), size)
    assert np.array_equal(shown, crop)
    lit = draw_light(STILL, size, rng).apply(crop.astype(np.float32) / 255)
    np.testing.assert_allclose(degrade(STILL, lit, rng), crop / 255.0, atol=1e-6)


def test_augmentation_is_repeated_by_its_generator_and_stays_in_range(portrait: np.ndarray) -> None:
    wild = Augmentation(light=1.0, colour=0.5, gamma=0.5, noise=0.2, jpeg=1.0, blur=1.0)

    def show(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        picture = place(portrait, draw_placement(wild, GEOMETRY.edge, 64, 64, rng), 64)
        return degrade(wild, draw_light(wild, 64, rng).apply(picture.astype(np.float32) / 255), rng)

    assert np.array_equal(show(1), show(1)) and not np.array_equal(show(1), show(2))
    assert all(show(s).min() >= 0.0 and show(s).max() <= 1.0 for s in range(8))


def test_a_background_replaces_what_is_no_person() -> None:
    picture, person, _ = draw_portrait()
    rng = np.random.default_rng(0)
    for _ in range(12):
        background = draw_background(GEOMETRY.edge, rng)
        assert background.shape == picture.shape and background.dtype == np.uint8
    mixed = composite(picture, person.astype(np.float32), background)
    away = cv2.dilate(person.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    inside = cv2.erode(person.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.array_equal(mixed[away], background[away]) and np.array_equal(mixed[inside], picture[inside])


@pytest.mark.parametrize("seed", [None, *range(8)])
def test_spectacles_are_drawn_around_the_eyes_and_nowhere_else(seed: int | None) -> None:
    style = USUAL if seed is None else draw_style(np.random.default_rng(seed))
    left, right = (50.0, 60.0), (78.0, 64.0)
    worn = draw_eyewear(style, left, right, 128)
    assert worn.shape == (128, 128, 4) and worn.min() >= 0.0 and worn.max() <= 1.0
    alpha = worn[:, :, 3]
    assert alpha[:40].max() == 0 and alpha[95:].max() == 0
    assert alpha.max() > 0.5  # a frame
    for x, y in (left, right):
        assert alpha[round(y), round(x)] < 0.6  # the eyes are seen through the glass
    white = np.ones((128, 128, 3), np.float32)
    assert np.array_equal(overlay(white, worn)[:40], white[:40])


def test_hair_takes_the_wanted_colour_and_nothing_else_changes() -> None:
    picture, _, hair = draw_portrait()
    shown = picture[:, :, ::-1].astype(np.float32) / 255
    own = measure_hair(shown, hair)
    assert own is not None and abs(own.mean[0] - np.dot(np.array(HAIR[::-1]) / 255, (0.299, 0.587, 0.114))) < 0.02
    wanted = HairColour((0.7, -0.05, 0.05), 0.05)
    changed = recolour(shown, hair.astype(np.float32), own, wanted)
    assert np.array_equal(changed[~hair], shown[~hair])
    found = measure_hair(changed, hair)
    assert found is not None
    np.testing.assert_allclose(found.mean, wanted.mean, atol=0.03)
    same = recolour(shown, hair.astype(np.float32), own, own)
    assert np.abs(same - shown).mean() < 0.01


def test_soft_light_has_less_of_its_colour_and_all_of_its_brightness() -> None:
    light = draw_light(Augmentation(colour=0.5), 32, np.random.default_rng(0))
    grey = np.full((32, 32, 3), 0.2, np.float32)
    full, half, none = (light.soften(share).apply(grey) for share in (1.0, 0.5, 0.0))
    assert np.allclose(full, light.apply(grey), atol=1e-6) and np.ptp(none, axis=2).max() < 1e-6
    assert (np.ptp(half, axis=2) < np.ptp(full, axis=2)).all() and np.ptp(full, axis=2).min() > 0.01
    assert np.allclose(half**2, full * none, atol=1e-6)


def test_warmth_is_kept_by_itself() -> None:
    """Of yellow light as much yellow as is asked for; blue light has none to keep."""
    light = Light(1.0, np.ones((4, 4, 1), np.float32), np.array([1.3, 1.0, 0.8], np.float32))
    kept, gone = (light.soften(0.0, warmth).cast for warmth in (1.0, 0.0))
    assert kept[0] / kept[2] == pytest.approx(1.3 / 0.8, rel=1e-5) and np.allclose(gone, 1.0)
    blue = Light(light.gamma, light.gain, light.cast[::-1].copy())
    assert np.allclose(blue.soften(0.5, 1.0).cast, blue.soften(0.5).cast)


def test_fair_hair_is_yellower_than_it_is_red() -> None:
    """The scalp shines through thin gray hair, and what is measured is pink."""
    rng = np.random.default_rng(0)

    def people(y: float, cb: float, cr: float) -> list[HairColour]:
        return [HairColour((y + 0.01 * rng.normal(), cb, cr), 0.1) for _ in range(20)]

    chosen = choose_colours({"Gray_Hair": people(0.6, -0.02, 0.03), "Brown_Hair": people(0.2, -0.04, 0.05)})
    _, cb, cr = chosen["Gray_Hair"].mean
    assert 0.0 < cr < -cb
    _, cb, cr = chosen["Brown_Hair"].mean
    assert cr > -cb


def test_a_colour_is_that_of_its_clear_cases() -> None:
    """Half of those called blond are brown: the chosen blond is the others'."""
    rng = np.random.default_rng(0)

    def people(y: float, cb: float, count: int) -> list[HairColour]:
        return [HairColour((y + 0.01 * rng.normal(), cb + 0.003 * rng.normal(), 0.03), 0.1) for _ in range(count)]

    chosen = choose_colours(
        {"Blond_Hair": people(0.6, -0.1, 20) + people(0.25, -0.03, 20), "Brown_Hair": people(0.2, -0.03, 60)}
    )
    assert chosen["Blond_Hair"].mean[0] > 0.55 and chosen["Blond_Hair"].mean[1] < -0.08
    assert 0.13 < chosen["Brown_Hair"].mean[0] < 0.2  # on its side of the average, and farther from it than it is
    assert choose_colours({}) == {} and choose_colours({"Brown_Hair": []}) == {}


def test_a_colour_between_others_is_not_pushed_to_their_edge() -> None:
    """Brown lies between black and two lighter colours: its clear cases are in the middle, not next to black."""
    rng = np.random.default_rng(0)

    def people(y: float, cb: float, spread: float, count: int) -> list[HairColour]:
        drawn = [(y + spread * rng.normal(), cb + 0.01 * rng.normal()) for _ in range(count)]
        return [HairColour((light, blue, 0.03), 0.1) for light, blue in drawn]

    chosen = choose_colours(
        {
            "Black_Hair": people(0.1, -0.01, 0.02, 40),
            "Brown_Hair": people(0.22, -0.04, 0.05, 200),
            "Gray_Hair": people(0.5, -0.02, 0.08, 100),
            "Blond_Hair": people(0.45, -0.08, 0.08, 30),
        }
    )
    light, blue, _ = chosen["Brown_Hair"].mean
    assert 0.17 < light < 0.25 and abs(blue + 0.04) < 0.02
    assert chosen["Black_Hair"].mean[0] < 0.08 and chosen["Blond_Hair"].mean[1] < -0.09
    assert chosen["Black_Hair"].mean[1] == 0, "hair is not blue, however far from the average"
