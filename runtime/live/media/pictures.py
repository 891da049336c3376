"""From a decoded frame to the picture that is meant to be seen: upright, of square pixels, in BT.709's colours."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from ...errors import SourceError
from ...model.image import Image
from ...opencv import pyav
from .orientation import orientation
from .tone_mapping import ToneMapper, can_map, wide_kind

# In the numbers of ITU-T H.273: matrices that swscale knows (GBR among them), and that of what names none.
_UNSPECIFIED, _KNOWN = 2, (0, 1, 2, 4, 5, 6, 7, 9)
_ITU709, _BT2020 = 1, 9  # as swscale numbers its matrices
_HD_HW = 577, 1280  # from this height or width on, what names no matrix has that of BT.709
_WIDEST = 8  # a pixel is at most so many times as wide as high: more is a damaged header


class Picture(NamedTuple):
    """One decoded picture, (H, W, 3) uint8 BGR, as it is meant to be seen, and its times in seconds."""

    image: Image
    time_s: float | None  # as the file or stream tells it
    taken: float | None  # of a live stream, in monotonic seconds
    lasts_s: float  # 0 where it is not told
    decode_s: float


class Pictures:
    """Turns the frames of one video stream into pictures: (H, W, 3) uint8 BGR.

    The display matrix is obeyed, mirror images included. Pixels that are not square become square, by enlarging the
    side that is shorter on the screen. What names no matrix is read as BT.709 from 1280 columns or 577 rows on, else
    as BT.601. PQ, HLG and BT.2020 are mapped to BT.709; `notes` says so, or why not.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._scaler = pyav().video.reformatter.VideoReformatter()
        self._mapper: ToneMapper | None = None
        self._shape, self._size_wh = (0, 0), (0, 0)
        self._notes: dict[str, str] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the pictures is not shown as it was recorded, as far as they were seen."""
        return tuple(self._notes.values())

    def picture(self, frame: Any) -> Image:
        """The picture of a decoded frame. Raises SourceError where its colours cannot be mapped."""
        if (frame.width, frame.height) != self._shape:
            self._shape = frame.width, frame.height
            self._size_wh = square_size(frame.width, frame.height, self._pixel_aspect())
        turn, matrix = orientation(frame), self._matrix(frame)
        context = self._stream.codec_context
        kind = wide_kind(
            getattr(frame, "color_trc", context.color_trc), getattr(frame, "color_primaries", context.color_primaries)
        )
        if kind and self._can_map(kind):
            frame, matrix = self._map(frame, matrix, kind), None
        width, height = self._size_wh
        scaled = self._scaler.reformat(frame, width, height, "bgr24", src_colorspace=matrix)
        return turn.apply(scaled.to_ndarray())

    def _pixel_aspect(self) -> Fraction:
        """Width by height of a pixel; what the file says counts before what the stream says."""
        told = self._stream.sample_aspect_ratio or self._stream.codec_context.sample_aspect_ratio
        return Fraction(told) if told and Fraction(1, _WIDEST) <= told <= _WIDEST else Fraction(1)

    def _matrix(self, frame: Any) -> int | None:
        """As `reformat` takes it; None for the one that the frame names."""
        if frame.colorspace not in _KNOWN:
            self._notes["matrix"] = (
                f"its colours may be wrong: no conversion is known for matrix {frame.colorspace} of H.273"
            )
        if frame.colorspace != _UNSPECIFIED or frame.format.is_rgb:
            return None
        context = self._stream.codec_context
        if _BT2020 in (getattr(frame, "color_primaries", None), context.color_primaries):
            return _BT2020
        return _ITU709 if frame.height >= _HD_HW[0] or frame.width >= _HD_HW[1] else None

    def _can_map(self, kind: str) -> bool:
        what = f"HDR ({kind})" if kind != "BT.2020" else "wide colours (BT.2020)"
        if can_map():
            self._notes["range"] = f"{what}, mapped to SDR (BT.709)"
            return True
        self._notes["range"] = f"{what}, which this build of PyAV cannot map to BT.709: it looks washed out"
        return False

    def _map(self, frame: Any, matrix: int | None, kind: str) -> Any:
        key = kind, frame.width, frame.height
        try:
            if self._mapper is None or self._mapper.key != key:
                self._mapper = ToneMapper(*key)
            return self._mapper.map(self._scaler.reformat(frame, format="gbrp16le", src_colorspace=matrix))
        except (OSError, ValueError) as error:
            raise SourceError(f"its colours ({kind}) cannot be mapped to BT.709: {error}") from None


def square_size(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """(width, height) of the same picture with square pixels: the side that grows is even."""
    if aspect == 1:
        return width, height
    return (2 * round(width * aspect / 2), height) if aspect > 1 else (width, 2 * round(height / aspect / 2))
