"""What an editor does with each frame of a live run: at the moment of its capture, as the controls say."""

import cv2
import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime.edit.editor import Editor
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.editing import Editing
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.source import Frame
from edgegan.runtime.live.sources import open_source

CAMERA = "synthetic:160x120@20"


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
