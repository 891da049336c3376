"""The live loop that a user would write today: OpenCV, a face crop, the network in eager PyTorch, one thread.

It does less than `edgegan live`: no label estimation (unnamed attributes take the card's default), no eye-line
alignment, no smoothing, no colour-true blend; the edited square is pasted back as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import torch

from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.model.image import Image
from edgegan.train.folder.run import open_trained


def plain(path: Path, changes: Mapping[str, float]) -> Callable[[Image], Image]:
    """Frame in, frame out, both (H, W, 3) uint8 BGR, with the weights of a run or checkpoint."""
    run, nets, _ = open_trained(path)
    spec = run.family.exportable(run.cfg, nets, run.data)[0]
    condition = spec.card.condition
    default = dict(zip(condition.names, condition.default, strict=True))
    labels = [torch.tensor([vector]) for vector in condition.vectors(default, changes)]
    size = spec.card.size.hw[::-1]  # OpenCV wants width first
    finder = FaceFinder()

    def edit(frame: Image) -> Image:
        out = frame.copy()
        with torch.inference_mode():
            for face in finder.find(frame):
                x, y, side = square(face.box, frame.shape[0], frame.shape[1])
                crop = cv2.resize(frame[y : y + side, x : x + side], size, interpolation=cv2.INTER_AREA)
                image = torch.from_numpy(crop[:, :, ::-1].copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
                for label in labels:
                    image = spec.module(image, label)
                edited = image[0].permute(1, 2, 0).numpy()[:, :, ::-1]
                shown = np.clip((edited + 1) * 127.5, 0, 255).astype(np.uint8)
                out[y : y + side, x : x + side] = cv2.resize(shown, (side, side))
        return out

    return edit


def square(box: tuple[float, float, float, float], height: int, width: int) -> tuple[int, int, int]:
    """x, y and side of a square twice as large as a face's box, inside the frame."""
    x, y, w, h = box
    side = int(min(2 * max(w, h), height, width))
    left = int(np.clip(x + w / 2 - side / 2, 0, width - side))
    top = int(np.clip(y + h / 2 - side / 2, 0, height - side))
    return left, top, side
