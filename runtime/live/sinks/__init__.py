"""Where frames go: a window, a video file, a folder, a virtual camera, another program, or nowhere.

Each kind is a module of this folder with two functions: `accepts(spec)` says whether it knows a SPEC, and
`open_sink(spec, clock)` opens it. One with `FALLBACK = True` is asked last. A new kind is a new module; nothing here
names one.
"""

from __future__ import annotations

from ...errors import SinkError, reason
from ...kinds import modules
from ...metrics.live import LiveTally
from ...places import localise
from ...redaction import redact
from ..controls.panel import Panel
from ..frame_clock import FrameClock
from ..screen.compositor import Compositor
from ..sink import Sink

SPECS = "window, null, - (stdout), virtualcam[:DEVICE], a video file (.mp4, .mov, .mkv), or a folder"


def open_sink(spec: str, clock: FrameClock | None = None, *, label: bool = True) -> Sink:
    """Opens what `spec` names (see `SPECS`). A file or folder is made when the first frame comes, not before.

    With `label`, every frame shows the mark of the sink's origin ("AI-edited") in its lower right corner; without,
    whoever opens it sees to that, as `screen.compositor` does.

    Raises SinkError when there is no such kind, no display, or no place that can be written;
    MissingExtraError when the kind needs a package that is not installed.
    """
    spec = localise(spec)
    if "://" in spec:
        raise SinkError(
            f"sink {redact(spec)} is an address, and nothing is sent over a network",
            f"expected {SPECS}",
            "to send it on: --sink - | ffmpeg -i - ... ADDRESS",
        )
    try:
        kind = next((kind for kind in modules(__name__) if kind.accepts(spec)), None)
        if kind is not None:
            sink: Sink = kind.open_sink(spec, clock or FrameClock())
            return Compositor(sink, Panel(), LiveTally(), hud=False) if label else sink
    except (OSError, ValueError) as error:  # a name that is longer than any file's, or no name at all
        raise SinkError(f"sink {spec[:100]!r} cannot be: {reason(error)}", todo="name another place") from None
    raise SinkError(f"sink {spec!r} is of no known kind", f"expected {SPECS}")
