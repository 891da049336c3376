"""How steady edited video is, and how near the truth, on the synthetic camera, which knows the true answer.

    python benchmarks/stability.py --json benchmarks/results/stability.json

A still face: `flicker` is the mean absolute difference of consecutive edited frames over that of the input, which
has a camera's noise; 1 is what the camera itself does. A moving face: PSNR of the edited frames against the true
edited video, in the square around the face, and `error flicker`: how much the error changes from frame to frame, in
grey levels. In the row "each frame by itself" no frame knows of another: no tracks, no smoothed labels.

    python benchmarks/stability.py portraits --clip talking.mp4 --json benchmarks/results/stability-portraits.json

A real clip has no true answer: for each attribute, `flicker` as above, about the face, and `change flicker`, how much
the change from input to output changes from frame to frame, as a share of the change itself.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from edgegan.runtime import Editor, open_source
from edgegan.runtime.errors import EdgeganError
from edgegan.runtime.faces.options import FaceOptions
from edgegan.runtime.files import write_atomic
from edgegan.runtime.live.sources.synthetic import Synthetic
from edgegan.runtime.model.image import Image


class Variant(NamedTuple):
    """A way to edit the frames of a video, or each as a picture that stands alone."""

    faces: FaceOptions = FaceOptions()
    video: bool = True


VARIANTS = {
    "tracked": Variant(),
    "each frame by itself": Variant(video=False),
    "tracked, colour match": Variant(FaceOptions(colour_match=True)),
    "tracked, guard": Variant(FaceOptions(guard=True)),
}
CHANGES = {"Eyeglasses": 1.0, "Smiling": 1.0}
SETTLE = 10  # frames
Clip = list[tuple[Image, Image]]


def main() -> None:
    """Prints the table and writes it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="avatars", help="a model of drawn faces, unless there is a --clip")
    parser.add_argument("--clip", metavar="FILE", help="a film of one face to edit instead of the synthetic camera")
    parser.add_argument("--frames", type=int, default=50, help="of each clip (default 50)")
    parser.add_argument("--noise", type=float, default=3.0, help="deviation of the sensor's noise, in grey levels")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    try:
        if options.clip:
            rows = measure_clip(options.model, options.clip, options.frames)
        else:
            with Synthetic(seed=1) as camera:
                still = clip(camera, options.noise, [0] * options.frames)
                moving = clip(camera, options.noise, range(options.frames))
                rows = {name: measure(options.model, each, camera, still, moving) for name, each in VARIANTS.items()}
    except EdgeganError as error:
        print(f"stability: {error}", file=sys.stderr)
        sys.exit(2)
    head = list(next(iter(rows.values())))
    print(" | ".join(["variant".ljust(22), *head]))
    for name, row in rows.items():
        print(" | ".join([name.ljust(22), *(f"{row[key]:.3f}".rjust(len(key)) for key in head)]))
    if options.json:
        about = {
            "frames": options.frames,
            "clip": Path(options.clip).name if options.clip else None,
            "noise": options.noise,
            "machine": platform.processor() or platform.machine(),
        }
        write_atomic(options.json, (json.dumps({**about, "variants": rows}, indent=2) + "\n").encode())


def measure(model: str, variant: Variant, camera: Synthetic, still: Clip, moving: Clip) -> dict[str, float]:
    """One row of the table."""
    with Editor.open(model, threads=1, faces=variant.faces) as editor:

        def edit_clip(clip: Clip) -> list[Image]:
            editor.reset()
            times = [index / camera.fps if variant.video else None for index in range(len(clip))]
            return [editor.edit(frame, CHANGES, timestamp=t) for t, (frame, _) in zip(times, clip, strict=True)]

        outs, part = edit_clip(still), _square(camera, 0)
        ins = [frame[part] for frame, _ in still]
        flicker = _flicker([out[part] for out in outs[SETTLE:]]) / _flicker(ins[SETTLE:])
        errors = [out.astype(np.float32) - truth for out, (_, truth) in zip(edit_clip(moving), moving, strict=True)]
    squares = [error[_square(camera, index)] for index, error in enumerate(errors)]
    psnr_db = [10 * np.log10(255**2 / np.mean(square**2)) for square in squares]
    return {
        "flicker": flicker,
        "psnr_db": float(np.mean(psnr_db)),
        "psnr_worst_db": float(np.min(psnr_db)),
        "error_flicker": _flicker([error[part] for error in errors]),
    }


def measure_clip(model: str, film: str, count: int) -> dict[str, dict[str, float]]:
    """A row for each attribute, turned on: the film's face, edited frame by frame."""
    with open_source(film) as source:
        # Not `frame.timestamp`, which says when a frame was read: a film is read faster than it plays.
        frames = [(frame.image_bgr.copy(), n / (source.fps or 30.0)) for n, frame in enumerate(islice(source, count))]
    rows = {}
    with Editor.open(model, threads=1) as editor:
        for name in editor.card.condition.names if editor.card.condition else ():
            editor.reset()
            outs = [editor.edit(frame, {name: 1.0}, timestamp=timestamp) for frame, timestamp in frames]
            ins = [frame for frame, _ in frames]
            changes = [out.astype(np.float32) - frame for out, frame in zip(outs, ins, strict=True)][SETTLE:]
            touched = np.max([np.abs(change).max(2) for change in changes], axis=0) > 8
            extent = float(np.mean([np.abs(change[touched]).mean() for change in changes]))
            rows[name] = {
                "flicker": _flicker([o[touched] for o in outs[SETTLE:]]) / _flicker([i[touched] for i in ins[SETTLE:]]),
                "change_flicker": _flicker([change[touched] for change in changes]) / extent,
            }
    return rows


def clip(camera: Synthetic, deviation: float, indices: Iterable[int]) -> Clip:
    """Frames of the camera with a sensor's noise, and the true edit of each with the same noise."""
    rng = np.random.default_rng(10)
    frames = []
    for index in indices:
        noise = rng.normal(0, deviation, (*camera.size_hw, 1)).astype(np.float32)
        pictures = (camera.frame_at(index), camera.truth(index, CHANGES))
        frame, truth = (np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8) for picture in pictures)
        frames.append((frame, truth))
    return frames


def _square(camera: Synthetic, index: int) -> Any:
    """The square around the face, five times as wide as the eyes are apart."""
    (x0, y0), (x1, y1) = camera.eyes(index)
    half, x, y = round(2.5 * (x1 - x0)), round((x0 + x1) / 2), round((y0 + y1) / 2 + 0.5 * (x1 - x0))
    return np.s_[max(0, y - half) : y + half, max(0, x - half) : x + half]


def _flicker(pictures: list[Any]) -> float:
    """The mean absolute difference of consecutive pictures."""
    return float(
        np.mean([np.abs(b.astype(np.float32) - a).mean() for a, b in zip(pictures, pictures[1:], strict=False)])
    )


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"{time.monotonic() - began:.0f} s")
