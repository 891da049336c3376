"""edgegan doctor: what is there is called ok, what is not is named with the command that brings it."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError

import pytest
from support.fakes.gpu import FakeCuda
from support.fakes.ort import fake_onnxruntime

from edgegan import cli
from edgegan.runtime import doctor
from edgegan.runtime.backends import BACKENDS, fit
from edgegan.runtime.backends.nvidia import bindings, extras, libraries
from edgegan.runtime.backends.onnxruntime import gpu as ort_gpu
from edgegan.runtime.backends.tensorrt import backend as trt
from edgegan.runtime.doctor import devices, gpu, machine, nvidia, packages, system


def _by_name(topic):
    return {f.name: f for f in doctor.examine() if f.topic == topic}


def test_every_backend_is_told_of_and_the_shipped_model_has_one():
    backends = _by_name("backend")
    assert set(backends) == set(BACKENDS)
    chosen = _by_name("model")["shipped model"]
    assert chosen.status == "ok"
    assert any(name in chosen.text for name, found in backends.items() if found.status == "ok")


def test_a_backend_that_is_not_installed_is_missing_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = _by_name("backend")["onnxruntime"]
    assert found.status == "missing" and "pip install 'edgegan[cpu]'" in found.todo


def test_an_incomplete_extra_names_what_it_lacks(monkeypatch):
    real = packages.version

    def without_av(name):
        if name == "av":
            raise PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(packages, "version", without_av)
    video = _by_name("extra")["video"]
    assert video.status == "missing" and "av" in video.text and video.todo == "pip install 'edgegan[video]'"
    assert _by_name("extra")["cpu"].status == "ok"


def test_a_program_or_module_that_is_not_here_names_debian_s_package(monkeypatch, tmp_path):
    if sys.platform != "linux":
        pytest.skip("Debian's packages are for Linux")
    monkeypatch.setattr(system, "MODULES", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {f.name: f for f in system.examine()}
    wanted = {"ffmpeg": "ffmpeg", "v4l2-ctl": "v4l-utils", "gst-launch-1.0": "gstreamer1.0-tools", "g++": "g++"}
    for program, package in {**wanted, "v4l2loopback": "v4l2loopback-dkms"}.items():
        assert found[program].status == "note" and package in found[program].todo
    (tmp_path / "v4l2loopback").mkdir()
    (tmp_path / "ffmpeg").touch(mode=0o755)
    found = {f.name: f for f in system.examine()}
    assert found["v4l2loopback"].status == found["ffmpeg"].status == "ok" and not found["ffmpeg"].todo


def test_a_camera_that_is_closed_to_the_user_names_the_group(monkeypatch, tmp_path):
    if sys.platform != "linux":
        pytest.skip("Linux's devices")
    (tmp_path / "video0").touch()
    monkeypatch.setattr(system, "DEVICES", tmp_path)
    assert "cameras" not in {f.name for f in system.examine()}
    monkeypatch.setattr(system.os, "access", lambda *_: False)  # the tests may run as root
    closed = {f.name: f for f in system.examine()}["cameras"]
    assert closed.status == "missing" and "video0" in closed.text and "usermod -aG video" in closed.todo


def test_what_could_not_be_looked_at_is_not_called_ok(monkeypatch):
    """On Windows the provider's own file has another name and format: nothing is known of what it is linked to."""
    fake = fake_onnxruntime()  # its provider libraries are nowhere
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    monkeypatch.setattr(libraries, "gpu_count", lambda: 1)
    monkeypatch.setattr(libraries, "driver_cuda", lambda: (13, 0))
    found = {f.name: f for f in gpu.examine()}["onnxruntime CUDA"]
    assert found.status == "note" and "nothing was looked at" in found.text and "--device cuda" in found.todo


