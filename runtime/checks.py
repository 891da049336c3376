"""What is refused at the border, where the caller can still be named."""

from __future__ import annotations

import math
import os
from typing import Any

from .errors import InputError


def check_finite(value: Any, what: str, expected: str = "a finite number") -> float:
    """Returns `value` as a float; raises InputError, which names `what` was given, if it is no finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{what} is {value!r}", expected)
    return number


class Owner:
    """The process that opened something. A fork copies the memory of one, but not its threads, and locks as they stand.

    Args:
        what: was opened, for the error.
    """

    def __init__(self, what: str) -> None:
        self._what, self._process = what, os.getpid()

    @property
    def here(self) -> bool:
        """Whether this is still that process."""
        return os.getpid() == self._process

    def check(self) -> None:
        """Raises InputError in any other process."""
        if not self.here:
            raise InputError(
                f"this {self._what} was opened in process {self._process} and inherited by a fork, which its threads "
                "and devices do not survive",
                "one that was opened in the process that uses it",
                "open it there, and start processes with multiprocessing.get_context('spawn')",
            )
