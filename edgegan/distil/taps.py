"""Feature maps from inside a network, at each of the resolutions that it works at, whatever it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .teacher import first_output

LEAST = 4  # pixels: smaller maps say little of places


@runtime_checkable
class Masked(Protocol):
    """A generator that can say where it paints."""

    mask: bool

    def parts(self, *inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """The picture, and the mask (N, 1, H, W) in [0, 1] if `mask`."""


class Drawn(NamedTuple):
    """What a network gave for its inputs."""

    picture: Tensor
    maps: dict[int, Tensor]  # (N, C, h, w) by height
    mask: Tensor | None = None  # (N, 1, H, W) in [0, 1]


class Taps:
    """The last map of each height below the picture's own: what a decoder makes of it, or the body at the lowest.

    Args:
        net: the network; it is called once, in eval mode, to see its maps.
        inputs: of one picture.
    """

    def __init__(self, net: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._net = net
        last: dict[int, tuple[str, int]] = {}

        def look(name: str) -> RemovableHandle:
            def note(module: nn.Module, given: object, found: object) -> None:
                if isinstance(found, Tensor) and found.dim() == 4:
                    last.pop(found.shape[2], None)
                    last[found.shape[2]] = (name, found.shape[1])

            handle: RemovableHandle = modules[name].register_forward_hook(note)
            return handle

        modules = dict(net.named_modules())
        handles = [look(name) for name in modules if name]
        training = net.training
        try:
            with torch.no_grad():
                picture = first_output(net.eval()(*inputs))
        finally:
            net.train(training)
            for handle in handles:
                handle.remove()
        self._places = {h: name for h, (name, _) in last.items() if LEAST <= h < picture.shape[2]}
        self.channels = {height: last[height][1] for height in self._places}

    def run(self, inputs: tuple[Tensor, ...], heights: Iterable[int]) -> Drawn:
        """The picture, and the maps of these heights."""
        maps: dict[int, Tensor] = {}

        def keep(height: int) -> RemovableHandle:
            def hook(module: nn.Module, given: object, found: Tensor) -> None:
                maps[height] = found

            return self._net.get_submodule(self._places[height]).register_forward_hook(hook)

        handles = [keep(height) for height in heights]
        try:
            if isinstance(self._net, Masked) and self._net.mask:
                picture, mask = self._net.parts(*inputs)
                return Drawn(picture, maps, mask)
            return Drawn(first_output(self._net(*inputs)), maps)
        finally:
            for handle in handles:
                handle.remove()


class Adapters(nn.Module):
    """1 x 1 convolutions from a student's maps to those of its teacher, one for each height that both have."""

    def __init__(self, students: Mapping[str, Taps], teachers: Mapping[str, Taps]) -> None:
        super().__init__()
        self.heights = {
            name: tuple(sorted(set(taps.channels) & set(teachers[name].channels))) for name, taps in students.items()
        }
        self.layers = nn.ModuleDict(
            {
                f"{name}_{h}": nn.Conv2d(students[name].channels[h], teachers[name].channels[h], 1)
                for name, heights in self.heights.items()
                for h in heights
            }
        )

    def forward(self, name: str, maps: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """The maps (N, C, h, w) of the generator `name`, by h, with as many channels as its teacher's have there."""
        return {height: self.layers[f"{name}_{height}"](found) for height, found in maps.items()}
