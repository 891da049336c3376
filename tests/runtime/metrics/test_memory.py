"""How much memory a process holds: what it uses, not what it reserves."""

import subprocess
import sys

import pytest

from edgegan.runtime.metrics.memory import resident_mb

_PROCESS = """
import numpy as np
from edgegan.runtime.metrics.memory import resident_mb
empty = resident_mb()
reserved = np.empty(400_000_000, np.uint8)
print(resident_mb() - empty < 40)
used = np.ones(200_000_000, np.uint8)
print(200 - 40 < resident_mb() - empty < 200 + 40)
"""


def test_memory_is_what_the_process_uses():
    """In a process of its own, where nothing else comes and goes."""
    if resident_mb() is None:
        pytest.skip("this system does not tell")
    done = subprocess.run([sys.executable, "-c", _PROCESS], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "True"], done.stderr
