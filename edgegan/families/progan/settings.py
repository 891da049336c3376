"""What PyTorch-GAN-zoo's `config` says of its PGAN, where a file has it, and what is assumed where it has not.

`edgegan import` reads that object as plain values (see `edgegan.official.OtherSettings`); a file that was converted
holds them as a dict, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgegan.runtime.errors import InputError

_LINEAR = ("WGANGP", "WGANGP2")  # its losses after which the generator ends in no tanh


@dataclass(frozen=True)
class Settings:
    """`alpha` is what the next smaller size still counts; `equalised` whether layers multiply by He's constant."""

    alpha: float
    equalised: bool
    notes: tuple[str, ...]

    @classmethod
    def read(cls, file: str, loaded: Any) -> Settings:
        """Raises InputError for what edgegan does not build: a tanh, other slopes, no pixel norms, labels."""
        found = loaded.get("config") if isinstance(loaded, Mapping) else None
        if not isinstance(found, Mapping) or not found:
            note = (
                f"{file}: taken as grown up, with He's constant in its layers, slopes of 0.2, and no tanh or labels: "
                "its settings are not in the file"
            )
            return cls(0.0, True, (note,))
        told = {str(key): value for key, value in found.items() if isinstance(value, bool | int | float | str)}
        wrong = {
            "lossCriterion": told.get("lossCriterion", "WGANGP") not in _LINEAR,
            "leakyReluLeak": told.get("leakyReluLeak", 0.2) != 0.2,
            "perChannelNormalization": told.get("perChannelNormalization", True) is not True,
            "categoryVectorDim": told.get("categoryVectorDim", 0) != 0,
        }
        for key, refused in wrong.items():
            if refused:
                raise InputError(
                    f"{file}: a PGAN with {key} {told[key]!r}",
                    "the loss WGANGP (whose generator has no tanh), slopes of 0.2, pixel norms, and no labels",
                    "edgegan does not build the other forms",
                )
        alpha, equalised = told.get("alpha", 0.0), told.get("equalizedlR", True)
        if isinstance(alpha, str) or not 0 <= alpha <= 1 or not isinstance(equalised, bool):
            raise InputError(f"{file}: alpha {alpha!r}, equalizedlR {equalised!r}", "0 to 1; true or false")
        return cls(float(alpha), equalised, ())
