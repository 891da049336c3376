"""Pictures as programs have them: strides, channels, orders of colours, and buffers of the caller's own."""

import numpy as np
import pytest
from support.models.editors import crop

from edgegan.runtime.errors import InputError


def pad(array):
    """The same values, with gaps between rows and pixels."""
    wide = np.zeros((array.shape[0], 2 * array.shape[1], array.shape[2] + 2), np.uint8)
    view = wide[:, ::2, : array.shape[2]]
    view[:] = array
    return view


def test_pictures_of_any_strides_and_channels_are_edited_alike(face_editor, scene):
    right = face_editor.edit(scene, {"Smiling": 1.0})
    assert (right != scene).any()
    locked = scene.copy()
    locked.setflags(write=False)
    alpha = np.dstack([scene, np.full(scene.shape[:2], 7, np.uint8)])
    upside_down = np.ascontiguousarray(scene[::-1, ::-1])[::-1, ::-1]
    for given in (locked, pad(scene), np.asfortranarray(scene), upside_down, alpha, pad(alpha)):
        before = given.copy()
        out = face_editor.edit(given, {"Smiling": 1.0})
        assert np.array_equal(out, right) and np.array_equal(given, before) and out.shape == scene.shape
        assert out.flags.c_contiguous and out.flags.writeable and not np.shares_memory(out, given)
    grey = np.ascontiguousarray(scene[:, :, 1])
    three = np.dstack([grey] * 3)
    for given in (grey, grey[:, :, None], np.asfortranarray(grey)):
        assert np.array_equal(face_editor.edit(given, {"Smiling": 1.0}), face_editor.edit(three, {"Smiling": 1.0}))


def test_rgb_pictures_come_back_as_rgb(face_editor, scene):
    right = face_editor.edit(scene, {"Smiling": 1.0})[:, :, ::-1]
    rgb = np.ascontiguousarray(scene[:, :, ::-1])
    rgba = np.dstack([rgb, np.zeros(rgb.shape[:2], np.uint8)])
    for given in (rgb, rgba, scene[:, :, ::-1]):
        out = face_editor.edit(given, {"Smiling": 1.0}, colour="rgb")
        assert np.array_equal(out, right) and out.flags.c_contiguous
    (out,) = face_editor.edit_batch([rgb], {"Smiling": 1.0}, colour="rgb")
    assert np.array_equal(out, right)
    small = crop(red=200, green=10, blue=30)
    there = face_editor.translate(small[:, :, ::-1], {"Smiling": 1.0}, colour="rgb")
    assert np.array_equal(there[:, :, ::-1], face_editor.translate(small, {"Smiling": 1.0}))
    assert face_editor.estimate(small[:, :, ::-1], colour="rgb") == face_editor.estimate(small)
    with pytest.raises(InputError, match="'yuv'.*\n.*'bgr'"):
        face_editor.edit(scene, {}, colour="yuv")


@pytest.mark.parametrize("colour", ["bgr", "rgb"])
def test_the_callers_own_buffer_is_written_also_in_place(face_editor, scene, colour):
    changes = {"Smiling": 1.0}
    right = face_editor.edit(scene, changes, colour=colour)
    for out in (np.zeros_like(scene), pad(np.zeros_like(scene)), np.zeros_like(scene)[:, :, ::-1]):
        assert face_editor.edit(scene, changes, colour=colour, out=out) is out and np.array_equal(out, right)
    same = scene.copy()
    assert face_editor.edit(same, changes, colour=colour, out=same) is same and np.array_equal(same, right)
    small = crop(red=90)
    out = np.zeros_like(small)
    assert face_editor.translate(small, changes, colour=colour, out=out) is out
    assert np.array_equal(out, face_editor.translate(small, changes, colour=colour))


def test_a_buffer_that_does_not_fit_is_refused(face_editor, scene):
    locked = scene.copy()
    locked.setflags(write=False)
    for out in (scene[:100], scene.astype(np.float32), locked, scene[:, :, 0], bytearray(10)):
        with pytest.raises(InputError, match="out is"):
            face_editor.edit(scene, {}, out=out)
    with pytest.raises(InputError, match="out is"):
        face_editor.translate(crop(), {}, out=scene)


def test_what_comes_back_stays_as_it_is(face_editor, scene):
    first = face_editor.edit(scene, {"Smiling": 1.0})
    kept = first.copy()
    face_editor.edit(255 - scene, {"Blond_Hair": 1.0})
    small = face_editor.translate(crop(), {"Smiling": 1.0})
    kept_small = small.copy()
    face_editor.translate(crop(red=200), {})
    assert np.array_equal(first, kept) and np.array_equal(small, kept_small)
