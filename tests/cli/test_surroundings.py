"""Strange surroundings: no home, folders that cannot be written, streams that are closed or speak another encoding."""

import os
import subprocess
import sys

import pytest

from edgegan.cli import main
from edgegan.runtime import files
from edgegan.runtime.live.controls.remembered import Remembered, first_time


def call(*arguments, shell="", **environment):
    """Runs the command line in a process of its own, its streams as `shell` says."""
    command = f'exec "$PY" -m edgegan {" ".join(arguments)} {shell}'
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PY": sys.executable, **environment}
    return subprocess.run(["bash", "-c", command], capture_output=True, timeout=120, env=known)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize("what", [["--help"], ["live", "--help"], ["doctor"], ["live", "--source", "é顔.mp4"]])
def test_any_encoding_takes_what_is_said(what, encoding):
    done = call(*what, PYTHONIOENCODING=f"{encoding}:strict")
    assert b"Traceback" not in done.stderr and done.returncode in (0, 2), done.stderr
    assert (done.stdout or done.stderr).strip()


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("what", [["--help"], ["--version"], ["live", "--source", "not-there.mp4"]])
def test_a_closed_stream_is_one_that_nobody_reads(what, closed):
    done = call(*what, shell=closed)
    assert b"Traceback" not in done.stderr
    assert done.returncode == (2 if "not-there.mp4" in what else 0)


def test_a_sink_of_any_name_is_written_and_said(tmp_path):
    out = tmp_path / "é顔.mp4"
    done = call("live", "--source", "synthetic:64x48", "--every-frame", "--frames", "3", "--sink", f"'{out}'",
                PYTHONIOENCODING="latin-1:strict")  # fmt: skip
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
    assert out.stat().st_size > 1000


def test_a_locale_that_knows_no_more_than_ascii_reads_the_same_files(tmp_path):
    done = call("live", "--source", "synthetic:64x48", "--every-frame", "--frames", "1", "--sink", "null",
                LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")  # fmt: skip
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("full", [">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"])
def test_a_log_that_finds_no_room_costs_no_work(tmp_path, full):
    out = tmp_path / "out.mp4"
    done = call("live", "--source", "synthetic:64x48", "--every-frame", "--frames", "3", "--sink", str(out), shell=full)
    assert done.returncode == 2 and b"Traceback" not in done.stderr
    assert out.stat().st_size > 1000
    if "2>" not in full:
        assert b"stdout is not whole: No space left on device" in done.stderr


def no_home(monkeypatch):
    def fail():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", fail)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


def unwritable(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "file"))


@pytest.fixture(params=["no home", "unwritable"])
def nowhere(request, monkeypatch, tmp_path):
    files._passing_folder.cache_clear()
    no_home(monkeypatch) if request.param == "no home" else unwritable(monkeypatch, tmp_path)
    yield
    files._passing_folder.cache_clear()


def test_what_cannot_be_kept_is_kept_for_this_run_alone_and_said(nowhere, monkeypatch):
    from edgegan.runtime.model import artefact

    assert not files.cache_note()
    folder = files.cache_folder()
    assert folder == files.cache_folder() and os.access(folder, os.W_OK)
    assert "nothing is cached" in files.cache_note()
    memory = Remembered.of(artefact.load("avatars").card)
    assert memory.keep("", {"Smiling": 1.0}) == "1" and memory.presets == {"1": {"Smiling": 1.0}}
    memory.leave({"Smiling": 0.5}, {})
    assert memory.values == {"Smiling": 0.5} and "this run alone" in memory.note
    assert first_time("notice") and first_time("notice")


@pytest.mark.parametrize("more", [["--stdin"], ["--web", "--port", "0"], ["--snapshot-every", "1"]])
def test_a_live_run_needs_no_home(nowhere, more, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["live", "--source", "synthetic:64x48", "--every-frame", "--frames", "3", "--sink", "null", *more])
    assert not ended.value.code
    told = "".join(capsys.readouterr())
    assert told.count("remembered for this run alone") == (more[0] in ("--stdin", "--web"))
