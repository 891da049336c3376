"""`edgegan live --web`: its options in words, and Ctrl-C."""

import signal
import socket
import subprocess
import sys
import time

import pytest
from support import tiny_models
from support.web.visitor import Visitor

from edgegan.cli import main


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "99"], "without --web"),
        (["--web", "--port", "{busy}"], "in use"),
        (["--web", "--tls", "none.pem"], "there is no file none.pem"),
        (["--web", "--token", "short"], "16 to 128"),
        (["--web", "--host", "no.such.name.invalid"], "there is no address"),
    ],
)
def test_options_that_cannot_be_are_said_in_words(options, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        main(["live", *(option.format(busy=taken.getsockname()[1]) for option in options)])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_ctrl_c_ends_the_command_within_two_seconds(tmp_path):
    model = tiny_models.write_editor(tmp_path / "model", faces=False, alignment=None)
    command = [sys.executable, "-u", "-m", "edgegan", "live", str(model), "--web", "--port", "0"]
    command += ["--source", "synthetic:96x64@30", "--set", "Smiling=1"]
    env = {"XDG_CONFIG_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=".", env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            url = next(line.split()[1] for line in run.stdout if line.startswith("page:"))

            class Page:
                pass

            page = Page()
            page.url = url
            with Visitor.at(page) as visitor:
                visitor.picture(timeout=20)
                visitor.state("Smiling", lambda value: value == 1.0)
                began = time.monotonic()
                run.send_signal(signal.SIGINT)
                out, err = run.communicate(timeout=20)
        finally:
            run.kill()
    assert time.monotonic() - began < 2.5
    assert run.returncode == 130, err
    assert "frames read" in out and "Traceback" not in err
