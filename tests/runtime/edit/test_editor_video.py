"""An editor that follows the faces of a video."""

import threading
import time

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime import Editor
from edgegan.runtime.drawn import avatars
from edgegan.runtime.edit.network import Network
from edgegan.runtime.errors import InputError
from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.faces.options import FaceOptions
from edgegan.runtime.live.sources.synthetic import Synthetic


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=32)


@pytest.fixture
def editor(model):
    with Editor.open(model) as editor:
        yield editor


def clip(frames=8):
    camera = Synthetic((240, 320), seed=2)
    return [camera.frame_at(i) for i in range(frames)]


def test_the_same_video_gives_the_same_pictures_and_a_lone_picture_leaves_it_alone(editor):
    pytest.importorskip("resvg_py")
    frames = clip()
    first = [editor.edit(f, {"Smiling": 1.0}, timestamp=i / 30) for i, f in enumerate(frames)]
    alone = editor.edit(frames[0], {"Smiling": 1.0})
    assert np.array_equal(alone, first[0])  # a video begins at full strength
    editor.reset()
    for i, frame in enumerate(frames):
        out = editor.edit(frame, {"Smiling": 1.0}, timestamp=i / 30)
        assert np.array_equal(editor.edit(frames[0], {"Smiling": 1.0}), alone)
        assert np.array_equal(out, first[i])
    editor.reset()
    assert np.array_equal(editor.edit(frames[3], {}, timestamp=0.5), editor.edit(frames[3], {}))  # nothing is left


def test_a_lost_face_is_still_edited_for_a_moment_and_then_no_more(editor):
    pytest.importorskip("resvg_py")
    frame = clip(1)[0]
    finder = editor._pipeline._region._choice._finder
    find = finder.find
    try:
        changed = []
        for i in range(30):
            finder.find = find if i < 5 else lambda frame, tiles: []
            out = editor.edit(frame, {"Smiling": 1.0}, timestamp=i / 30)
            changed.append(np.abs(out.astype(int) - frame).sum())
    finally:
        finder.find = find
    assert changed[10] == pytest.approx(changed[4], rel=0.01) and 0 < changed[15] < 0.8 * changed[4]
    assert changed[-1] == 0


def test_the_faces_asked_for_are_edited(model):
    pytest.importorskip("resvg_py")
    frame = np.full((360, 640, 3), 80, np.uint8)
    for x, size, number in ((0, 260, 3), (290, 340, 4)):
        person = avatars.sample_face(avatars.SPLITS["heldout"] + number)
        frame[10 : 10 + size, x : x + size] = avatars.render_rgb(person, size)[:, :, ::-1]

    def sides(editor, **when):
        changed = (editor.edit(frame, {"Smiling": 1.0}, **when) != frame).any(axis=(0, 2))
        return bool(changed[:240].any()), bool(changed[320:].any())

    with Editor.open(model, faces=FaceOptions(which="largest")) as editor:
        assert sides(editor) == (False, True) and sides(editor, timestamp=0.0) == (False, True)
        editor.choose((140.0, 140.0))
        assert sides(editor) == (True, False)
        assert [sides(editor, timestamp=t / 10) for t in range(1, 9)][-1] == (True, False)
        editor.choose("all")
        assert sides(editor) == (True, True)
        with pytest.raises(InputError, match="'both'"):
            editor.choose("both")


def test_a_live_editor_searches_beside_and_follows_the_faces(model):
    pytest.importorskip("resvg_py")
    frames = clip(24)
    with Editor.open(model, faces=FaceOptions(beside=True)) as editor:
        for i, frame in enumerate(frames):
            out = editor.edit(frame, {"Smiling": 1.0}, timestamp=i / 30)
            assert (out != frame).any()
        names = [thread.name for thread in threading.enumerate()]
        assert "edgegan-faces" in names
    assert "edgegan-faces" not in [thread.name for thread in threading.enumerate()]


def test_a_live_editor_searches_a_frame_once_it_is_edited(model, monkeypatch):
    """A search beside the network would hold that up; only the first frame has to be searched before."""
    pytest.importorskip("resvg_py")
    events, searched = [], threading.Semaphore(0)
    find, run = FaceFinder.find, Network.edit

    def search(*args):
        events.append("searched")
        found = find(*args)
        searched.release()
        return found

    def edit(*args):
        time.sleep(0.05)  # time enough to begin a search
        events.append("edited")
        return run(*args)

    monkeypatch.setattr(FaceFinder, "find", search)
    monkeypatch.setattr(Network, "edit", edit)
    with Editor.open(model, faces=FaceOptions(beside=True)) as editor:
        for i, frame in enumerate(clip(4)):
            editor.edit(frame, {"Smiling": 1.0}, timestamp=i / 30)
            assert searched.acquire(timeout=60)
    assert events == ["searched", "edited"] + 3 * ["edited", "searched"]


def test_a_batch_leaves_the_video_alone(editor):
    pytest.importorskip("resvg_py")
    frames = clip()
    expected = [editor.edit(f, {"Smiling": 1.0}, timestamp=i / 30) for i, f in enumerate(frames)]
    editor.reset()
    for i, frame in enumerate(frames):
        editor.edit_batch(frames[:1], {})
        assert np.array_equal(editor.edit(frame, {"Smiling": 1.0}, timestamp=i / 30), expected[i])


@pytest.mark.parametrize("wait_s", [0.3, 1.0])
def test_a_live_editor_keeps_the_edit_of_rare_frames_and_of_a_held_one(model, wait_s):
    """A slow guest, or a camera that dropped and whose last frame is shown again."""
    pytest.importorskip("resvg_py")
    frame = clip(1)[0]
    with Editor.open(model, faces=FaceOptions(beside=True)) as editor:
        outs = [editor.edit(frame, {"Smiling": 1.0}, timestamp=i * wait_s) for i in range(6)]
        changed = [np.abs(out.astype(int) - frame).sum() for out in outs]
    assert min(changed) > 0.9 * changed[0] > 0


def test_a_model_of_whole_frames_takes_a_choice_of_faces_and_edits_on(tmp_path):
    with Editor.open(tiny_models.write_whole_frame(tmp_path)) as editor:
        editor.choose("largest")
        with pytest.raises(InputError, match="'both'"):
            editor.choose("both")
        frame = np.full((90, 200, 3), 60, np.uint8)
        assert np.abs(editor.edit(frame, {}, timestamp=0.0) - 195).max() <= 1
