"""The GPU is looked for in a process apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgegan.export.trt import gpu
from edgegan.runtime.backends.nvidia import bindings, libraries

BINDINGS = """
print("a line that a library writes")
from support.fakes.gpu import FakeCuda
fake = FakeCuda(devices=2)
globals().update({name: getattr(fake, name) for name in dir(fake) if name.startswith("cuda")})
"""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a driver, whose CUDA this process must not touch; the folder of cuda-python that a child has."""

    def touch() -> None:
        pytest.fail("CUDA was started in this process")

    monkeypatch.setattr(bindings, "import_runtime", touch)
    monkeypatch.setattr(libraries, "driver_cuda", lambda: (13, 0))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[2]}:{Path(__file__).parents[3]}")
    gpu._ask.cache_clear()
    folder = tmp_path / "cuda" / "bindings"
    folder.mkdir(parents=True)
    for name in (folder.parent, folder):
        (name / "__init__.py").touch()
    return folder


def test_the_gpu_is_found_and_this_process_has_no_context_on_it(child: Path) -> None:
    (child / "runtime.py").write_text(BINDINGS)
    found = gpu.find_gpu(1)
    assert isinstance(found, gpu.Gpu)
    assert (found.name, found.compute_capability, found.cuda, found.number) == ("Fake GPU 1", "7.5", "13.2", 1)
    assert gpu.find_gpu(2) == "there is no GPU number 2 here"


def test_a_child_that_dies_is_a_reason(child: Path) -> None:
    (child / "runtime.py").write_text("import os; os._exit(7)")
    assert gpu.find_gpu() == "the process that looks for the GPU ended with 7"


def test_a_gpu_that_was_busy_is_asked_for_again(child: Path) -> None:
    (child / "runtime.py").write_text(BINDINGS.replace("devices=2", "busy=True"))
    assert "the GPU is busy" in str(gpu.find_gpu())
    (child / "runtime.py").write_text(BINDINGS)
    assert isinstance(gpu.find_gpu(), gpu.Gpu)


def test_a_driver_that_hangs_is_a_reason(child: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (child / "runtime.py").write_text("import time; time.sleep(600)")
    monkeypatch.setattr(gpu, "_PATIENCE_S", 1)
    assert gpu.find_gpu() == "the NVIDIA driver did not answer for 1 s"
