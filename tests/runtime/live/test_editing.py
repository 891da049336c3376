"""What an editor does with each frame of a live run: at the moment of its capture, as the controls say."""

import cv2
import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime.edit.editor import Editor
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.editing import Easing, Editing
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.source import Frame
from edgegan.runtime.live.sources import open_source
from edgegan.runtime.model.condition import Condition, Partly

CAMERA = "synthetic:160x120@20"
NAMES = ("Black_Hair", "Blond_Hair", "Smiling")
GROUPS = [("Black_Hair", "Blond_Hair")]


@pytest.mark.parametrize(
    ("spec", "every_frame", "fps", "recorded_at", "timestamp"),
    [
        (CAMERA, False, None, None, 123.25),
        (CAMERA, True, None, None, 7 / 20),
        ("album", False, None, None, None),
        ("album", False, None, 3.5, 3.5),
        ("album", False, 4.0, None, 7 / 4),
    ],
    ids=["live", "every frame", "pictures", "a video of no rate", "pictures with a rate"],
)
def test_a_frame_is_edited_at_the_moment_of_its_capture(
    tmp_path, monkeypatch, spec, every_frame, fps, recorded_at, timestamp
):
    (tmp_path / "album").mkdir()
    cv2.imwrite(str(tmp_path / "album" / "0.png"), np.zeros((120, 160, 3), np.uint8))
    given = []

    def edit(self, image, changes, *, timestamp=None, record=None):
        given.append(timestamp)
        return image

    monkeypatch.chdir(tmp_path)
    with (
        Editor.open(tiny_models.write_editor(tmp_path / "faces"), backend="onnxruntime") as editor,
        open_source(spec, fps=fps) as source,
    ):
        monkeypatch.setattr(Editor, "edit", edit)
        clock = FrameClock.of(source, every_frame=every_frame)
        picture = np.zeros((120, 160, 3), np.uint8)
        frame = Frame(picture, 7, 123.25, "camera", moment_s=recorded_at)
        assert Editing(editor, Controls(), clock)(frame, lambda stage, seconds: None) is picture
    assert given == [pytest.approx(timestamp) if timestamp else None]


def test_a_click_and_a_reset_choose_the_faces_and_say_so(tmp_path, monkeypatch):
    chosen = []
    monkeypatch.setattr(Editor, "choose", lambda self, which: chosen.append(which))
    controls = Controls(("Smiling",))
    frame = Frame(np.zeros((120, 160, 3), np.uint8), 0, 0.0, "camera")
    with Editor.open(tiny_models.write_editor(tmp_path / "faces"), backend="onnxruntime") as editor:
        process = Editing(editor, controls, FrameClock(), "largest")
        for act in (lambda: None, lambda: controls.choose(click=(0.5, 0.25)), lambda: None, controls.reset):
            act()
            process(frame, lambda stage, seconds: None)
    assert chosen == [(80.0, 30.0), "largest"]
    assert controls.message() == "faces as at first"


def test_a_change_comes_in_smoothly_from_each_faces_own_label():
    easing = Easing(0.25)
    assert easing.towards({"Smiling": 1.0}, 10.0) == {"Smiling": 1.0}  # what is set at first holds at once
    condition = Condition(kind="binary", names=NAMES, groups=tuple(GROUPS), default=(0.0, 0.0, 0.0))
    wanted = {"Smiling": 1.0, "Blond_Hair": 1.0}
    for own in (0.0, 1.0):
        easing = Easing(0.25)
        easing.towards({}, 0.0)
        times = np.arange(0.0, 0.3, 0.01)
        way = [condition.apply({"Black_Hair": 1.0, "Smiling": own}, easing.towards(wanted, t)) for t in times]
        smiles, blond, black = ([label[n] for label in way] for n in ("Smiling", "Blond_Hair", "Black_Hair"))
        assert smiles[0] == own and smiles[-1] == 1.0
        assert np.all(np.diff(smiles) >= 0) and np.abs(np.diff(smiles)).max() < 0.1
        assert (blond[0], black[0], blond[-1], black[-1]) == (0.0, 1.0, 1.0, 0.0)
        assert np.abs(np.diff(blond)).max() < 0.1 and np.abs(np.diff(black)).max() < 0.1


def test_a_change_goes_away_smoothly_and_then_leaves_no_trace():
    easing = Easing(0.25)
    easing.towards({"Smiling": 0.5}, 0.0)
    shares = [easing.towards({}, t).get("Smiling") for t in (0.0, 0.1, 0.2, 0.3)]
    assert shares[0] == 0.5 and not isinstance(shares[0], Partly)
    assert [round(s.share, 3) for s in shares[1:3]] == [0.648, 0.104] and shares[3] is None
    back = easing.towards({"Smiling": 1.0}, 0.4)
    assert back == {} and easing.towards({"Smiling": 1.0}, 0.7) == {"Smiling": 1.0}
    assert Easing(0.0).towards({"Smiling": 1.0}, 0.0) == {"Smiling": 1.0}


def test_between_two_values_the_value_moves_and_turning_round_makes_no_jump():
    easing = Easing(0.2)
    easing.towards({"Smiling": 0.0}, 0.0)
    easing.towards({"Smiling": 1.0}, 1.0)
    half = easing.towards({"Smiling": 1.0}, 1.1)["Smiling"]
    assert half == pytest.approx(0.5)
    assert easing.towards({"Smiling": 0.0}, 1.1)["Smiling"] == pytest.approx(half)
    assert easing.towards({"Smiling": 0.0}, 1.4) == {"Smiling": 0.0}
