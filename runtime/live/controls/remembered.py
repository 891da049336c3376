"""What is remembered between runs, in the user's configuration folder: how each model was left, and its presets.

Names and numbers only: no picture, and nothing about a face, is ever kept here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from ...errors import InputError
from ...files import home_folder, lock_folder, write_atomic
from ...model.card import ModelCard

Values = dict[str, float]
_FORGOTTEN = "settings and presets are remembered for this run alone"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The file of one model."""

    model: str = ""
    values: Values = msgspec.field(default_factory=dict)
    look: dict[str, Any] = msgspec.field(default_factory=dict)
    presets: dict[str, Values] = msgspec.field(default_factory=dict)


class Remembered:
    """What is remembered of one model. Not thread-safe; `Panel` takes the lock. Runs of one model may share the file:
    each keeps what the others have kept meanwhile.

    Args:
        path: of its JSON file, which need not be there yet; None remembers for this run alone.
        model: its name, for people who read the file.

    Raises InputError when the file is there and cannot be read.
    """

    def __init__(self, path: Path | None, model: str = "") -> None:
        self.path, self._model, self.note = path, model, ""
        self._held = self._read()

    @classmethod
    def of(cls, card: ModelCard) -> Remembered:
        """That of a model: of one name, family and list of attributes."""
        told = msgspec.json.encode((card.family, card.task, card.condition.names, card.direction))
        slug = re.sub(r"[^A-Za-z0-9._-]+", "-", card.name).strip("-.") or "model"
        folder = config_folder()
        name = f"{slug}-{hashlib.sha256(told).hexdigest()[:8]}.json"
        return cls(None if folder is None else folder / "models" / name, card.name)

    @property
    def presets(self) -> Mapping[str, Values]:
        """Name -> what it sets, in the order in which they were kept."""
        return self._held.presets

    @property
    def values(self) -> Mapping[str, float]:
        """How the sliders were left."""
        return self._held.values

    @property
    def look(self) -> Mapping[str, Any]:
        """How the picture was shown."""
        return self._held.look

    def keep(self, name: str, values: Mapping[str, float]) -> str:
        """Writes a preset at once; without a name, under the next free number. Returns its name."""
        with self._update():
            if not name:
                name = next(str(n) for n in range(1, len(self.presets) + 2) if str(n) not in self.presets)
            self._held.presets[name] = dict(values)
        return name

    def leave(self, values: Mapping[str, float], look: Mapping[str, Any]) -> None:
        """Writes how the model is left, if that is new."""
        if (dict(values), dict(look)) != (self._held.values, self._held.look):
            with self._update():
                self._held.values, self._held.look = dict(values), dict(look)

    def _read(self) -> _File:
        if self.path is None:
            self.note = f"{_FORGOTTEN}: this user has no home"
            return self._held if hasattr(self, "_held") else _File()
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=_File)
        except FileNotFoundError:
            return _File()
        except (PermissionError, NotADirectoryError) as error:
            self.path, self.note = None, f"{_FORGOTTEN}: {self.path}: {error.strerror}"
            return _File()
        except (OSError, msgspec.MsgspecError) as error:
            raise InputError(
                f"the remembered settings cannot be read: {self.path}: {error}", todo="mend the file or delete it"
            ) from None

    @contextmanager
    def _update(self) -> Iterator[None]:
        """The file as other runs of the model have left it, for a change; written back before another run's turn."""
        with ExitStack() as stack:
            if self.path is not None:
                stack.enter_context(lock_folder(self.path.parent))
            self._held = self._read()
            self._held.model = self._model or self._held.model
            yield
            if self.path is not None:
                write_atomic(self.path, msgspec.json.format(msgspec.json.encode(self._held), indent=2) + b"\n")


def config_folder() -> Path | None:
    """$XDG_CONFIG_HOME/edgegan, else ~/.config/edgegan; None for a user who has no home."""
    return home_folder("XDG_CONFIG_HOME", ".config")


def first_time(what: str) -> bool:
    """Whether `what` has not been asked before, on this machine by this user; remembers that it was.

    True every time where the folder cannot be written.
    """
    folder = config_folder()
    if folder is None:
        return True
    try:
        if (folder / f"{what}.seen").exists():
            return False
        write_atomic(folder / f"{what}.seen", b"")
    except (InputError, OSError):
        return True
    return True
