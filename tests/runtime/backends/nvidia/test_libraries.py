"""NVIDIA's libraries by their names on each system."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from edgegan.runtime.backends.nvidia import libraries


@pytest.mark.parametrize(
    ("system", "driver", "cudnn"),
    [("linux", "libcuda.so.1", "libcudnn.so.9"), ("win32", "nvcuda.dll", "cudnn64_9.dll")],
)
def test_the_driver_is_found_by_its_name_on_each_system(monkeypatch, system, driver, cudnn):
    def set_to(value):
        def call(pointer):
            pointer._obj.value = value
            return 0

        return call

    def load(name, mode=0):
        if name == driver:
            return SimpleNamespace(cuInit=lambda flags: 0, cuDeviceGetCount=set_to(2), cuDriverGetVersion=set_to(13020))
        if name == cudnn:
            return SimpleNamespace(cudnnGetVersion=Version())
        raise OSError(name)

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(ctypes, "CDLL", load)
    spec = importlib.util.spec_from_file_location("libraries_there", libraries.__file__)
    assert spec is not None and spec.loader is not None
    there = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(there)
    assert there.gpu_count() == 2 and there.driver_cuda() == (13, 2) and there.cudnn_version() == "9.13.0"


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_two_libraries_with_the_same_names_do_not_see_each_other(tmp_path):
    """As libnvinfer and the library of TensorRT for RTX: in one process each calls its own functions."""
    for name, number in (("first", 1), ("second", 2)):
        source = tmp_path / f"{name}.c"
        source.write_text(f"int own(void) {{ return {number}; }} int answer_{name}(void) {{ return own(); }}")
        subprocess.run(["cc", "-shared", "-fPIC", "-O0", "-o", str(tmp_path / f"{name}.so"), str(source)], check=True)
    code = f"""
import ctypes
from edgegan.runtime.backends.nvidia import libraries
assert libraries.missing([{str(tmp_path / "first.so")!r}, "libnothing.so.0"]) == ("libnothing.so.0",)
print(ctypes.CDLL({str(tmp_path / "second.so")!r}).answer_second())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "2", done.stdout + done.stderr


class Version:
    restype = None

    def __call__(self):
        return 91300


def test_a_gpu_that_this_process_has_not_used_is_told_from_one_that_it_has(monkeypatch):
    class Driver:
        def cuDeviceGet(self, device, number):  # noqa: N802 - CUDA's names
            device._obj.value = 10 + number
            return 0 if number < 2 else 101

        def cuDevicePrimaryCtxGetState(self, device, flags, active):  # noqa: N802
            active._obj.value = int(device.value == 11)
            return 0

    monkeypatch.setattr(libraries, "_load", {libraries.DRIVER: Driver()}.get)
    assert [libraries.has_context(number) for number in range(3)] == [False, True, False]
    monkeypatch.setattr(libraries, "_load", {}.get)
    assert not libraries.has_context(1)
