"""What is refused at the border, where the caller can still be named."""

from __future__ import annotations

import math
import os
import weakref
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


def outlive_forks(thing: object) -> None:
    """Keeps `thing` for good in every process that inherits it by a fork.

    What frees a loaded network waits for its threads, which are not there: a process that only ends would hang.
    """
    _inherited.add(thing)


def _keep_inherited() -> None:
    import ctypes  # needs a moment, and few processes fork

    increase = ctypes.pythonapi.Py_IncRef
    increase.argtypes, increase.restype = [ctypes.py_object], None
    for thing in list(_inherited):
        increase(thing)  # a reference in any variable would go when the interpreter ends


_inherited: weakref.WeakSet[object] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep_inherited)


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
