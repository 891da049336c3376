"""What tests need beside the base: skipped with the reason where it is absent; in CI, where it must be, they fail."""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType

import pytest


def there(module: str, extra: str) -> bool:
    """Whether a module is installed; in CI a failure if it is not."""
    found = importlib.util.find_spec(module) is not None
    if not found and os.environ.get("CI"):
        pytest.fail(f"{module} is not installed (extra: {extra}), and in CI its verdict is the point", pytrace=False)
    return found


def needed(module: str, extra: str) -> ModuleType:
    """The module, for all tests of a file, which are skipped if it is absent."""
    if not there(module, extra):
        pytest.skip(f"{module} is not installed (extra: {extra})", allow_module_level=True)
    return importlib.import_module(module)
