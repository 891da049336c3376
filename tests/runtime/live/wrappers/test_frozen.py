"""A frozen picture: a recording waits for it, a camera does not."""

import numpy as np

from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.source import Frame, Source
from edgegan.runtime.live.wrappers.frozen import Frozen


class Numbers(Source):
    """Pictures that show their own number; `live` or recorded."""

    def __init__(self, live, panel=None, freeze_at=None):
        self.name, self.about, self.live, self.fps, self.size_hw, self.length = "n", "n", live, 500.0, (1, 1), None
        self._panel, self._freeze_at = panel, freeze_at

    def __iter__(self):
        for number in range(6):
            if number == self._freeze_at:
                self._panel.choose(frozen=True)
            yield Frame(np.full((1, 1, 3), number, np.uint8), number, 100.0 + number, "n")


def test_a_frozen_recording_waits_and_loses_no_picture():
    controls = Controls()
    frames = []
    for frame in Frozen(Numbers(False, controls, freeze_at=3), controls):
        frames.append(frame)
        controls.choose(frozen=len(frames) < 6 and controls.look.frozen)
    assert [int(f.image_bgr[0, 0, 0]) for f in frames] == [0, 1, 2, 2, 2, 2, 3, 4, 5]
    assert [f.index for f in frames] == list(range(9))


def test_a_frozen_camera_goes_on_unseen():
    controls = Controls()
    frames = []
    for frame in Frozen(Numbers(True, controls, freeze_at=2), controls):
        frames.append(frame)
        controls.choose(frozen=frame.index < 4 and controls.look.frozen)
    assert [int(f.image_bgr[0, 0, 0]) for f in frames] == [0, 1, 1, 1, 1, 5]
    assert [f.timestamp for f in frames] == [100.0 + n for n in range(6)]
