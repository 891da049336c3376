"""Where frames come from: a camera, a video file, pictures, a network stream, a GStreamer pipeline, or drawn faces.

Each kind is a module of this folder with two functions: `accepts(spec)` says whether it knows a SPEC, and
`open_frames(spec, wanted)` opens it. One with `FALLBACK = True` is asked last. A new kind is a new module; nothing here
names one. Modules that begin with "_" are parts of kinds; what changes how any source behaves lies in
`live/wrappers`.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace

from ...errors import InputError, SourceError, reason
from ...kinds import modules
from ...places import localise
from ...redaction import redact
from ..source import AGAIN_S, Source, Wanted
from ..wrappers.paced import Paced
from ..wrappers.reconnecting import Reconnecting, Resuming

SPECS = (
    "a camera (0 or /dev/video0), a video file, a picture, a folder of pictures, a URL, gst:PIPELINE, "
    "csi[:SENSOR] (a Jetson's camera), synthetic[:WxH][@FPS][#SEED], or, for a generator, latent[@FPS][#SEED]"
)


def open_source(
    spec: str,
    *,
    fps: float | None = None,
    size_hw: tuple[int, int] | None = None,
    loop: bool = False,
    realtime: bool = False,
    reconnect_s: float = 0.0,
    every_frame: bool = False,
) -> Source:
    """Opens what `spec` names, and has seen its first picture when it returns (cameras, files, streams).

    Args:
        spec: one of `SPECS`. Sizes inside a SPEC are WIDTHxHEIGHT, as cameras state them.
        fps: frames per second; asked of a camera, taken as the truth for files and pictures.
        size_hw: height and width in pixels to ask of a camera; recorded pictures keep their own.
        loop: begin again at the end of a file or folder.
        realtime: frames of a recording come no faster than it plays; none is lost.
        reconnect_s: how long to wait for a camera or stream that went away, in seconds, showing its last frame
            (a recording behind a URL waits, and goes on where it stood); 0 raises its error at once, `math.inf`
            waits for ever.
        every_frame: a network stream whose pictures cannot be decoded as fast as they come gives them all, later
            and later; without it, it leaves some out (`Frame.skipped`).

    Raises:
        SourceError: nothing is there, or it gives no pictures.
        InputError: an option that this kind of source cannot have.
        MissingExtraError: the kind needs a package that is not installed.
    """
    if fps is not None and not 0.1 <= fps <= 1000:
        raise InputError(f"{fps:g} frames per second were asked for", "a number from 0.1 to 1000")
    if not reconnect_s >= 0:
        raise InputError(f"waiting {reconnect_s:g} s for a lost source was asked for", "0 seconds or more")
    spec, wanted = localise(spec), Wanted(fps, size_hw, loop, every_frame)
    began = time.monotonic()
    source = _open(spec, wanted)
    if source.revivable and reconnect_s > 0:
        if not source.live:
            source = Resuming(source, give_up_s=reconnect_s)
        else:
            # What took long to open at first may do so again.
            again = replace(wanted, answer_s=max(AGAIN_S, 2 * (time.monotonic() - began)))
            source = Reconnecting(source, lambda: _open(spec, again), give_up_s=reconnect_s)
    if realtime and not source.live:
        source = Paced(source)
    return source


def _open(spec: str, wanted: Wanted) -> Source:
    try:
        kind = next((kind for kind in modules(__name__) if kind.accepts(spec)), None)
    except (OSError, ValueError) as error:  # a name that is longer than any file's, or no name at all
        raise SourceError(f"source {redact(spec)[:100]!r} cannot be looked for: {reason(error)}") from None
    if kind is not None:
        source: Source = kind.open_frames(spec, wanted)
        return source
    what = "neither a file nor a folder" if os.path.lexists(spec) else "no such file or folder"
    raise SourceError(f"source {redact(spec)!r}: {what}", f"expected {SPECS}")
