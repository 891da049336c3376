"""A long live run keeps its memory: faces, flow, the search beside, labels, status line, encoder, all together."""

from __future__ import annotations

import pytest
from support import tiny_models

from edgegan.runtime import Editor
from edgegan.runtime.faces.options import FaceOptions
from edgegan.runtime.live.controls.panel import Panel
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.screen.compositor import Compositor
from edgegan.runtime.live.sinks.video import Video
from edgegan.runtime.live.source import Source, frame_of
from edgegan.runtime.live.sources.synthetic import Synthetic
from edgegan.runtime.live.stream import Stream
from edgegan.runtime.metrics.live import LiveStatistics, LiveTally

HW, FPS, DRAWN = (240, 320), 30.0, 400  # frames drawn, of three people; then they come again


class Endless(Source):
    """Drawn faces that move, from memory, as fast as they are wanted."""

    name, about, live, fps, size_hw = "endless", "drawn faces", False, FPS, HW

    def __init__(self, frames: int) -> None:
        self.length = frames
        with Synthetic(HW, fps=FPS) as camera:
            self._drawn = [camera.frame_at(index) for index in range(DRAWN)]

    def __iter__(self):
        for index in range(self.length):
            yield frame_of(self._drawn[index % DRAWN].copy(), index, self.name)


def soak(folder, frames: int) -> LiveStatistics:
    model = tiny_models.write_editor(folder / "editor", size=32)
    stats, faces = LiveTally(), 0
    with (
        Editor.open(model, backend="onnxruntime", threads=1, faces=FaceOptions(beside=True)) as editor,
        Compositor(Video(folder / "long.mp4", FrameClock(FPS)), Panel(), stats, hud=True, about="soak") as sink,
    ):

        def process(frame, record):
            nonlocal faces
            edited = editor.edit(frame.image_bgr, {"Smiling": 1.0}, timestamp=frame.index / FPS, record=record)
            faces += bool((edited != frame.image_bgr).any())
            return edited

        Stream(Endless(frames), process, sink, newest_wins=False, stats=stats).run()
    assert stats.shown == frames and faces > 0.8 * frames
    return stats.statistics()


@pytest.mark.slow
def test_memory_stands_still_from_frame_2000_to_20000(tmp_path):
    pytest.importorskip("av")
    growth = soak(tmp_path, 20_000).memory_mb.growth_from_frame_2000
    if growth is None:
        pytest.skip("this system does not tell")
    assert growth < 5


def test_a_short_run_of_all_of_it(tmp_path):
    pytest.importorskip("av")
    assert soak(tmp_path, 60).frames.dropped == {}
