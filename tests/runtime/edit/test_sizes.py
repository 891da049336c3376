"""Crops and frames of any size: padded, kept, cut back or refused."""

import numpy as np
import pytest
from support import tiny_models
from support.models.editors import SIZE

from edgegan.runtime import Editor
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import SizeRule
from edgegan.runtime.model.image import pad_by_mirror


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=SIZE)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_crop_of_any_size_is_padded_and_cut_back(any_size, backend):
    rng = np.random.default_rng(8)
    with Editor.open(any_size, backend=backend) as editor:
        for hw in [(32, 32), (33, 47), (1, 1), (2, 90), (7, 4)]:
            picture = rng.integers(0, 256, (*hw, 3), dtype=np.uint8)
            out = editor.translate(picture, {})
            assert np.abs(out - (255 - picture.astype(int))).max() <= 1
            assert out.shape == picture.shape and not np.shares_memory(out, picture)


def test_padding_mirrors_and_leaves_the_picture_in_its_place():
    picture = np.arange(5 * 6 * 3, dtype=np.uint8).reshape(5, 6, 3)
    padded = pad_by_mirror(picture, (8, 8))
    assert np.array_equal(padded[:5, :6], picture)
    assert np.array_equal(padded[5:, :6], picture[3:0:-1]) and np.array_equal(padded[:5, 6:], picture[:, 4:2:-1])
    assert pad_by_mirror(picture, (5, 6)) is picture


def test_a_frame_of_any_shape_goes_through_at_its_own_shape(any_size):
    with Editor.open(any_size) as editor:
        for hw in [(90, 200), (200, 90), (31, 33)]:
            frame = np.full((*hw, 3), (10, 200, 30), np.uint8)
            assert np.abs(editor.edit(frame, {}) - (255 - frame.astype(int))).max() <= 1


def test_a_work_size_is_kept_or_refused(any_size, model, tmp_path):
    seen = []
    with Editor.open(any_size, work_size=(20, 48)) as editor:
        run = editor._backend.run
        editor._backend.run = lambda inputs: (seen.append(inputs["image"].shape), run(inputs))[1]
        editor.edit(np.zeros((90, 200, 3), np.uint8), {})
        assert seen == [(1, 3, 20, 48)]
    fixed = tiny_models.write_whole_frame(tmp_path)
    for path, size, words in [
        (any_size, (20, 30), "20x30.*\n.*multiples of 4"),
        (fixed, (64, 64), "64x64.*\n.*32x48.*\n.*--size 64x64"),
        (model, (64, 64), "edits faces"),
    ]:
        with pytest.raises(InputError, match=words):
            Editor.open(path, work_size=size)


def test_a_network_of_fixed_size_has_the_last_word_over_its_card(tmp_path):
    path = tiny_models.write_whole_frame(tmp_path, size=SizeRule(kind="multiple_of", hw=(32, 48), multiple=4))
    with Editor.open(path) as editor:
        frame = np.full((90, 200, 3), 60, np.uint8)
        assert np.abs(editor.edit(frame, {}) - 195).max() <= 1
        with pytest.raises(InputError, match="32x48"):
            editor.translate(np.zeros((32, 32, 3), np.uint8), {})
