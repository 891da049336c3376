"""A video file: H.264 through PyAV, so that browsers play it."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError, SinkError, reason
from ...files import atomic_path
from ...model.image import Image
from ...opencv import pyav
from ..frame_clock import FrameClock
from ..media.sound_output import FORMATS, SoundOutput, SoundPlan, plan
from ..provenance import Origin, append_to_mp4
from ..sink import Sink, SinkClosed, check_same_size, check_writable
from ..sound import SoundTrack
from ..source import Frame
from ._even import even
from ._recorded_file import RecordedFile

SUFFIXES = (".mkv", ".mov", ".mp4")
_TICKS = 90_000  # per second
_SAFE = 2 * _TICKS  # from here on the fragment of the first second is written
_FRAGMENTED = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "flush_packets": "1",
    "max_interleave_delta": "100000",  # microseconds; else pictures wait up to 10 s for a sound that has ended
}
_CODEC = {"preset": "veryfast", "crf": "18", "tune": "zerolatency"}  # a frame goes in, its packet comes out


def accepts(spec: str) -> bool:
    """A name that ends like a video's."""
    return Path(spec).suffix.lower() in SUFFIXES and not Path(spec).is_dir()


def open_sink(spec: str, clock: FrameClock) -> Video:
    """Opens a video file."""
    return Video(Path(spec), clock)


