"""A live run in any surroundings: homes, caches, locales, streams and names, whatever they are together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOMES = ("home", "missing/deep/home", "file", "/dev/null", "/proc/1/none", "relative")
LOCALES = ("C", "POSIX", "C.UTF-8", "de_DE.ISO-8859-1", "no_SUCH")
ENCODINGS = (None, "ascii:strict", "latin-1:strict", "cp1252:strict", "utf-8:strict")
FULL = (">/dev/full", "2>/dev/full") if os.path.exists("/dev/full") else ()
STREAMS = ("", ">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-", "<&- >/dev/null", *FULL)
ODD = ("caf\udce9", "\udcff\udcfe", "é顔", "a b'c\"d", "$(x)`y`", "n" * 180, "-x", "--frames", "%s%n", "a\nb")
ANY = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=20)
COMMAND = 'exec "$0" -m edgegan live --source="$1" --sink="$2" --stats-json="$3" --every-frame --frames 2'


@st.composite
def surroundings(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "HOME": draw(st.sampled_from(HOMES)),
        "XDG_CACHE_HOME": draw(st.sampled_from([None, *HOMES])),
        "XDG_CONFIG_HOME": draw(st.sampled_from([None, *HOMES])),
        "LC_ALL": draw(st.sampled_from(LOCALES)),
        "PYTHONUTF8": draw(st.sampled_from([None, "0", "1"])),
        "PYTHONIOENCODING": draw(st.sampled_from(ENCODINGS)),
        "PYTHONUNBUFFERED": draw(st.sampled_from([None, "1"])),
        "streams": draw(st.sampled_from(STREAMS)),
        "name": draw(st.one_of(ANY, st.sampled_from(ODD))),
    }


def check(found: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        (top / "home").mkdir()
        (top / "file").touch()
        streams, name = found["streams"], found["name"]
        known = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON", "XDG_"))}
        known |= {"PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path), "PYTHONCOERCECLOCALE": "0"}
        for variable, value in found.items():
            if variable.isupper() and value is not None:
                homes = variable == "HOME" or variable.startswith("XDG_")
                known[variable] = str(top / value) if homes and value != "relative" else value
        script = (
            f'exec "$0" -m edgegan live --source="$1" --every-frame --frames 2 --sink="$2" --stats-json="$3" {streams}'
        )
        film, out, stats = (os.fsencode(f"{name}{end}") for end in (".y4m", ".mp4", ".json"))
        (top / os.fsdecode(film)).write_bytes(b"YUV4MPEG2 W64 H48 F10:1 C420jpeg\n" + (b"FRAME\n" + bytes(4608)) * 3)
        done = subprocess.run(
            ["bash", "-c", script, sys.executable, film, out, stats], capture_output=True, cwd=folder, env=known,
            timeout=240,
        )  # fmt: skip
        assert b"Traceback" not in done.stderr + done.stdout, done.stderr.decode("utf-8", "replace")
        assert done.returncode == (2 if "full" in streams else 0), done.stderr.decode("utf-8", "replace")
        assert (top / os.fsdecode(out)).stat().st_size > 1000
        assert json.loads((top / os.fsdecode(stats)).read_bytes())["frames"]["shown"] == 2


_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=6, suppress_health_check=_SLOW)
@given(surroundings())
def test_a_run_works_in_any_surroundings(found: dict[str, Any]) -> None:
    check(found)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=150, suppress_health_check=_SLOW)
@given(surroundings())
def test_a_run_works_in_many_surroundings(found: dict[str, Any]) -> None:
    check(found)
