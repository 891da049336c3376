"""Arrays of other libraries: where their bytes lie, read off real DLPack capsules and interfaces."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest

from edgegan.runtime.backends.nvidia.device_array import DeviceArray, lies_on_a_gpu, read_array
from edgegan.runtime.backends.nvidia.dlpack import read_capsule
from edgegan.runtime.errors import BackendError


def views() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 255, (2, 12, 20, 3), dtype=np.uint8)
    halves = rng.random((3, 8, 10)).astype(np.float16)
    return [
        whole,
        whole[:, 2:9],
        whole[1:, 2:9, 3:17],  # a window of a picture: rows lie apart
        whole[0, :, ::2],
        whole.transpose(0, 3, 1, 2),
        whole[:, ::3],
        whole[:, ::-1],
        halves,
        halves[1],
        halves[:, :, 4:],
        halves[:, 3, 5],
        rng.random(7),
        rng.random((1, 1, 1)).astype(np.float32),
        rng.integers(0, 9, (4, 5)),
    ]


@pytest.mark.parametrize("index", range(len(views())))
def test_a_capsule_of_numpy_and_of_pytorch_is_read_as_what_it_is(index: int) -> None:
    torch = pytest.importorskip("torch")
    view = views()[index]
    arrays = [view] if view.strides and min(view.strides) < 0 else [view, torch.from_numpy(view)]
    for array in arrays:
        capsule = array.__dlpack__()
        found = read_capsule(capsule)
        strides = found.strides or np.empty(found.shape, found.dtype).strides
        assert found.address == view.ctypes.data and found.shape == view.shape and found.dtype == view.dtype
        assert all(a == b for a, b, n in zip(strides, view.strides, view.shape, strict=True) if n > 1)
        assert found.device[0] == 1


def test_what_numpy_has_no_type_for_is_refused() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(BackendError, match="type code 4, 16 bits"):
        read_capsule(torch.zeros(2, dtype=torch.bfloat16).__dlpack__())


@pytest.mark.parametrize("index", range(len(views())))
def test_rows_hold_the_bytes_of_the_array_or_are_refused(index: int) -> None:
    view = views()[index]
    array = DeviceArray(view.ctypes.data, view.shape, view.dtype, view.strides)
    try:
        rows = array.rows
    except BackendError as refused:
        assert "strides" in refused.seen and not view.flags.c_contiguous
        return
    read = b"".join(ctypes.string_at(rows.address + i * rows.pitch, rows.width) for i in range(rows.height))
    assert read == view.tobytes()
    packed = array.rows_at(77)
    assert packed.address == 77 and packed.pitch == packed.width == rows.width and packed.height == rows.height


def test_windows_of_pictures_are_rows_and_what_is_turned_around_is_not() -> None:
    """So that the test before cannot pass by refusing."""
    fits = []
    for view in views():
        try:
            fits.append(DeviceArray(view.ctypes.data, view.shape, view.dtype, view.strides).rows.height)
        except BackendError:
            fits.append(0)
    assert fits == [1, 2, 7, 120, 0, 8, 0, 1, 1, 24, 3, 1, 1, 1]


class Interface:
    """What CuPy, Numba and older PyTorch give."""

    def __init__(self, **more: object) -> None:
        self.__cuda_array_interface__ = {"shape": (2, 3), "typestr": "<f4", "data": (4096, False), "version": 3, **more}


def test_the_interface_says_where_and_when() -> None:
    found = read_array(Interface(stream=9, strides=(32, 4)), 5)
    assert (found.address, found.shape, found.dtype, found.strides) == (4096, (2, 3), np.float32, (32, 4))
    assert found.stream == 9 and not found.read_only and found.number is None
    assert read_array(Interface(), 5).stream is None
    assert read_array(Interface(version=2), 5).stream == 1  # it cannot say: the default stream
    assert read_array(Interface(data=(4096, True)), 5).read_only
    with pytest.raises(BackendError, match="has a mask"):
        read_array(Interface(mask=object()), 5)


def test_a_gpu_mat_of_opencv_has_rows_that_lie_apart() -> None:
    cv2 = pytest.importorskip("cv2")
    real = set(dir(cv2.cuda.GpuMat()))
    mat = SimpleNamespace(cudaPtr=lambda: 8192, size=lambda: (20, 12), depth=lambda: 0, channels=lambda: 3, step=512)
    assert set(vars(mat)) <= real, "the names are OpenCV's"
    found = read_array(mat, 5)
    assert found.shape == (12, 20, 3) and found.dtype == np.uint8 and found.stream == 1
    assert found.rows == (8192, 60, 12, 512)
    mat.depth = lambda: 4
    with pytest.raises(BackendError, match="depth 4"):
        read_array(mat, 5)


def test_what_lies_in_host_memory_is_refused() -> None:
    torch = pytest.importorskip("torch")
    for array in (np.zeros(3), torch.zeros(3), [1, 2]):
        assert not lies_on_a_gpu(array)
        with pytest.raises(BackendError, match="does not lie on a GPU"):
            read_array(array, 5)


def test_the_owner_is_told_the_stream_and_its_refusal_is_said() -> None:
    asked = []

    class Owner:
        def __dlpack_device__(self) -> tuple[int, int]:
            return (2, 1)

        def __dlpack__(self, *, stream: int) -> object:
            asked.append(stream)
            if len(asked) > 1:
                raise BufferError("it is part of a gradient")
            return np.zeros((2, 3), np.float32).__dlpack__()

    found = read_array(Owner(), 7)
    assert asked == [7] and found.shape == (2, 3) and found.keeps is not None and found.stream is None
    with pytest.raises(BackendError, match="cannot be shared: it is part of a gradient"):
        read_array(Owner(), 7)
