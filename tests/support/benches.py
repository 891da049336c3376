"""`edgegan bench` as a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def bench(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgegan", "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
