"""Pictures to try a page with, for visitors without a camera, or for models that edit no photographs."""

from __future__ import annotations

import numpy as np
from edgegan.runtime.errors import MissingExtraError
from edgegan.runtime.model import golden, image
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.image import Image

_DRAWN = "drawn"  # in the domain of models of the synthetic people
_SEEDS = (3, 11, 27)
_TILES = 2  # along each side of a sheet of what a model was tried on
_SIDE = 360  # pixels of one of them


def sample_pictures(artefact: Artefact) -> list[Image]:
    """Returns a few pictures, (H, W, 3) uint8 BGR, of what the model edits.

    For drawn faces these are frames of the synthetic camera, where the `avatars` extra is installed; else they are
    the held-out inputs of the golden pairs. None where there are no such pairs.
    """
    if _DRAWN in artefact.card.domain:
        try:
            return _draw()
        except MissingExtraError:
            pass
    pairs = golden.beside(artefact)
    spec = image.image_spec(artefact.card.inputs, f"input of {artefact.card.name}")
    return [] if pairs is None else _sheets(artefact, pairs.inputs[spec.name])


def _draw() -> list[Image]:
    from edgegan.runtime.live.sources.synthetic import Synthetic

    frames = []
    for seed in _SEEDS:
        with Synthetic((720, 960), seed=seed) as camera:
            frames.append(camera.frame_at(0))
    return frames


def _sheets(artefact: Artefact, tensors: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[Image]:
    import cv2
    import msgspec

    spec = image.image_spec(artefact.card.inputs, "input")
    # `postprocess` reads the tensor that the card calls its output: here that is the input.
    card = msgspec.structs.replace(artefact.card, outputs=(spec,))
    crops = [image.postprocess(card, tensors[i : i + 1]) for i in range(len(tensors))]
    large = [cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC) for crop in crops]
    each = _TILES * _TILES
    sheets = [
        np.vstack([np.hstack(large[first + row : first + row + _TILES]) for row in range(0, each, _TILES)])
        for first in range(0, len(large) - each + 1, each)
    ]
    return [np.asarray(sheet, np.uint8) for sheet in sheets[: len(_SEEDS)]]
