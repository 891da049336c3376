"""One picture file -> RGB pixels, or the reason why not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from edgegan.runtime.errors import InputError

from ._sets import Picture

# Formats that are read. Pillow can read more, some of them by starting other programs (EPS runs Ghostscript).
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
MAX_PIXELS = 89_478_485  # Pillow's own warning level: 256 MiB as RGB
TRANSPARENT_ON = (255, 255, 255)  # the background seen through transparent pixels: white


class UnreadableError(InputError):
    """A file is not a picture that can be used. `reason` says why in a few words."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


def decode(path: Path) -> Image.Image:
    """The whole file as an upright image of mode RGB; the first frame of an animation.

    Grey becomes three equal channels, 16-bit values keep their upper 8 bits, transparency is laid on white,
    palettes and CMYK are converted, and the EXIF orientation is applied. Raises UnreadableError for a file that is
    missing, empty, truncated, no picture, too large to be meant (MAX_PIXELS), or of a kind that has no agreed
    8-bit form (32-bit integers or floats, LAB).
    """
    try:
        with Image.open(path, formats=_formats()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableError(path, f"{image.width}x{image.height} pixels, a decompression bomb?")
            image.load()
            return _rgb(ImageOps.exif_transpose(image), path)
    except UnreadableError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableError(path, f"more than {MAX_PIXELS} pixels, a decompression bomb?") from None
    except Exception as error:  # Pillow's readers raise errors of every type on broken files
        raise UnreadableError(path, _reason(path, error)) from None


def upright_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels as `decode` gives it, from the file's head alone; raises UnreadableError."""
    try:
        with Image.open(path, formats=_formats()) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
            return (image.height, image.width) if turned else (image.width, image.height)
    except Exception as error:  # as in `decode`
        raise UnreadableError(path, _reason(path, error)) from None


def read(path: Path, *, size: int, centre_crop: int | None = None) -> Picture:
    """The file as (size, size, 3) uint8 RGB; raises UnreadableError."""
    return fit(decode(path), size=size, centre_crop=centre_crop)


def fit(image: Image.Image, *, size: int, centre_crop: int | None = None) -> Picture:
    """A square from the middle of `image`, resized to (size, size, 3) uint8 with antialiased bilinear filtering.

    The square is `centre_crop` pixels wide, with black where it reaches beyond the image, as in the StarGAN
    paper's code (178 for CelebA); None takes the largest square.
    """
    side = centre_crop or min(image.size)
    left, top = _start(image.width, side), _start(image.height, side)
    square = image.crop((left, top, left + side, top + side))
    if side != size:
        square = square.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(square)


def stretch(image: Image.Image, *, size: int) -> Picture:
    """All of `image`, whatever its shape, resized to (size, size, 3) uint8 bicubically, as CycleGAN and FastGAN do."""
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(image)


@cache
def _formats() -> tuple[str, ...]:
    """Those of FORMATS that this build of Pillow can read."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _start(length: int, side: int) -> int:
    """Where the middle `side` of `length` pixels begins, rounded as torchvision's CenterCrop rounds it."""
    return round((length - side) / 2) if length >= side else -((side - length) // 2)


def _rgb(image: Image.Image, path: Path) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode == "F" or image.mode == "LAB":
        raise UnreadableError(path, f"pixels of kind {image.mode} have no agreed 8-bit form")
    if image.mode.startswith("I"):  # I;16, I;16B, and I, in which some versions of Pillow open 16-bit grey
        wide = np.asarray(image)
        if wide.min() < 0 or wide.max() > 0xFFFF:
            raise UnreadableError(path, "32-bit pixels have no agreed 8-bit form")
        return Image.fromarray((wide >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        pixels = image.convert("RGBA")
        ground = Image.new("RGBA", pixels.size, (*TRANSPARENT_ON, 255))
        return Image.alpha_composite(ground, pixels).convert("RGB")
    return image.convert("RGB")


def _reason(path: Path, error: Exception) -> str:
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
