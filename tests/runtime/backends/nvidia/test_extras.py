"""Which extra fits a machine."""

import sys

import pytest

from edgegan.runtime.backends import fit
from edgegan.runtime.backends.nvidia import extras, libraries
from edgegan.runtime.errors import MisfitError, MissingExtraError


@pytest.mark.parametrize(
    ("serves", "python", "extra"),
    [
        ((13, 0), (3, 11), "gpu"),
        ((14, 1), (3, 13), "gpu"),
        ((12, 9), (3, 12), "gpu12"),
        ((13, 0), (3, 10), "gpu12"),  # nothing for CUDA 13 has wheels for it
        (None, (3, 11), "gpu"),
        (None, (3, 10), "gpu12"),
    ],
)
def test_driver_and_python_choose_the_extra(monkeypatch, serves, python, extra):
    monkeypatch.setattr(libraries, "driver_cuda", lambda: serves)
    monkeypatch.setattr(sys, "version_info", python)
    assert extras.gpu_extra() == extra
    assert f"'edgegan[{extra}]'" in extras.missing_package("tensorrt").todo


def test_a_jetson_has_its_tensorrt_from_jetpack(monkeypatch, tmp_path):
    (tmp_path / "release").touch()
    monkeypatch.setattr(extras, "JETSON", tmp_path / "release")
    assert extras.gpu_extra() == "jetson"
    assert "'edgegan[jetson]'" in extras.missing_package("cuda-python").todo
    missing = fit.missing_library("tensorrt")
    assert isinstance(missing, MissingExtraError) and "JetPack" in missing.todo and "pip install" not in missing.todo
    misfit = fit.missing_library("tensorrt_rtx")  # so that a TensorRT engine is built in its place
    assert isinstance(misfit, MisfitError) and "does not run on a Jetson" in misfit.seen
