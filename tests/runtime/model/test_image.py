import msgspec
import numpy as np
import pytest

from edgegan.runtime.errors import BackendError, CardError, InputError
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.image import Halves, as_bgr, count_halvings, halve, postprocess, preprocess

RNG = np.random.default_rng(7)


def card(hw=(8, 12), *, dtype="float32", layout="NCHW", colour="RGB", value_range=(-1.0, 1.0)) -> ModelCard:
    channels = 1 if colour == "GRAY" else 3
    shape = (1, channels, *hw) if layout == "NCHW" else (1, *hw, channels)
    spec = TensorSpec(name="image", dtype=dtype, shape=shape, layout=layout, colour=colour, value_range=value_range)
    return ModelCard(name="m", family="f", task="translate", inputs=(spec,), outputs=(spec,), size=SizeRule(hw=hw))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("colour", ["RGB", "BGR"])
@pytest.mark.parametrize(
    ("dtype", "value_range"),
    [
        ("float32", (-1.0, 1.0)),
        ("float32", (0.0, 1.0)),
        ("float16", (-1.0, 1.0)),
        ("uint8", (0.0, 255.0)),
        ("uint8", None),
    ],
)
def test_postprocess_undoes_preprocess_exactly(layout, colour, dtype, value_range):
    picture = RNG.integers(0, 256, (8, 12, 3), dtype=np.uint8)
    model = card(dtype=dtype, layout=layout, colour=colour, value_range=value_range)
    tensor = preprocess(model, picture)
    assert tensor.dtype == dtype and tensor.shape == model.inputs[0].shape and tensor.flags.c_contiguous
    assert np.array_equal(postprocess(model, tensor), picture)


def test_colour_order_layout_and_range_are_the_card_s():
    picture = np.zeros((8, 12, 3), np.uint8)
    picture[2, 5] = (0, 51, 255)  # blue, green, red
    assert preprocess(card(), picture)[0, :, 2, 5] == pytest.approx([1.0, -0.6, -1.0])
    assert preprocess(card(colour="BGR", value_range=(0.0, 1.0)), picture)[0, :, 2, 5] == pytest.approx([0.0, 0.2, 1.0])
    assert preprocess(card(layout="NHWC"), picture)[0, 2, 5] == pytest.approx([1.0, -0.6, -1.0])


def test_a_grey_model_sees_luma_and_gives_equal_channels():
    model = card(colour="GRAY", value_range=(0.0, 255.0))
    picture = np.full((8, 12, 3), (10, 100, 200), np.uint8)
    tensor = preprocess(model, picture)
    assert tensor.shape == (1, 1, 8, 12) and tensor[0, 0, 0, 0] == pytest.approx(0.114 * 10 + 0.587 * 100 + 0.299 * 200)
    assert (postprocess(model, tensor) == np.rint(tensor[0, 0])[:, :, None]).all()


def test_values_outside_the_range_are_clipped():
    tensor = np.stack([np.full((8, 12), v, np.float32) for v in (-3.0, 0.0, 3.0)])[None]
    assert postprocess(card(), tensor)[0, 0].tolist() == [255, 128, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_an_error(bad):
    tensor = np.zeros((1, 3, 8, 12), np.float32)
    tensor[0, 1, 3, 3] = bad
    with pytest.raises(BackendError, match="not numbers"):
        postprocess(card(), tensor)


def test_grey_and_bgra_are_converted_and_bgr_is_not_copied():
    grey = RNG.integers(0, 256, (5, 6), dtype=np.uint8)
    assert (as_bgr(grey) == grey[:, :, None]).all() and (as_bgr(grey[:, :, None]) == grey[:, :, None]).all()
    bgra = RNG.integers(0, 256, (5, 6, 4), dtype=np.uint8)
    assert np.array_equal(as_bgr(bgra), bgra[:, :, :3])
    bgr = bgra[:, :, :3].copy()
    assert np.shares_memory(as_bgr(bgr), bgr)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((4, 4, 3), np.float32), "uint8"),
        (np.zeros((4, 4, 2), np.uint8), "4x4x2"),
        (np.zeros((0, 4, 3), np.uint8), "0x4x3"),
        (np.zeros((2, 4, 4, 3), np.uint8), "2x4x4x3"),
        ([[1]], "list"),
    ],
)
def test_what_is_no_picture_is_named(picture, words):
    with pytest.raises(InputError, match=words):
        as_bgr(picture)


def test_the_size_rule_is_the_card_s():
    with pytest.raises(InputError, match="9x12"):
        preprocess(card(), np.zeros((9, 12, 3), np.uint8))
    loose = msgspec.structs.replace(card(), size=SizeRule(kind="multiple_of", hw=(8, 8), multiple=4))
    assert preprocess(loose, np.zeros((16, 20, 3), np.uint8)).shape == (1, 3, 16, 20)
    with pytest.raises(InputError, match="multiples of 4"):
        preprocess(loose, np.zeros((16, 21, 3), np.uint8))


def test_a_card_without_a_range_is_an_error():
    with pytest.raises(CardError, match="value range"):
        preprocess(card(value_range=None), np.zeros((8, 12, 3), np.uint8))


def test_a_tensor_of_another_shape_is_an_error():
    with pytest.raises(BackendError, match="2, 3, 8, 12"):
        postprocess(card(), np.zeros((2, 3, 8, 12), np.float32))


@pytest.mark.parametrize("shape", [(64, 96, 3), (64, 96), (67, 101, 3)])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_pixel_is_the_mean_of_those_it_covers(shape, times):
    picture, side = RNG.integers(0, 256, shape, dtype=np.uint8), 2**times
    small = halve(picture, times)
    rows, columns = shape[0] // side, shape[1] // side
    blocks = picture[: rows * side, : columns * side].reshape(rows, side, columns, side, *shape[2:])
    error = small - blocks.mean(axis=(1, 3))
    assert small.dtype == np.uint8 and np.abs(error).max() <= 0.5 * times
    assert abs(error.mean()) < (0.2 if times % 2 else 0.08)  # halves are rounded up, then down


def test_nothing_is_done_to_a_picture_that_is_small_already():
    picture = RNG.integers(0, 256, (5, 1, 3), dtype=np.uint8)
    assert halve(picture, 0) is picture and halve(picture, 9) is picture


def test_a_side_is_halved_while_it_stays_long_enough():
    for side in range(1, 500):
        times = count_halvings(side, 90)
        assert side >> times >= min(90, side) and side >> (times + 1) < 90


@pytest.mark.parametrize("hw", [(64, 96), (67, 101), (5, 3)])
def test_a_part_of_a_half_is_the_same_whether_all_of_it_was_halved_or_the_part(hw):
    picture = RNG.integers(0, 256, (*hw, 3), dtype=np.uint8)
    for times in range(4):
        known, unknown, step = Halves(picture), Halves(picture), 2**times
        assert np.array_equal(known[times], halve(picture, times)) and known[times] is known[times]
        for x0, y0 in ((0, 0), (step, 0), (2 * step, 3 * step)):
            for part in ((x0, y0, hw[1], hw[0]), (x0, y0, x0 + 3 * step, y0 + 2 * step)):
                if part[0] < part[2] <= hw[1] and part[1] < part[3] <= hw[0]:
                    assert np.array_equal(known.cut(times, part), unknown.cut(times, part)), (times, part)


def test_halves_are_taken_as_they_are_given():
    picture = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    halves = Halves.of(picture)
    assert halves[0] is picture and Halves.of(halves) is halves
