"""The live loop that a user would write today: OpenCV, a face crop, the network in eager PyTorch, one thread.

It is what `edgegan live` is compared with, on the same clip, model, face detector and thread count:

    edgegan live runs/stargan --source synthetic:1280x720 --no-label --every-frame --frames 300 --sink clip.mp4
    python benchmarks/live_baseline.py runs/stargan --source clip.mp4 --set Blond_Hair=1
    edgegan live runs/stargan --source clip.mp4 --set Blond_Hair=1 --sink null

It does less than `edgegan live`: no label estimation (unnamed attributes take the card's default), no eye-line
alignment, no colour-true blend; the edited square is pasted back as it is. Frames are read as fast as they come, so
the figures are what the loop can do, not what a camera gives.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from edgegan.run import open_trained
from edgegan.runtime.errors import EdgeganError, InputError
from edgegan.runtime.faces import FaceFinder


def main() -> None:
    """Runs the loop over a clip or camera and prints frames per second and frame times as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run folder or checkpoint")
    parser.add_argument("--source", required=True, help="a video file, or a camera's number")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="as in edgegan live")
    parser.add_argument("--frames", type=int, default=300, help="stop after so many (default 300)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    try:
        print(json.dumps(measure(options.run, options.source, options.set, options.frames), indent=2))
    except EdgeganError as error:
        print(f"live_baseline: {error}", file=sys.stderr)
        sys.exit(2)


def measure(path: Path, source: str, settings: list[str], limit: int) -> dict[str, object]:
    """Frames, faces, fps and percentiles of the time per frame, capture included; the first frame is warm-up."""
    run, nets, _ = open_trained(path)
    spec = run.family.exportable(run.cfg, nets, run.data)[0]
    condition = spec.card.condition
    changes = {name: float(value) for name, _, value in (s.partition("=") for s in settings)}
    default = dict(zip(condition.names, condition.default, strict=True))
    labels = [torch.tensor([vector]) for vector in condition.vectors(default, changes)]
    size = spec.card.size.hw[::-1]  # OpenCV wants width first
    finder = FaceFinder()
    capture = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    if not capture.isOpened():
        raise InputError(f"OpenCV cannot open '{source}'", "a video file, or the number of a camera")

    times_s: list[float] = []
    faces = 0
    with torch.inference_mode():
        while len(times_s) <= limit:
            began = time.perf_counter()
            there, frame = capture.read()
            if not there:
                break
            for face in finder.find(frame.astype(np.uint8, copy=False)):
                x, y, side = square(face.box, frame.shape[0], frame.shape[1])
                crop = cv2.resize(frame[y : y + side, x : x + side], size, interpolation=cv2.INTER_AREA)
                image = torch.from_numpy(crop[:, :, ::-1].copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
                for label in labels:
                    image = spec.module(image, label)
                edited = image[0].permute(1, 2, 0).numpy()[:, :, ::-1]
                shown = np.clip((edited + 1) * 127.5, 0, 255).astype(np.uint8)
                frame[y : y + side, x : x + side] = cv2.resize(shown, (side, side))
                faces += 1
            times_s.append(time.perf_counter() - began)
    capture.release()
    if len(times_s) < 2:
        raise InputError(f"'{source}' gave {len(times_s)} frames", "at least two")
    counted = np.array(times_s[1:])
    p50, p95, p99 = (round(1000 * float(v), 2) for v in np.percentile(counted, (50, 95, 99)))
    return {
        "model": spec.card.name,
        "frames": len(counted),
        "faces": faces,
        "fps": round(len(counted) / float(counted.sum()), 2),
        "frame_ms": {"p50": p50, "p95": p95, "p99": p99},
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def square(box: tuple[float, float, float, float], height: int, width: int) -> tuple[int, int, int]:
    """x, y and side of a square twice as large as a face's box, inside the frame."""
    x, y, w, h = box
    side = int(min(2 * max(w, h), height, width))
    left = int(np.clip(x + w / 2 - side / 2, 0, width - side))
    top = int(np.clip(y + h / 2 - side / 2, 0, height - side))
    return left, top, side


if __name__ == "__main__":
    main()
