"""Devices and targets by name: what is written is what was read, and a card keeps figures by the kind of device."""

from __future__ import annotations

import pytest

from edgegan.runtime.backends.device import Device, Target, gpu_number
from edgegan.runtime.errors import BackendError


@pytest.mark.parametrize("text", ["cpu", "cuda", "cuda:0", "cuda:12", "gpu:1", "npu", "auto"])
def test_a_device_is_written_as_it_was_read(text: str) -> None:
    assert str(Device.parse(text)) == text


@pytest.mark.parametrize("text", ["", ":", ":1", "cuda:", "cuda:x", "cuda:-1", "cuda:1:2", "cuda:\u00b2", "cuda: 1"])
def test_what_is_no_device_is_refused(text: str) -> None:
    with pytest.raises(BackendError, match="is not a device"):
        Device.parse(text)


@pytest.mark.parametrize(
    ("text", "shown", "entry"),
    [
        ("onnxruntime", "onnxruntime", "onnxruntime"),
        ("onnxruntime:cpu", "onnxruntime", "onnxruntime"),
        ("onnxruntime:cuda", "onnxruntime:cuda", "onnxruntime:cuda"),
        ("onnxruntime:cuda:1", "onnxruntime:cuda:1", "onnxruntime:cuda"),
        ("tensorrt", "tensorrt", "tensorrt"),
        ("tensorrt:cuda:1", "tensorrt:cuda:1", "tensorrt"),
        ("onnxruntime-tensorrt:cuda", "onnxruntime-tensorrt", "onnxruntime-tensorrt"),
    ],
)
def test_a_target_has_one_name_and_one_entry_on_the_card(text: str, shown: str, entry: str) -> None:
    target = Target.parse(text)
    assert (str(target), target.entry) == (shown, entry) and Target.parse(shown) == target


def test_the_number_of_a_gpu() -> None:
    assert [gpu_number(text) for text in ("cuda", "cuda:0", "cuda:3")] == [0, 0, 3]
    with pytest.raises(BackendError, match="'cpu' is not a device"):
        gpu_number("cpu")
