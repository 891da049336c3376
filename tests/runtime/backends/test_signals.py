"""Ctrl-C stays Ctrl-C: what a library does to the signals of its process must not outlive the models that it held."""

import signal
import subprocess
import sys

import pytest
from support import tiny_models

_INTERRUPT = """
import os, signal, sys
from pathlib import Path
from edgegan.runtime.backends import open_backend
from edgegan.runtime.model.artefact import load
model, name = load(Path(sys.argv[1])), sys.argv[2]
held = []
for _ in range(4):  # always the oldest is closed first
    held.append(open_backend(model, name, threads=1))
    if len(held) > 2:
        held.pop(0).close()
while held:
    held.pop(0).close()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        signal.sigtimedwait([], 1)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="POSIX")
@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_ctrl_c_is_heard_after_models_were_closed_in_the_order_they_were_opened(tmp_path, name):
    tiny_models.write_editor(tmp_path)
    done = subprocess.run([sys.executable, "-c", _INTERRUPT, str(tmp_path), name], capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert done.stdout.split() == ["interrupted"] * 2
