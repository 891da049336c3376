"""Frames that lie on the GPU: edited there, and by way of the host; how long each takes, and whether they agree."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from figures import Figures, Probe

_PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "front.png"  # several faces side by side
_WH = (1920, 1080)


def upload(picture: np.ndarray) -> Any:
    """The picture on the GPU."""
    import torch

    return torch.from_numpy(picture).cuda()


def download(array: Any) -> np.ndarray:
    """The picture on the host, once all that was queued is done."""
    found: np.ndarray = array.cpu().numpy()
    return found


def frames(probe: Probe) -> None:
    """Milliseconds of a frame of 1920x1080 that begins and ends on the GPU, and dB against the host's picture.

    "by way of the host": copied there, edited by `Editor`, whose network runs on the same device, and copied back.
    """
    import cv2

    from edgegan.runtime import DeviceEditor, Editor, FaceFinder

    picture = cv2.imread(str(_PICTURE))
    shrunk = cv2.resize(picture, None, fx=_WH[0] / picture.shape[1], fy=_WH[0] / picture.shape[1])
    frame = np.full((_WH[1], _WH[0], 3), 110, np.uint8)
    height = min(shrunk.shape[0], _WH[1])
    frame[:height] = shrunk[:height]
    if probe.tiny:
        frame = np.ascontiguousarray(frame[: height // 2, : _WH[0] // 2])
    model, changes = str(probe.model or "portraits"), {"Brown_Hair": 1.0}
    places = FaceFinder().find(frame)
    found: dict[str, np.ndarray] = {}

    def by_host() -> Figures:
        with Editor.open(model, device=probe.device) as editor:
            given = upload(frame)

            def run() -> None:
                found["by way of the host"] = editor.edit(download(given), changes)
                upload(found["by way of the host"])

            times = probe.time(run)
            return {**times, "faces": len(places), "backend": editor.selection.backend}

    def on_gpu(*, searched: bool) -> Figures:
        stages: dict[str, float] = {}
        with DeviceEditor.open(model, device=probe.device) as editor:
            given = upload(frame)
            out = upload(np.zeros_like(frame))

            def run(record: Any = None) -> None:
                editor.edit(given, changes, out=out, places=None if searched else places, record=record)

            times = probe.time(run)
            run(lambda stage, seconds: stages.update({stage: 1000 * seconds}))
            answer = download(out)
            host = found.get("by way of the host")
            figures = {**times, "backend": editor.selection.backend, "stages_ms": stages}
            return {**figures, "psnr_db": None if host is None else psnr(host, answer)}

    probe.attempt("by way of the host", by_host)
    probe.attempt("on the GPU, faces known", lambda: on_gpu(searched=False))
    probe.attempt("on the GPU, faces searched in a reduced copy", lambda: on_gpu(searched=True))


def psnr(a: np.ndarray, b: np.ndarray) -> float | None:
    """Decibels; None for equal pictures."""
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return None if error == 0.0 else 10.0 * math.log10(255.0**2 / error)
