"""Held-out inputs and what fp32 eager makes of them: the truth that every artefact is measured against."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from edgegan.runtime.errors import InputError, VerifyError
from edgegan.runtime.model import golden
from edgegan.runtime.model.card import TensorSpec
from edgegan.runtime.model.golden import Golden
from numpy.typing import NDArray

from ..graph.resizing import fit_pictures

if TYPE_CHECKING:
    from edgegan.families import ExportSpec

Array = NDArray[Any]

GOLDEN_BYTES = 2_000_000  # for one golden.npz: it travels with every copy of the model
_STORED = (16, 8, 4, 2, 1)
_BATCH = 8


def eager_pairs(spec: ExportSpec, pictures: int, on_pair: Callable[[int, int], None] | None = None) -> Golden:
    """The pairs of `pictures` held-out pictures, each with every edit the family tells of, in the card's usual size.

    Raises InputError if the pictures cannot be opened, VerifyError if the model's answer is not finite.
    """
    inputs = {s.name: fit_pictures(array, s) for array, s in _by_spec(spec, spec.golden(pictures))}
    return make_pairs(spec, inputs, batch=spec.card.batch[0], on_pair=on_pair)


def make_pairs(
    spec: ExportSpec,
    inputs: Mapping[str, Array],
    *,
    batch: int = 1,
    on_pair: Callable[[int, int], None] | None = None,
) -> Golden:
    """`inputs` (N, ...) with what fp32 eager answers, as pairs of which an artefact takes `batch` a call.

    Raises VerifyError if an answer is not finite.
    """
    import torch

    count = len(next(iter(inputs.values())))
    outputs: dict[str, list[Array]] = {s.name: [] for s in spec.card.outputs}
    with torch.inference_mode():
        for first in range(0, count, _BATCH):
            group = [torch.from_numpy(inputs[s.name][first : first + _BATCH]) for s in spec.card.inputs]
            answer = spec.module(*group)
            answers = answer if isinstance(answer, tuple) else (answer,)
            for (name, kept), one in zip(outputs.items(), answers, strict=True):
                if not torch.isfinite(one).all():
                    raise VerifyError(
                        f"{spec.name}: the trained model itself gives values that are not finite ({name})"
                    )
                kept.append(one.float().numpy())
            if on_pair is not None:
                on_pair(min(first + _BATCH, count), count)
    return Golden(dict(inputs), {name: np.concatenate(parts) for name, parts in outputs.items()}, batch)


def spread(pairs: Golden, count: int) -> Golden:
    """`count` of the pairs, spread so that pictures and edits both vary."""
    total = len(pairs)
    if count >= total:
        return pairs
    # A stride without common factor visits no pair twice and, since the edits of a picture follow each other,
    # falls on another edit each time.
    stride = next(s for s in range(max(1, total // count), 2 * total) if math.gcd(s, total) == 1)
    chosen = [i * stride % total for i in range(count)]
    chosen_inputs = {n: a[chosen] for n, a in pairs.inputs.items()}
    return Golden(chosen_inputs, {n: a[chosen] for n, a in pairs.outputs.items()}, pairs.batch)


def golden_bytes(pairs: Mapping[str, Golden], calls: Mapping[str, Golden] | None = None) -> bytes:
    """The bytes of a golden.npz: at most 16 pairs for each stem, fewer until the file is below GOLDEN_BYTES.

    `calls`, at other sizes, by `golden.call_key`, are stored whole. Everything is stored exactly: inputs as float32
    (256 levels, which compress well), outputs as float32.
    """
    for count in _STORED:
        stored = {stem: spread(each, count) for stem, each in pairs.items()}
        about = "; ".join(f"{stem}: {len(g)} of {len(pairs[stem])} verified pairs" for stem, g in stored.items())
        buffer = io.BytesIO()
        arrays: dict[str, Any] = golden.pack({**stored, **(calls or {})})
        np.savez_compressed(buffer, about=np.array(f"held-out inputs and fp32 eager outputs; {about}"), **arrays)
        if buffer.tell() <= GOLDEN_BYTES:
            break
    return buffer.getvalue()


def _by_spec(spec: ExportSpec, given: Mapping[str, Array]) -> list[tuple[Array, TensorSpec]]:
    wanted = [s.name for s in spec.card.inputs]
    if sorted(given) != sorted(wanted) or not all(len(array) for array in given.values()):
        raise InputError(
            f"{spec.name}: the held-out data gave {', '.join(given) or 'nothing'}", f"for {', '.join(wanted)}"
        )
    return [(given[s.name].astype(s.dtype, copy=False), s) for s in spec.card.inputs]
