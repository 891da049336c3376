"""Small H.264 clips whose frames tell their own number."""

from pathlib import Path

import av
import numpy as np


def numbered(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A picture whose eight stripes are the bits of `number`, black or white."""
    picture = np.zeros((height, width, 3), np.uint8)
    for bit in range(8):
        picture[:, bit * width // 8 : (bit + 1) * width // 8] = 255 * (number >> bit & 1)
    return picture


def number_of(picture: np.ndarray) -> int:
    """The number that `numbered` drew; survives compression."""
    height, width = picture.shape[:2]
    return sum(int(picture[height // 2, bit * width // 8 + width // 16, 1] > 127) << bit for bit in range(8))


def clip(path: Path, *, frames: int, fps: int = 30) -> Path:
    """Writes an ordinary H.264 file with B-frames, as a phone would."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="bgr24")))
        container.mux(stream.encode(None))
    return path
