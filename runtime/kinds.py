"""Kinds that are found, not listed: each is a module of its package."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def modules(package: str) -> list[ModuleType]:
    """Imports and gives the modules of `package`, by name, without those that begin with "_".

    Those with `FALLBACK = True`, which take what no other kind knows, come last.
    """
    path = importlib.import_module(package).__path__
    names = sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_"))
    found = [importlib.import_module(f"{package}.{name}") for name in names]
    return sorted(found, key=lambda module: getattr(module, "FALLBACK", False))
