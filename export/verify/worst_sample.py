"""The picture that an artefact gets most wrong, beside the right one and the error. Needs no torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from edgegan.runtime.backends import Backend
from edgegan.runtime.model import fidelity
from edgegan.runtime.model.artefact import Artefact
from edgegan.runtime.model.card import TensorSpec
from edgegan.runtime.model.golden import Golden
from edgegan.sheet import Picture, Sheet, to_picture
from numpy.typing import NDArray

Array = NDArray[Any]


def worst_pair(backend: Backend, artefact: Artefact, pairs: Golden) -> tuple[int, Array]:
    """The number of the pair whose first output is farthest from eager's, and that output (1, ...)."""
    spec = artefact.card.outputs[0]
    found: tuple[float, int, Array] | None = None
    number = 0
    for given, expected in pairs.calls():
        for wanted, seen in zip(
            expected[spec.name], backend.run(fidelity.cast(given, artefact.card.inputs))[spec.name], strict=True
        ):
            psnr_db = fidelity.compare(wanted, seen, spec.value_range)["psnr_db"]
            if found is None or psnr_db < found[0]:
                found = psnr_db, number % len(pairs), seen[None]
            number += 1
    assert found is not None
    return found[1], found[2]


def worst_sheet(artefact: Artefact, pairs: Golden, backend: Backend) -> Sheet | None:
    """Input, fp32 eager, this artefact and ten times the error, side by side; None if it gives no picture."""
    spec = artefact.card.outputs[0]
    if spec.layout == "NC":
        return None
    index, seen = worst_pair(backend, artefact, pairs)
    low, high = spec.value_range or (0.0, 1.0)
    expected = pairs.outputs[spec.name][index]
    finite = np.nan_to_num(seen[0].astype(np.float32), posinf=high, neginf=low)
    error = np.abs(finite - expected) * (10.0 / (high - low))
    columns = ["fp32 eager", f"{artefact.card.precision} {backend.name}", "error x 10"]
    cells = [_cell(expected, spec), _cell(finite, spec), _cell(low + error * (high - low), spec)]
    shown = next((s for s in artefact.card.inputs if s.layout == spec.layout and s.shape == spec.shape), None)
    if shown is not None:
        cells.insert(0, _cell(pairs.inputs[shown.name][index], shown))
        columns.insert(0, "input")
    psnr_db = fidelity.compare(expected, finite, spec.value_range)["psnr_db"]
    return Sheet(columns, [cells], title=f"worst of {len(pairs)}: number {index}, {psnr_db:.1f} dB")


def _cell(picture: Array, spec: TensorSpec) -> Picture:
    return to_picture(fidelity.to_hwc(picture, spec).transpose(2, 0, 1), spec.value_range or (0.0, 1.0))
