"""Places to write to that hold no files: the null device, named pipes, and a process's own streams."""

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.frames import frame

from edgegan.runtime import special_files
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import write_atomic
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.sink import check_writable
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sinks.null import Null
from edgegan.runtime.places import refuse_clashes
from edgegan.runtime.special_files import is_special, open_pipe

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX")


@pytest.mark.parametrize("by", ["its name", "a link", "a link that ends like a film's"])
def test_the_null_device_is_a_sink_that_keeps_nothing(tmp_path, by):
    spec = os.devnull
    if by != "its name":
        spec = str(tmp_path / ("nothing.mp4" if "film" in by else "nothing"))
        os.symlink(os.devnull, spec)
    with open_sink(spec, label=False) as sink:
        assert isinstance(sink, Null)
        sink.write(frame(0))
    refuse_clashes({}, [spec, os.devnull, spec])  # any number of outputs may go nowhere
    assert os.path.exists(os.devnull) and is_special(tmp_path / os.devnull)


_SAY = """
import sys
from pathlib import Path
from edgegan.runtime.files import write_atomic
print("before", flush=True)
write_atomic(Path("/dev/" + sys.argv[1]), b"figures\\n")
print("after")
"""


def test_figures_may_go_to_the_null_device_and_to_the_streams_of_a_process(tmp_path):
    check_writable(Path(os.devnull))
    write_atomic(Path(os.devnull), b"gone")
    for name in ("stdout", "fd/1", "stderr"):
        with open(tmp_path / "said", "wb") as said:  # a file, which an atomic write would put another in the place of
            done = subprocess.run([sys.executable, "-c", _SAY, name], stdout=said, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr
        figures = b"" if name == "stderr" else b"figures\n"
        assert (tmp_path / "said").read_bytes() == b"before\n" + figures + b"after\n"
        assert done.stderr == (b"figures\n" if name == "stderr" else b"")


@pytest.mark.timeout(60)
def test_what_waits_for_the_reader_of_a_pipe_says_so_once(tmp_path, monkeypatch, caplog):
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    monkeypatch.setattr(special_files, "_PATIENCE_S", 0.2)
    got = []

    def read_late():
        time.sleep(0.8)
        got.append(pipe.read_bytes())

    reader = threading.Thread(target=read_late, daemon=True)
    reader.start()
    with caplog.at_level(logging.WARNING), open_sink(str(pipe), FrameClock(fps=30)) as sink:
        sink.write(frame(0))
    reader.join(20)
    assert got and got[0]
    assert [record.getMessage() for record in caplog.records] == [
        f"{pipe} is a pipe: waiting for a program that reads it"
    ]


@pytest.mark.timeout(60)
def test_one_that_is_read_at_once_says_nothing(tmp_path, caplog):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = threading.Thread(target=pipe.read_bytes, daemon=True)
    reader.start()
    write_atomic(pipe, b"figures")
    reader.join(20)
    assert not reader.is_alive() and not caplog.records and is_special(pipe)


@pytest.mark.timeout(60)
def test_ctrl_c_ends_the_wait_for_a_reader(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    monkey = threading.Timer(0.3, lambda: os.kill(os.getpid(), 2))
    monkey.start()
    with pytest.raises(KeyboardInterrupt):
        open_pipe(tmp_path / "pipe.mp4")
    monkey.join()


def test_a_device_that_takes_nothing_is_an_error_in_words():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with pytest.raises(InputError, match="No space left"):
        write_atomic(Path("/dev/full"), b"figures")
