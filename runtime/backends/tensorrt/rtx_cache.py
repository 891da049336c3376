"""What TensorRT for RTX compiles for a GPU at its first start, kept for the next one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from ...files import cache_folder
from ...model.card import ModelCard


class JitCache:
    """Kernels that TensorRT for RTX compiled for one kind of GPU, kept for the next start (up to 30 s saved)."""

    def __init__(self, card: ModelCard, gpu: str) -> None:
        name = f"{(card.payload_sha256 or card.name)[:32]}-{gpu.replace(' ', '_')}"
        self._path = cache_folder() / f"{name}.rtxcache"
        self._cache: Any = None

    def attach(self, config: Any) -> None:
        """Makes `config` read and fill the cache."""
        self._cache = config.create_runtime_cache()
        with suppress(OSError):
            self._cache.deserialize(self._path.read_bytes())  # a stale one is refused by TensorRT, and replaced
        config.set_runtime_cache(self._cache)

    def content(self) -> tuple[Path, bytes] | None:
        """The cache's file, and what it is to hold; None where TensorRT gives nothing."""
        try:
            return self._path, bytes(self._cache.serialize())
        except Exception:  # of whatever kind: memory is freed next, and the next start compiles again
            return None
