"""TensorRT on a GPU of host memory."""

import pytest
from support.fakes.engines import install
from support.fakes.gpu import FakeCuda


@pytest.fixture
def fake(monkeypatch):
    """The GPU; `fake.module` is its TensorRT."""
    device = FakeCuda()
    device.module = install(monkeypatch, device)
    return device
