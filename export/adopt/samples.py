"""Pictures on which a model from elsewhere is tried, and what ONNX Runtime makes of them: its golden pairs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from edgegan.runtime.errors import VerifyError
from edgegan.runtime.model.card import ModelCard
from edgegan.runtime.model.condition import Condition
from edgegan.runtime.model.golden import Golden
from edgegan.runtime.model.image import Image, preprocess
from numpy.typing import NDArray

from ..verify.range_limits import sizes_to_store
from .inspect import Probe

Array = NDArray[Any]

PICTURES = 4


def edits(condition: Condition) -> list[list[float]]:
    """The default label, and each name changed by itself; of a group, each other name turned on."""
    on = dict(zip(condition.names, condition.default, strict=True))
    grouped = {name for group in condition.groups for name in group}
    changes = [{name: 1.0 if name in grouped else 1.0 - on[name]} for name in condition.names]
    labels = [condition.apply(on, change) for change in ({}, *changes)]
    return [list(label) for label in dict.fromkeys(tuple(label[n] for n in condition.names) for label in labels)]


def run_samples(probe: Probe, card: ModelCard, pictures: Path | None, count: int = PICTURES) -> Golden:
    """`count` pictures, each with every edit, and what ONNX Runtime makes of them.

    Raises VerifyError if that is not finite, and what reading or drawing pictures raises.
    """
    inputs: dict[str, list[Array]] = {spec.name: [] for spec in card.inputs}
    outputs: dict[str, list[Array]] = {spec.name: [] for spec in card.outputs}
    for picture in _fitting(pictures, card.size.hw, count):
        for edit in edits(card.condition):
            given = {card.inputs[0].name: preprocess(card, picture)}
            if len(card.inputs) > 1:
                given[card.inputs[1].name] = np.array([edit], card.inputs[1].dtype)
            for name, answer in probe.run(given).items():
                if not np.isfinite(answer).all():
                    raise VerifyError(
                        f"{probe.path} gives values that are not finite ('{name}')", todo="check --range and --colour"
                    )
                outputs[name].append(answer if answer.dtype == np.uint8 else answer.astype(np.float32))
            for name, array in given.items():
                inputs[name].append(array if array.dtype == np.uint8 else array.astype(np.float32))
    return Golden(_join(inputs), _join(outputs))


def corners(probe: Probe, card: ModelCard, pairs: Golden, pictures: Path | None) -> dict[str, Golden]:
    """Further pairs at the ends of what the card allows: the most pictures a call, the smallest and largest size.

    The sizes of `sizes_to_store` are among them.
    """
    rule, most = card.size, min(card.batch[1], len(pairs))
    found = {}
    if most > 1:
        found[f"{most}x{rule.hw[0]}x{rule.hw[1]}"] = msgspec.structs.replace(pairs, batch=most)
    for hw in dict.fromkeys((rule.min_hw, rule.max_hw, *sizes_to_store(card))):
        if hw is not None and hw != rule.hw:
            there = msgspec.structs.replace(card, size=msgspec.structs.replace(rule, hw=hw))
            found[f"1x{hw[0]}x{hw[1]}"] = run_samples(probe, there, pictures, count=1)
    return found


def _fitting(pictures: Path | None, hw: tuple[int, int], count: int) -> Iterator[Image]:
    """Pictures of `hw`, stretched if need be."""
    import cv2

    for picture in islice(_draw_faces(max(hw)) if pictures is None else _real(pictures), count):
        shrinks = hw[0] * hw[1] < picture.shape[0] * picture.shape[1]
        fitted: Any = cv2.resize(picture, hw[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        yield fitted


def _draw_faces(size: int) -> Iterator[Image]:
    from edgegan.runtime.drawn.avatars import render_rgb, sample_face, seeds

    for seed in seeds("heldout", PICTURES):
        yield np.ascontiguousarray(render_rgb(sample_face(seed), min(size, 512))[:, :, ::-1])


def _real(path: Path) -> Iterator[Image]:
    from edgegan.runtime.live.sources.pictures import Pictures

    return (frame.image_bgr for frame in Pictures(path))


def _join(parts: dict[str, list[Array]]) -> dict[str, Array]:
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}
