"""Numbers that lie in a network's buffers, so that checkpoints and averages hold them, and steer it from the host.

How far a network has grown decides which layers run. To read that off a GPU at every call would stop its queue; so the
host remembers what it wrote, and reads only what somebody else has changed since.
"""

from __future__ import annotations

from torch import nn


def set_value(module: nn.Module, name: str, value: float) -> None:
    """Writes `value` into the buffer `name` (a scalar) of a module."""
    buffer = module.get_buffer(name)
    buffer.fill_(value)
    _remember(module, name, value)


def read_value(module: nn.Module, name: str) -> float:
    """The buffer's value; waits for its device only where another than `set_value` wrote it last."""
    buffer = module.get_buffer(name)
    known = module.__dict__.get(f"_host_{name}")
    if known is None or known[0] is not buffer or known[1] != buffer._version:
        _remember(module, name, float(buffer))
    value: float = module.__dict__[f"_host_{name}"][2]
    return value


def _remember(module: nn.Module, name: str, value: float) -> None:
    buffer = module.get_buffer(name)
    module.__dict__[f"_host_{name}"] = (buffer, buffer._version, value)
