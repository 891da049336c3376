"""The FFmpeg program as a foreign judge of films, where one is installed."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest


def program() -> str:
    """Its path; skips the test where there is none."""
    if importlib.util.find_spec("imageio_ffmpeg") is not None:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    found = shutil.which("ffmpeg")
    if found is None:
        pytest.skip("no ffmpeg program is installed (imageio-ffmpeg brings one)")
    return found


def make(out: Path, *arguments: str) -> Path:
    """Writes `out` with the given arguments."""
    subprocess.run([program(), "-y", "-v", "error", *map(str, arguments), str(out)], check=True, timeout=120)
    return out


def first_picture(path: Path, size_hw: tuple[int, int], *filters: str) -> np.ndarray:
    """The first picture as FFmpeg shows it, (H, W, 3) uint8 BGR."""
    chain = ["-vf", ",".join(filters)] if filters else []
    command = [program(), "-v", "error", "-i", str(path), *chain, "-frames:v", "1"]
    raw = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "bgr24", "-"], check=True, capture_output=True, timeout=120
    ).stdout
    return np.frombuffer(raw, np.uint8).reshape(*size_hw, 3)
