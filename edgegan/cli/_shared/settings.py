"""`--set NAME=VALUE`, of what a model is to make."""

from __future__ import annotations

import math

from edgegan.runtime.errors import InputError


def setting(text: str) -> tuple[str, float]:
    """The name and the value in NAME=VALUE; raises InputError for anything else."""
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not name or not math.isfinite(number):
        raise InputError(
            f"--set {text} cannot be read", "NAME=VALUE, a value from 0 (off) to 1 (on)", "as in: --set Eyeglasses=1"
        )
    return name, number
