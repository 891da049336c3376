"""What OpenVINO compiled, kept on disk: a second open of the same model does not compile it again.

OpenVINO believes what it finds in its cache. So each file there has its hash beside it, written once the file is
whole, and what has none, or another, is removed before OpenVINO looks.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from ...errors import InputError
from ...files import cache_folder, sha256, write_atomic
from ...model.artefact import Artefact
from ...model.onnxfile import content_sha256

VARIABLE = "EDGEGAN_OPENVINO_CACHE"  # a folder for compiled models, empty for none; unset means the per-user cache

_MOST = 16  # models: those used longest ago give way
_HASH = ".sha256"


def choose_folder(cache_dir: Path | None) -> Path | None:
    """Where compiled models are kept; None for nowhere."""
    if cache_dir is not None:
        return cache_dir
    named = os.environ.get(VARIABLE)
    return cache_folder() / "openvino" if named is None else Path(named) if named else None


class Compiled:
    """The compiled forms of one model in one version of OpenVINO.

    A folder that cannot be written costs time, nothing else. Several processes may share it.
    """

    def __init__(self, root: Path, artefact: Artefact, version: str) -> None:
        digest = artefact.card.payload_sha256 or content_sha256(artefact.path)
        self.folder = root / f"{digest[:24]}-{version}"

    def ready(self) -> bool:
        """Makes the folder, and removes from it what no hash vouches for; False if it cannot be had."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for blob in self._blobs():
                beside = blob.with_name(blob.name + _HASH)
                if not beside.is_file() or beside.read_text("ascii", "replace") != sha256(blob):
                    blob.unlink(missing_ok=True)
                    beside.unlink(missing_ok=True)
            os.utime(self.folder)
        except OSError:
            return False
        return os.access(self.folder, os.W_OK)

    def seal(self) -> None:
        """Writes the hashes of what is new, and makes room."""
        with suppress(OSError, InputError):
            for blob in self._blobs():
                beside = blob.with_name(blob.name + _HASH)
                if not beside.is_file():
                    write_atomic(beside, sha256(blob).encode())
            others = sorted(self.folder.parent.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
            for folder in others[_MOST:]:
                shutil.rmtree(folder, ignore_errors=True)

    def drop(self) -> None:
        """Removes all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _blobs(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if path.suffix != _HASH and not path.name.startswith(".")]
