"""What can go wrong, as types. Every message says what was seen, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class EdgeganError(Exception):
    """Base of every error a user can mend. The command line prints it in plain lines and exits with 2.

    Args:
        seen: what was found, in one sentence.
        expected: what would have been right (optional).
        todo: what to do about it (optional).
    """

    def __init__(self, seen: str, expected: str = "", todo: str = "") -> None:
        self.seen, self.expected, self.todo = seen, expected, todo
        super().__init__("\n".join(part for part in (seen, expected, todo) if part))

    def __reduce__(self) -> tuple[Callable[..., EdgeganError], tuple[Any, ...]]:
        """As it is, whatever its kind takes to be made: a worker process may have raised it."""
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[EdgeganError], args: tuple[Any, ...], attributes: dict[str, Any]) -> EdgeganError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class MissingExtraError(EdgeganError):
    """An optional dependency is not installed; the message names the one `pip install` that brings it.

    `todo` is for what pip does not bring.
    """

    def __init__(self, module: str, extra: str, todo: str = "") -> None:
        super().__init__(
            f"this needs the Python package '{module}', which is not installed",
            todo=todo or f"run: pip install 'edgegan[{extra}]'",
        )


class InputError(EdgeganError):
    """A file, folder, frame or option from the user is not what it has to be."""


class CardError(EdgeganError):
    """A model card is missing, unreadable, newer than this program, or disagrees with its model."""


class BackendError(EdgeganError):
    """A backend or device is not there, or could not run the model."""


class NoMemoryError(BackendError):
    """A GPU had no room for the model: it says nothing about whether the model is right."""


class MisfitError(BackendError):
    """An engine was built for another machine than this one: another version of TensorRT, GPU or system."""


class SourceError(EdgeganError):
    """A camera, file or stream cannot be opened or stopped giving frames."""


class SourceRefusedError(SourceError):
    """A source is there and says no: a wrong password, no permission. Trying again does not help."""


class SinkError(EdgeganError):
    """A window, file or stream cannot be written."""


class VerifyError(EdgeganError):
    """An artefact does not reproduce the model it was made from."""


class TrainingError(EdgeganError):
    """A run cannot start, go on, or was stopped because a value is not finite."""


def reason(error: BaseException) -> str:
    """Why the system or a library refused, without numbers and paths where it has words of its own.

    PyAV's errors are not all OSErrors, and have their words in the same place.
    """
    return getattr(error, "strerror", None) or str(error)
