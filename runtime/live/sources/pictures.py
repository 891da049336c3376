"""Still pictures: one file, or a folder of them in the order of their names."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import SourceError
from ...model.image import Image
from ..source import Frame, Source, Wanted, frame_of, refuse_size

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def accepts(spec: str) -> bool:
    """A folder, or a name that ends like a picture's."""
    return "://" not in spec and (Path(spec).is_dir() or Path(spec).suffix.lower() in SUFFIXES)


def open_frames(spec: str, wanted: Wanted) -> Pictures:
    """Opens a picture or a folder."""
    refuse_size(spec, wanted.size_hw)
    return Pictures(Path(spec), fps=wanted.fps, loop=wanted.loop)


class Pictures(Source):
    """The pictures of a folder, numbers sorted as numbers (2 before 10), or the one picture of a file."""

    live = False

    def __init__(self, path: Path, *, fps: float | None = None, loop: bool = False) -> None:
        self.name, self.fps = path.name or str(path), fps
        if path.is_dir():
            self._paths = sorted((p for p in path.iterdir() if p.suffix.lower() in SUFFIXES), key=_natural)
            if not self._paths:
                raise SourceError(
                    f"the folder {path} holds no pictures ({sum(1 for _ in path.iterdir())} other entries)",
                    f"expected files that end in {', '.join(SUFFIXES)}",
                )
        else:
            self._paths = [path]
        height, width = read_bgr(self._paths[0]).shape[:2]
        self.size_hw = (height, width)
        self._loop = loop
        self.length = None if loop else len(self._paths)
        self.about = f"{path}: {len(self._paths)} picture{'s' * (len(self._paths) > 1)}, {width}x{height}"

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            for path in self._paths:
                began = time.perf_counter()
                picture = read_bgr(path)
                yield frame_of(picture, index, path.name, decode_s=time.perf_counter() - began)
                index += 1
            if not self._loop:
                return


def read_bgr(path: Path) -> Image:
    """The whole picture, upright (EXIF), as (H, W, 3) uint8 BGR. Raises SourceError for a missing or broken file."""
    import cv2
    from PIL import Image as Pillow
    from PIL import ImageOps, UnidentifiedImageError

    try:
        with Pillow.open(path) as opened:
            rgb = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise SourceError(f"{path} is not a picture", f"expected one of {', '.join(SUFFIXES)}") from None
    except Pillow.DecompressionBombError:
        raise SourceError(f"{path} holds more pixels than is safe to open", todo="make it smaller first") from None
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for truncated and garbled files
        raise SourceError(f"{path} cannot be read as a picture: {error}", todo="is the file complete?") from None
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _natural(path: Path) -> list[tuple[int, int | str]]:
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]
