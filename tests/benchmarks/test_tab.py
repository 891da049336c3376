"""A browser tab's frames per second, as the page itself counts them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from support.needed import needed

needed("tflite", "export")

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "tab.py"
FPS = 30


def call(*words):
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, words)], capture_output=True, text=True, timeout=300)


def test_the_pages_own_figures_are_read_and_written(chromium, site, tmp_path):
    done = call(site.folder, "--seconds", 3, "--warm", 1, "--out", tmp_path / "tab")
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "tab.json").read_text())
    (row,) = figures["rows"]
    rate, least, most = row["rate"]
    assert 0 < least <= rate <= most <= 1.5 * FPS
    assert row["ms"][0] > 1 and "WebAssembly" in row["runtime"]
    assert (tmp_path / "tab.md").read_text() in done.stdout
    assert str(tmp_path) not in (tmp_path / "tab.json").read_text()


def test_a_folder_that_is_no_page_is_refused_in_words(chromium, tmp_path):
    done = call(tmp_path)
    assert done.returncode == 1
    assert "is no page; make one by edgegan export" in done.stderr and "Traceback" not in done.stderr
