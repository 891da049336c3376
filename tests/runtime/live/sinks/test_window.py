"""A window where there is a display, and plain words where there is none."""

import subprocess
import sys

import pytest
from support.av_clips import clip, read_back

from edgegan.runtime.errors import SinkError
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sinks.window import check_display


def test_without_a_display_a_window_is_an_error_and_not_an_abort(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SinkError, match=r"no display[\s\S]*--sink out.mp4"):
        open_sink("window")


_WINDOW_AFTER_VIDEO = """
from itertools import islice
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sink import Sinks
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sources import open_source
with open_source({clip!r}) as source, Sinks(open_sink(s, FrameClock(30)) for s in ["{sink}", {out!r}]) as sinks:
    for frame in islice(source, 3):
        sinks.write(frame)
import sys
print([name for name in sys.modules if name in ("av", "cv2")])
"""


def test_opencv_is_loaded_before_pyav(tmp_path):
    """The other way round the first window hangs for ever."""
    path = clip(tmp_path / "clip.mp4", frames=4)
    code = _WINDOW_AFTER_VIDEO.format(clip=str(path), sink="null", out=str(tmp_path / "out.mp4"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "['cv2', 'av']", done.stderr


def test_a_window_that_would_hang_is_refused():
    code = (
        "import av, cv2; from edgegan.runtime.live.sinks import window; "
        "window.check_display = lambda: None; window.Window()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "SinkError: PyAV was loaded before OpenCV" in done.stderr


@pytest.mark.display
def test_a_window_opens_while_a_video_is_read_and_written(tmp_path):
    try:
        check_display()
    except SinkError as error:
        pytest.skip(error.seen)
    path = clip(tmp_path / "clip.mp4", frames=4)
    code = _WINDOW_AFTER_VIDEO.format(clip=str(path), sink="window", out=str(tmp_path / "out.mp4"))
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    assert read_back(tmp_path / "out.mp4")[0] == [0, 1, 2]
