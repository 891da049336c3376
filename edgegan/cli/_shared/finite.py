"""Numbers of options: none of them is infinite, or no number at all, which would slip past every smallest value."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from edgegan.runtime.errors import InputError


def refuse_infinite(app: typer.Typer) -> None:
    """Has every command of `app` raise InputError, which names the option, for `nan` and `inf`."""
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _check(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            refuse_infinite(group.typer_instance)


def _check(callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def run(*args: Any, **options: Any) -> Any:
        for name, value in options.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(f"--{name.replace('_', '-')} is {value}", "a finite number")
        return callback(*args, **options)

    return run
