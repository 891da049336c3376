"""Wide colours and high dynamic range to the ordinary ones: BT.2020, PQ and HLG to BT.709, as a table of colours.

PQ is SMPTE ST 2084, HLG is ITU-R BT.2100 (with its system gamma of 1.2 for a screen of 1000 cd/m2). Reference white
is 203 cd/m2 (ITU-R BT.2408), so that what was graded for ordinary screens keeps its brightness. What is brighter
than three quarters of it is compressed, all channels by one factor, so that hues stay.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...opencv import pyav

_PQ, _HLG, _BT2020 = 16, 18, 9  # transfers and primaries, as in ITU-T H.273
_SIDE = 65  # colours of the table along each axis; between them FFmpeg interpolates
_WHITE, _PEAK = 203.0, 1000.0  # cd/m2
_KNEE = 0.75  # of reference white
_TO_709 = np.array(  # linear BT.2020 to linear BT.709 (ITU-R BT.2087)
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)
_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])


def wide_kind(transfer: int, primaries: int) -> str:
    """ "PQ", "HLG", "BT.2020" for wide colours of ordinary range, else "": by the numbers of ITU-T H.273."""
    return {_PQ: "PQ", _HLG: "HLG"}.get(transfer) or ("BT.2020" if primaries == _BT2020 else "")


def to_sdr(rgb: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Colours (..., 3) of BT.2020 from 0 to 1, of a kind that `wide_kind` names, as BT.709 from 0 to 1."""
    light = rgb**2.4 if kind == "BT.2020" else (_pq_light(rgb) if kind == "PQ" else _hlg_light(rgb)) / _WHITE
    light = np.maximum(light @ _TO_709.T, 0.0)
    if kind != "BT.2020":
        brightest = np.maximum(light.max(-1, keepdims=True), 1e-6)
        light = light * _compress(brightest) / brightest
    return np.asarray(np.clip(light, 0.0, 1.0) ** (1 / 2.4))  # the inverse of BT.1886


def _pq_light(coded: NDArray[np.float64]) -> NDArray[np.float64]:
    """cd/m2 from 0 to 10,000."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = coded ** (1 / m2)
    return np.asarray(10_000.0 * (np.maximum(power - c1, 0.0) / (c2 - c3 * power)) ** (1 / m1))


def _hlg_light(coded: NDArray[np.float64]) -> NDArray[np.float64]:
    """cd/m2 from 0 to 1000."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    return np.asarray(_PEAK * scene * np.maximum(scene @ _LUMA_2020, 1e-9)[..., None] ** 0.2)


def _compress(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """The Moebius curve: the same up to the knee, from there on smoothly so that the peak becomes 1."""
    j, p = _KNEE, _PEAK / _WHITE
    a = -j * j * (p - 1) / (j * j - 2 * j + p)
    b = (j * j - 2 * j * p + p) / (p - 1)
    return np.where(light <= j, light, (b * b + 2 * b * j + j * j) / (b - a) * (light + a) / (light + b))


@cache
def _cube(kind: str) -> str:
    """The table as the text of a .cube file, red fastest."""
    axis = np.linspace(0.0, 1.0, _SIDE)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    table = to_sdr(np.stack([red, green, blue], -1), kind).reshape(-1, 3)
    return f"LUT_3D_SIZE {_SIDE}\n" + "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in table.tolist()) + "\n"


def can_map() -> bool:
    """Whether this build of FFmpeg has the filter that applies such a table."""
    return "lut3d" in pyav().filter.filters_available


class ToneMapper:
    """Maps frames of one kind and size. Raises OSError where the table cannot be written for a moment."""

    def __init__(self, kind: str, width: int, height: int) -> None:
        self.key = kind, width, height
        self._graph = graph = pyav().filter.Graph()
        with tempfile.TemporaryDirectory() as folder:  # the filter reads it when it is made
            path = Path(folder) / "table.cube"
            path.write_text(_cube(kind), "ascii")
            source = graph.add_buffer(width=width, height=height, format="gbrp16le", time_base="1/1000")
            table = graph.add("lut3d", f"file='{path}':interp=tetrahedral")
            sink = graph.add("buffersink")
            source.link_to(table)
            table.link_to(sink)
            graph.configure()

    def map(self, frame: Any) -> Any:
        """A frame of format gbrp16le, BT.2020, as one of BT.709 in the same format."""
        frame.pts = None
        self._graph.push(frame)
        return self._graph.pull()
