"""A real clip, edited end to end: nobody can see where the edit ends, even one that changes the whole crop."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgegan.demo.run import real_clip
from edgegan.runtime import Editor
from edgegan.runtime.errors import InputError
from edgegan.runtime.live.sources import open_source

FINER, SETTLED, STEP = 4, 20, 10  # enlargement; frames until the face has faded in, and between two looked at


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """A man talking in a car that moves, 704x576."""
    try:
        clip = real_clip()
    except InputError as error:
        pytest.skip(str(error))
    with open_source(str(clip)) as source:
        return [cv2.resize(f.image_bgr, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_CUBIC) for f in source]


def test_an_edit_of_the_whole_crop_fades_out_before_it_ends(frames, monkeypatch):
    seen = 0
    with Editor.open("avatars") as editor:
        brighten = lambda inputs: {"edited": np.clip(inputs["image"] + 0.09, -1.0, 1.0)}  # noqa: E731
        monkeypatch.setattr(editor._backend, "run", brighten)
        for number, before in enumerate(frames):
            after = editor.edit(before, {"Blond_Hair": 1.0}, timestamp=number / 25.0)
            if number < SETTLED or number % STEP:
                continue
            change = cv2.absdiff(before, after).max(axis=2).astype(np.int16)
            assert 10 <= change.max() <= 14
            # From pixel to pixel the change grows by a level or two: there is no line for an eye to find.
            white = (before.max(axis=2) > 235).astype(np.uint8)  # where the frame has no room, it ends at white
            flat = cv2.dilate(white, np.ones((15, 15), np.uint8)) == 0
            for axis in (0, 1):
                step = np.abs(np.diff(change, axis=axis))
                both = flat[1:] & flat[:-1] if axis == 0 else flat[:, 1:] & flat[:, :-1]
                assert step[both].max() <= 2
            seen += 1
    assert seen >= 8
