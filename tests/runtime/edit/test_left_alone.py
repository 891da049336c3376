"""An editor leaves faces alone that lie or are upside down, and its statistics say why."""

import json

import cv2
import numpy as np
import pytest
from support import tiny_models
from support.faces.real_faces import astronaut

from edgegan.runtime import Editor, FaceOptions
from edgegan.runtime.faces.landmarks import LYING


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=32)


@pytest.mark.parametrize("timestamp", [None, 0.0])
def test_a_picture_upside_down_comes_back_as_it_was(model, timestamp):
    upright = astronaut()
    with Editor.open(model) as editor:
        assert (editor.edit(upright, {"Smiling": 1.0}, timestamp=timestamp) != upright).any()
        badge = editor.statistics.left_alone.get(LYING, 0)  # the detector takes one of hers for a face
        for quarters in (1, 2, 3):
            editor.reset()
            turned = np.ascontiguousarray(np.rot90(upright, quarters))
            assert np.array_equal(editor.edit(turned, {"Smiling": 1.0}, timestamp=timestamp), turned)
        (out,) = editor.edit_batch([np.ascontiguousarray(np.rot90(upright))], {"Smiling": 1.0})
        assert np.array_equal(out, np.rot90(upright))
        assert set(editor.statistics.left_alone) == {LYING} and editor.statistics.left_alone[LYING] >= badge + 2


def test_who_wants_every_face_edited_has_it_so(model):
    lying = np.ascontiguousarray(np.rot90(astronaut()))
    with Editor.open(model, faces=FaceOptions(any_pose=True)) as editor:
        assert (editor.edit(lying, {"Smiling": 1.0}) != lying).any() and editor.statistics.left_alone == {}


def test_a_live_run_says_why(model, run, tmp_path):
    cv2.imwrite(str(tmp_path / "lying.png"), np.rot90(astronaut()))
    command = ("live", model, "--source", tmp_path / "lying.png", "--sink", "null", "--frames", 1, "--set", "Smiling=1")
    code, out, _ = run(*command, "--stats-json", tmp_path / "stats.json")
    assert code == 0 and f"left alone: 1 times a face: {LYING}" in out
    assert json.loads((tmp_path / "stats.json").read_bytes())["left_alone"] == {LYING: 1}
    assert "left alone" not in run(*command, "--any-pose")[1]