def test_what_onnxruntime_wants_of_cuda_is_held_against_what_is_here(monkeypatch):
    wanted = ("libcuda.so.1", "libcudart.so.13", "libcudnn.so.9")
    fake = fake_onnxruntime()
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    monkeypatch.setattr(gpu, "libraries_of", lambda ort, provider: wanted)
    monkeypatch.setattr(ort_gpu, "libraries_of", lambda ort, provider: wanted)
    monkeypatch.setattr(libraries, "gpu_count", lambda: 1)
    monkeypatch.setattr(libraries, "driver_cuda", lambda: (12, 4))
    monkeypatch.setattr(libraries, "cudnn_version", lambda: "9.13.0")
    monkeypatch.setattr(libraries, "missing", lambda names: ())
    found = {f.name: f for f in gpu.examine()}["onnxruntime CUDA"]
    assert found.status == "missing" and "CUDA 12.4" in found.text and "CUDA 13" in found.text
    monkeypatch.setattr(libraries, "missing", lambda names: ("libcudnn.so.9",))
    found = {f.name: f for f in gpu.examine()}["onnxruntime TensorRT"]
    assert found.status == "missing" and "libcudnn.so.9" in found.text and "cudnn]" in found.todo
    monkeypatch.setattr(libraries, "missing", lambda names: ())
    monkeypatch.setattr(libraries, "driver_cuda", lambda: (13, 0))
    found = {f.name: f for f in gpu.examine()}["onnxruntime CUDA"]
    assert found.status == "ok" and found.text == "wants CUDA 13, cuDNN 9; cuDNN 9.13.0 is here"


def test_two_onnxruntimes_in_one_place_are_told_apart_from_one(monkeypatch):
    real = gpu.is_installed
    assert "overwrite" not in str(list(gpu.examine()))
    monkeypatch.setattr(gpu, "is_installed", lambda name: name == "onnxruntime-gpu" or real(name))
    (both,) = [f for f in gpu.examine() if "overwrite" in f.text]
    assert both.status == "missing" and "pip uninstall onnxruntime onnxruntime-gpu" in both.todo


def test_backends_for_gpus_are_no_fault_of_a_machine_without_one(monkeypatch):
    monkeypatch.setattr(libraries, "gpu_count", lambda: 0)
    found = _by_name("backend")
    assert found["onnxruntime-tensorrt"].status == "note" and not found["onnxruntime-tensorrt"].todo


def test_a_jetson_is_called_one(monkeypatch, tmp_path):
    (tmp_path / "release").write_text("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic\n")
    monkeypatch.setattr(extras, "JETSON", tmp_path / "release")
    assert "NVIDIA Jetson Linux 36.4.3" in next(iter(machine.examine())).text


@pytest.fixture
def no_driver(monkeypatch, tmp_path):
    """A machine without NVIDIA's driver; call it with the PCI class and vendor of each device."""
    monkeypatch.setattr(libraries, "driver_cuda", lambda: None)
    monkeypatch.setattr(libraries, "gpu_count", lambda: 0)
    monkeypatch.setattr(nvidia, "PCI", tmp_path / "devices")
    monkeypatch.setattr(nvidia, "MODULE", tmp_path / "nvidia")
    monkeypatch.setattr(extras, "JETSON", tmp_path / "release")

    def with_devices(*devices: tuple[str, str]) -> doctor.Finding:
        for number, (kind, vendor) in enumerate(devices):
            folder = tmp_path / "devices" / f"0000:0{number}:00.0"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "class").write_text(f"{kind}\n")
            (folder / "vendor").write_text(f"{vendor}\n")
        return next(f for f in gpu.examine() if f.name == "NVIDIA")

    return with_devices


def test_an_nvidia_card_without_a_driver_is_missing_its_driver(no_driver, monkeypatch, tmp_path):
    systems = {"debian": "sudo apt install nvidia-driver", "ubuntu": "sudo ubuntu-drivers install"}
    assert no_driver().status == "note"
    # NVIDIA's sound device is no card, and other people's cards are not NVIDIA's.
    assert no_driver(("0x040300", "0x10de"), ("0x030000", "0x8086")).status == "note"
    for kind in ("0x030000", "0x030200"):  # with a display, and a 3D controller
        for name, command in systems.items():
            monkeypatch.setattr(nvidia.platform, "freedesktop_os_release", lambda name=name: {"ID": name})
            found = no_driver(("0x040300", "0x10de"), (kind, "0x10de"))
            assert found.status == "missing" and "0000:01:00.0" in found.text and "0000:00" not in found.text
            assert command in found.todo and "restart" in found.todo
    monkeypatch.setattr(nvidia.platform, "freedesktop_os_release", lambda: {"ID": "mint", "ID_LIKE": "ubuntu debian"})
    assert systems["ubuntu"] in no_driver().todo
    monkeypatch.setattr(nvidia.platform, "freedesktop_os_release", lambda: {"ID": "other"})
    assert all(command in no_driver().todo for command in systems.values())
    (tmp_path / "nvidia").mkdir()
    found = no_driver()
    assert "libcuda.so.1" in found.text and "libcuda1" in found.todo and "--gpus all" in found.todo