class Video(Sink):
    """Records H.264, yuv420p, BT.709; an odd side gets one more row or column.

    The file appears with the first frame and is written in place in fragments of one second, so that after a
    crash, a kill or a power cut it plays up to its last full second. A clean close turns it, at once, into an
    ordinary file with its index in front, which browsers can seek in. An earlier file of that name stays until the
    first second of the new one is safe. The clock's sound is copied unchanged, as far as the pictures go, or, if
    this file cannot hold it, encoded again; `about` says so. The origin is told in the file's comment and, after a
    clean close, as XMP. A pipe gets the fragments as they are. Needs the `video` extra.
    """

    stage = "encode"

    def __init__(self, path: Path, clock: FrameClock | None = None) -> None:
        self._av = pyav()
        if "libx264" not in self._av.codecs_available:
            raise SinkError("this build of PyAV has no H.264 encoder (libx264)", todo="run: pip install -U av")
        check_writable(path)
        self._path, self._clock = path, clock or FrameClock()
        self._size_hw = (0, 0)
        self._scaler = self._av.video.reformatter.VideoReformatter()
        self._container: Any = None
        self._stream: Any = None
        self._file: RecordedFile | None = None
        self._track: SoundTrack | None = None
        self._sound: SoundOutput | None = None
        self._last_tick, self._next_key, self._packets = -1, 0, 0
        self._sound_delay_s = self._lasts_s = 0.0
        self._gone = self._closed = self._failed = False
        self.about = str(path)

    def write(self, frame: Frame, before: Image | None = None) -> None:
        """Encodes one frame. Every frame must have the size of the first."""
        self._failed = True  # unless it comes to its end
        if self._container is None:
            self._start(frame)
        check_same_size(frame, self._size_hw, str(self._path))
        rows = np.ascontiguousarray(even(frame.image_bgr))
        picture = self._scaler.reformat(
            self._av.VideoFrame.from_numpy_buffer(rows, format="bgr24"),
            format="yuv420p",
            dst_colorspace="ITU709",
            dst_color_range="MPEG",
        )
        tick, self._lasts_s = self._tick(frame), frame.lasts_s
        picture.pts, picture.time_base = tick, Fraction(1, _TICKS)
        if tick >= self._next_key:
            picture.pict_type, self._next_key = self._av.video.frame.PictureType.I, tick + _TICKS
        self._sound_delay_s = self._clock.sound_delay_s(frame)
        self._write_sound(tick / _TICKS)
        self._encode(picture)
        if tick >= _SAFE and self._file is not None:
            self._file.keep()
        self._failed = False
        if self._gone:
            raise SinkClosed

    def _start(self, frame: Frame) -> None:
        height, width = frame.image_bgr.shape[:2]
        self._file = RecordedFile(self._path)
        suffix = self._path.suffix.lower()
        options = {name: value for name, value in _FRAGMENTED.items() if suffix != ".mkv" or name != "movflags"}
        how = self._plan_sound(suffix, options)
        try:
            self._container = self._av.open(
                str(self._file.place), "w", format=FORMATS[suffix], options=dict(how.options if how else options)
            )
        except (OSError, self._av.FFmpegError) as error:
            self._file.discard()
            raise self._cannot_write(error) from None
        self._container.metadata["comment"] = self.origin.sentence()
        rate = Fraction(self._clock.fps).limit_denominator(1001)
        stream = self._container.add_stream("libx264", rate=rate, options=_CODEC)
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS)
        context.gop_size = 10_000  # key frames come by time, in `write`
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        context.color_range = 1  # 16 to 235
        self._stream, self._size_hw = stream, (height, width)
        if how is not None and how.sounds and self._track is not None:
            self._sound = how.add_to(self._container, self._track)

    def _plan_sound(self, suffix: str, options: Mapping[str, str]) -> SoundPlan | None:
        """How the clock's sound can stand in this file; None where there is none."""
        if self._clock.sound is None:
            return None
        try:
            self._track = self._clock.sound.open()
        except (OSError, self._av.FFmpegError) as error:
            self._say(f"without sound: {error.strerror or error}")
        if self._track is None:
            return None
        how = plan(self._track, suffix, options)
        if how.note:
            self._say(how.note)
        if not how.sounds:
            self._end_sound()
        return how

    def _say(self, what: str) -> None:
        self.about = f"{self._path} ({what})"

    def _write_sound(self, until_s: float, *, end: bool = False) -> None:
        """The sound before that moment; what the file does not take after all ends the sound, not the pictures."""
        if self._sound is None or self._track is None:
            return
        at = until_s
        try:
            for packet in chain(self._sound.until(until_s, self._sound_delay_s), self._sound.end() if end else ()):
                at = float((packet.pts or 0) * packet.time_base)
                self._container.mux(packet)
        except (OSError, self._av.FFmpegError, ValueError) as error:
            if getattr(error, "errno", None) not in (errno.EINVAL, None):
                raise self._cannot_write(error) from None
            self._say(f"its sound ends at {at:.1f} s: {reason(error)}")
            self._end_sound()
            return
        if self._track.broken:
            self._say(f"its sound ends early: {self._track.broken}")

    def _end_sound(self) -> None:
        if self._track is not None:
            self._track.close()
            self._track = self._sound = None

    def _tick(self, frame: Frame) -> int:
        tick = round(self._clock.moment_s(frame) * _TICKS)
        self._last_tick = max(tick, self._last_tick + 1)
        return self._last_tick

    def _encode(self, picture: Any) -> None:
        """Encodes and writes; None flushes the encoder."""
        try:
            packets = self._stream.encode(picture)
        except (OSError, self._av.FFmpegError, ValueError) as error:
            raise self._cannot_write(error) from None
        for packet in packets:
            self._mux(packet)
            self._packets += 1

    def _mux(self, packet: Any) -> None:
        if self._gone:
            return
        try:
            self._container.mux(packet)
        except (OSError, self._av.FFmpegError, ValueError) as error:
            if getattr(error, "errno", None) != errno.EPIPE:
                raise self._cannot_write(error) from None
            self._gone = True

    def _cannot_write(self, error: Exception) -> SinkError:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        return SinkError(f"cannot write {self._path}: {reason(error)}", todo="is the disk full?" if full else "")

    def close(self) -> None:
        """Ends the file and puts its index in front."""
        if self._container is None or self._file is None or self._closed:
            return
        self._closed = True
        whole = False
        try:
            if self._packets:
                end_s = self._last_tick / _TICKS + (self._lasts_s or 1 / self._clock.fps)  # of the last picture
                self._write_sound(end_s, end=True)
                self._encode(None)
                whole = True
        finally:
            self._end_sound()
            with suppress(OSError, ValueError):  # the disk is full: the fragments written so far play
                self._container.close()
            self._file.release()
            if not self._packets or (self._failed and self._file.waits):
                self._file.discard()
                whole = False
        if not whole or not self._file.plain:
            return
        with suppress(InputError, OSError, ValueError):  # no room for a second copy: the fragmented file stays
            _index_in_front(self._file.place, self.origin)
        self._file.keep()


def _index_in_front(path: Path, origin: Origin) -> None:
    """Copies the packets of `path` into an ordinary file, adds the origin, and puts that in its place."""
    with atomic_path(path) as temporary:
        _copy(path, temporary)
        if path.suffix.lower() != ".mkv":  # Matroska has no place for XMP: there the comment says it
            append_to_mp4(temporary, origin)


def _copy(path: Path, to: Path) -> None:
    av = pyav()
    with (
        av.open(str(path)) as recorded,
        av.open(str(to), "w", options={} if to.suffix.lower() == ".mkv" else {"movflags": "faststart"}) as ordinary,
    ):
        ordinary.metadata.update(recorded.metadata)
        streams = {stream.index: ordinary.add_stream_from_template(stream) for stream in recorded.streams}
        for packet in recorded.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                ordinary.mux(packet)
