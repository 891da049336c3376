"""Scalars in buffers that the host steers by: read once, and again when somebody else wrote them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from edgegan.networks.generation.host_values import read_value, set_value


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.tensor(1.5, dtype=torch.float64))


def test_what_was_set_is_not_read_back_and_what_others_wrote_is(monkeypatch: pytest.MonkeyPatch) -> None:
    net, reads = Net(), []
    true = Tensor.__float__
    monkeypatch.setattr(Tensor, "__float__", lambda tensor: (reads.append(1), true(tensor))[1])
    assert read_value(net, "level") == 1.5 and read_value(net, "level") == 1.5 and len(reads) == 1
    set_value(net, "level", 2.25)
    assert read_value(net, "level") == 2.25 and len(reads) == 1 and net.state_dict()["level"] == 2.25
    net.level.copy_(torch.tensor(3.0))  # an average
    assert read_value(net, "level") == 3.0
    net.load_state_dict({"level": torch.tensor(4.0, dtype=torch.float64)})
    assert read_value(net, "level") == 4.0
    twin = copy.deepcopy(net)
    set_value(net, "level", 5.0)
    assert read_value(twin, "level") == 4.0 and read_value(net, "level") == 5.0
    net.level = torch.tensor(6.0, dtype=torch.float64)  # moved to another device
    assert read_value(net, "level") == 6.0