def test_a_jetson_without_its_driver_names_its_own_package(no_driver, tmp_path):
    (tmp_path / "release").write_text("# R36 (release), REVISION: 4.3\n")
    found = no_driver()
    assert found.status == "missing" and "nvidia-l4t-cuda" in found.todo


@pytest.mark.parametrize(
    ("version", "fits"), [("10.2.0", False), ("10.3.0", True), ("11.1.0.2", True), ("12.0", False)]
)
def test_tensorrt_is_told_with_its_version_and_an_unfit_one_with_the_right_ones(monkeypatch, version, fits):
    monkeypatch.setattr(trt.importlib.util, "find_spec", lambda name: name == "tensorrt" or None)
    monkeypatch.setattr(fit, "version", lambda name: version)
    monkeypatch.setattr(bindings, "import_runtime", lambda: FakeCuda())
    monkeypatch.setattr(libraries, "gpu_count", lambda: 1)
    found = {f.name: f for f in devices.backends()}["tensorrt"]
    assert found.status == ("ok" if fits else "missing") and version in found.text
    assert ("'edgegan[gpu]'" in found.todo) == (not fits)


def test_a_driver_that_is_too_old_is_told_from_none(no_driver, monkeypatch):
    """CUDA's runtime gives one error, 35, for both."""
    monkeypatch.setattr(bindings, "import_runtime", lambda: FakeCuda(refuses=35))
    assert "no driver" in no_driver().text
    monkeypatch.setattr(libraries, "driver_cuda", lambda: (12, 4))
    monkeypatch.setattr(libraries, "gpu_count", lambda: 1)
    found = no_driver()
    assert found.status == "missing" and "too old: it serves CUDA 12.4" in found.text
    assert "update the driver" in found.todo and "'edgegan[gpu12]'" in found.todo


def test_the_extra_for_this_machine_s_gpu_is_missing_and_those_for_others_are_notes(monkeypatch, tmp_path):
    wanted = [f"package-of-{name}>=1; extra == '{name}'" for name in ("gpu", "gpu12", "jetson")]
    monkeypatch.setattr(packages, "requires", lambda name: wanted)
    monkeypatch.setattr(libraries, "gpu_count", lambda: 1)
    for serves, missing in (((13, 0), "gpu"), ((12, 4), "gpu12")):
        monkeypatch.setattr(libraries, "driver_cuda", lambda serves=serves: serves)
        assert {f.name for f in packages.examine() if f.status == "missing"} == {missing}
    (tmp_path / "release").touch()
    monkeypatch.setattr(extras, "JETSON", tmp_path / "release")
    assert {f.name for f in packages.examine() if f.status == "missing"} == {"jetson"}
    monkeypatch.setattr(libraries, "gpu_count", lambda: 0)
    assert {f.status for f in packages.examine()} == {"note"}


def test_cameras_are_listed_once_each(monkeypatch, tmp_path):
    from edgegan.runtime.live.sources import camera

    for number, index in ((0, "0"), (1, "1"), (2, "0")):  # video1 is the metadata device of video0
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(f"Camera {number}\n")
        (folder / "index").write_text(f"{index}\n")
    monkeypatch.setattr(camera, "DEVICES", tmp_path)
    assert camera.cameras() == {"0": "Camera 0", "2": "Camera 2"}


def test_the_command_prints_words_or_json(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["doctor"])
    assert "shipped model" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        cli.main(["doctor", "--json"])
    assert {f["topic"] for f in json.loads(capsys.readouterr().out)} >= {"machine", "backend", "model"}
