"""How like two pictures are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgegan.sheet import Picture

MAX_PSNR_DB = 60.0  # of a perfect picture, so that it does not swamp a mean


def psnr(a: Picture, b: Picture, where: NDArray[np.bool_] | None = None) -> float:
    """In dB over 255 grey levels; `where` (H, W) chooses pixels. MAX_PSNR_DB where nothing differs or is chosen."""
    apart = a.astype(np.float64) - b
    chosen = apart if where is None else apart[where]
    mse = float(np.square(chosen).mean()) if chosen.size else 0.0
    return MAX_PSNR_DB if mse < 1e-6 * 255**2 else 10 * float(np.log10(255**2 / mse))
