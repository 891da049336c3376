"""Picture files, by one set of rules for training and for live: which are meant, and one file -> upright RGB."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

# Formats that are read. Pillow can read more, some of them by starting other programs (EPS runs Ghostscript).
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = (".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
MAX_PIXELS = 89_478_485  # Pillow's own warning level: 256 MiB as RGB
TRANSPARENT_ON = (255, 255, 255)  # the background seen through transparent pixels: white
LITTER = ("Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir")  # left behind by file managers, archives and drives
_ANIMATED = ("AVIF", "GIF", "PNG", "TIFF", "WEBP")  # a JPEG with several pictures is a camera's, with a small copy

log = logging.getLogger("edgegan.pictures")
_said: set[str] = set()


class UnreadableError(InputError):
    """A file is not a picture that can be used. `reason` says why in a few words."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


def is_litter(path: Path) -> bool:
    """Whether a file or folder is hidden (a Mac's `._x.png` too), or left behind by a file manager."""
    return path.name.startswith(".") or path.name in LITTER


def decode(path: Path) -> Image:
    """The whole file as an upright image of mode RGB; the first frame of an animation, which is said once.

    Grey becomes three equal channels, 16-bit values keep their upper 8 bits, floats from 0 to 1 become 0 to 255,
    transparency is laid on white, palettes and CMYK are converted, and the EXIF orientation is applied. Raises
    UnreadableError for a file that is missing, empty, truncated, no picture, too large to be meant (MAX_PIXELS), or
    of a kind that has no agreed 8-bit form (32-bit integers, other floats, LAB).
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path, formats=_formats()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableError(path, f"{image.width}x{image.height} pixels, a decompression bomb?")
            if image.format in _ANIMATED and getattr(image, "is_animated", False):
                _say_animated(path)
            if _is_deep_rgb(image) and isinstance(clear := image.info.get("transparency"), tuple):
                image.info["transparency"] = tuple(value >> 8 for value in clear)  # as Pillow reduces the pixels
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image), path)
    except UnreadableError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableError(path, f"more than {MAX_PIXELS} pixels, a decompression bomb?") from None
    except Exception as error:  # Pillow's readers raise errors of every type on broken files
        raise UnreadableError(path, _explain(path, error)) from None


def upright_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels as `decode` gives it, from the file's head alone; raises UnreadableError."""
    from PIL import ExifTags, Image

    try:
        with Image.open(path, formats=_formats()) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
            return (image.height, image.width) if turned else (image.width, image.height)
    except Exception as error:  # as in `decode`
        raise UnreadableError(path, _explain(path, error)) from None


@cache
def _formats() -> tuple[str, ...]:
    """Those of FORMATS that this build of Pillow can read."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _is_deep_rgb(image: Image) -> bool:
    """Whether a file that is not loaded yet holds colours of 16 bits, of which Pillow gives the upper 8."""
    return image.mode == "RGB" and any(";16" in str(part) for part in getattr(image, "tile", ()))


def _say_animated(path: Path) -> None:
    if "animation" not in _said:  # of the first alone: a set may be full of them
        _said.add("animation")
        shown = ascii(str(path))[1:-1]
        log.warning("%s: an animation or several pages; of such files the first picture is taken", shown)


def _to_rgb(image: Image, path: Path) -> Image:
    from PIL import Image as Pillow

    if image.mode == "LAB":
        raise UnreadableError(path, "pixels of kind LAB have no agreed 8-bit form")
    if image.mode == "F":
        light = np.asarray(image)
        if not (np.isfinite(light).all() and light.min() >= 0 and 0 < light.max() <= 1):
            raise UnreadableError(path, "float pixels have no agreed 8-bit form, unless they lie between 0 and 1")
        return Pillow.fromarray(np.rint(light * 255).astype(np.uint8)).convert("RGB")
    if image.mode.startswith("I"):  # I;16, I;16B, and I, in which some versions of Pillow open 16-bit grey
        wide = np.asarray(image)
        if wide.min() < 0 or wide.max() > 0xFFFF:
            raise UnreadableError(path, "32-bit pixels have no agreed 8-bit form")
        grey = (wide >> 8).astype(np.uint8)
        clear = image.info.get("transparency")  # the one value that is transparent
        if isinstance(clear, int):
            grey[wide == clear] = TRANSPARENT_ON[0]
        return Pillow.fromarray(grey).convert("RGB")
    if image.has_transparency_data:  # a palette's, a channel, or one colour of an RGB file
        pixels = image.convert("RGBA")
        ground = Pillow.new("RGBA", pixels.size, (*TRANSPARENT_ON, 255))
        return Pillow.alpha_composite(ground, pixels).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _explain(path: Path, error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if "\0" in str(path):
        return "no file can have such a name: it holds a zero byte"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if path.stat().st_size == 0:
        return "an empty file"
    if isinstance(error, UnidentifiedImageError):
        return "not a picture, or of a format that is not read"
    if isinstance(error, MemoryError):
        return "too large for the memory"
    text = str(error).split("\n", 1)[0] or type(error).__name__
    return "truncated" if "truncated" in text.lower() else f"damaged ({text})"
