"""Which places of a network's tensors belong to one channel, found by experiment.

A layer's rows write channels; norms scale them; the columns of later layers read them, some of them far away, behind
sums, gates, concatenations or halves that belong together. A channel can only be left out of all of these at once. Who
reads what is found by writing NaN into a channel and looking where it arrives: nothing but a layer that mixes channels
stops it, so that no operation needs to be known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

_PICTURES = 4  # at a time, whose feature maps are in memory


class Place(NamedTuple):
    """A slice of a tensor of the state."""

    tensor: str
    axis: int
    number: int


class Channel(NamedTuple):
    """What is left out together."""

    written: frozenset[Place]  # or scaled
    read: frozenset[Place]


def find_channels(
    net: nn.Module, inputs: tuple[Tensor, ...], tell: Callable[[int, int], None] = lambda done, of: None
) -> list[Channel]:
    """Every channel that one layer of `net` writes and another reads.

    Args:
        net: the network.
        inputs: of one picture.
        tell: told how many of its layers are done.
    """
    joined = _Joined()
    read: set[Place] = set()
    training = net.training
    probe = _Probe(net.eval(), inputs)
    try:
        for number, (name, layer) in enumerate(probe.mixing.items(), 1):
            axes = {key: 0 if tensor.dim() == 1 else _output_axis(layer) for key, tensor in _tensors(name, layer)}
            for channel in range(probe.count(layer)):
                joined.join(Place(key, axis, channel) for key, axis in axes.items())
            weight, axis = next(iter(axes.items()))
            for reader, pairs in probe.follow(layer).items():
                module = probe.layers[reader]
                mixes, count = reader in probe.mixing, probe.widths[reader]
                theirs = [
                    (key, 1 - _output_axis(module) if mixes else 0)
                    for key, tensor in _tensors(reader, module)
                    if (tensor.dim() > 1 if mixes else len(tensor) == count)
                ]
                for mine, other in pairs:
                    places = [Place(key, at, other) for key, at in theirs]
                    read.update(places if mixes else ())
                    joined.join([Place(weight, axis, mine), *places])
            tell(number, len(probe.mixing))
    finally:
        probe.close()
        net.train(training)
    return [Channel(frozenset(c - read), frozenset(c & read)) for c in joined.classes() if c & read]


class _Probe:
    """A network that tells where what is written by one of its layers arrives."""

    def __init__(self, net: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._net, self._inputs = net, inputs
        self.layers = {name: module for name, module in net.named_modules() if _tensors(name, module)}
        self.mixing = {name: module for name, module in self.layers.items() if _mixes(module)}
        self.widths: dict[str, int] = {}  # channels that a layer is given
        self._seen: dict[str, Tensor] = {}
        self._handles: list[RemovableHandle] = [
            module.register_forward_pre_hook(self._look(name, clean=name in self.mixing))
            for name, module in self.layers.items()
        ]

    def _look(self, name: str, clean: bool) -> Callable[..., tuple[Tensor, ...] | None]:
        def hook(module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            self.widths[name] = args[0].shape[1]
            nan = args[0].isnan()
            nan = nan.flatten(2).any(2) if nan.dim() > 2 else nan
            self._seen[name] = self._seen[name] | nan if name in self._seen else nan
            return (args[0].nan_to_num(), *args[1:]) if clean else None

        return hook

    def count(self, layer: nn.Module) -> int:
        """How many channels a layer writes."""
        return layer.get_parameter(_weight(layer)).shape[_output_axis(layer)]

    def follow(self, layer: nn.Module) -> Mapping[str, list[tuple[int, int]]]:
        """By reader: (channel that the layer writes, channel of the reader that it arrives in)."""
        pairs: dict[str, list[tuple[int, int]]] = defaultdict(list)
        left = [torch.arange(self.count(layer))]
        while left:
            among = left.pop()
            found = self._follow(layer, among)
            if found is None and len(among) > 1:
                left += among.chunk(2)
                continue
            for reader, (mine, theirs) in (found or {}).items():
                pairs[reader] += zip(mine.tolist(), theirs.tolist(), strict=True)
        return pairs

    def _follow(self, layer: nn.Module, among: Tensor) -> dict[str, tuple[Tensor, Tensor]] | None:
        """Of some of the layer's channels, all at once; None where two of them arrive in one, as halves may.

        Each picture marks those whose place has a certain bit, or lacks it, so that a place can be read off again.
        """
        digits = torch.arange(max(1, (len(among) - 1).bit_length()))[:, None]
        bits = torch.zeros(2, len(digits), self.count(layer), dtype=torch.bool)
        bits[0][:, among] = (torch.arange(len(among)) >> digits) & 1 == 1
        bits[1][:, among] = ~bits[0][:, among]
        pairs = {}
        for reader, seen in self._mark(layer, bits.flatten(0, 1)).items():
            with_bit, without = seen.chunk(2)
            theirs = (with_bit | without).any(0).nonzero().flatten()
            if not (with_bit ^ without)[:, theirs].all():
                return None
            place = (with_bit[:, theirs].long() << digits).sum(0)
            pairs[reader] = (among[place], theirs)
        return pairs

    def _mark(self, layer: nn.Module, rows: Tensor) -> Mapping[str, Tensor]:
        """By reader, (R, channels) of bool: what arrives if `layer` writes NaN where `rows`, (R, written), are set."""
        found: dict[str, list[Tensor]] = defaultdict(list)
        for part in torch.split(rows, _PICTURES):
            for name, nan in self._mark_part(layer, part).items():
                found[name].append(nan)
        every = {name: torch.cat(parts) for name, parts in found.items()}
        return {name: nan for name, nan in every.items() if nan.any()}

    def _mark_part(self, layer: nn.Module, rows: Tensor) -> Mapping[str, Tensor]:
        def write(module: nn.Module, args: object, out: Tensor) -> Tensor:
            return out.masked_fill(rows.reshape(*rows.shape, *[1] * (out.dim() - 2)), torch.nan)

        self._seen = {}
        handle = layer.register_forward_hook(write)
        try:
            with torch.no_grad():
                self._net(*(given[:1].expand(len(rows), *given.shape[1:]).contiguous() for given in self._inputs))
        finally:
            handle.remove()
        return self._seen

    def close(self) -> None:
        """Leaves the network as it was."""
        for handle in self._handles:
            handle.remove()


class _Joined:
    """Places that belong together (union-find)."""

    def __init__(self) -> None:
        self._parents: dict[Place, Place] = {}

    def _root(self, place: Place) -> Place:
        parent = self._parents.setdefault(place, place)
        while parent != place:
            self._parents[place] = self._parents[parent]
            place, parent = parent, self._parents[parent]
        return place

    def join(self, places: Iterable[Place]) -> None:
        roots = [self._root(place) for place in places]
        self._parents.update(dict.fromkeys(roots, roots[0]))

    def classes(self) -> Iterable[set[Place]]:
        found: dict[Place, set[Place]] = defaultdict(set)
        for place in list(self._parents):
            found[self._root(place)].add(place)
        return found.values()


def _mixes(module: nn.Module) -> bool:
    """Whether all that it reads goes into all that it writes; a depthwise convolution keeps channels apart."""
    return isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.groups == 1)


def _output_axis(layer: nn.Module) -> int:
    """The axis of the weight that is written."""
    return 1 if isinstance(layer, nn.ConvTranspose2d) else 0


def _weight(layer: nn.Module) -> str:
    return "weight_orig" if hasattr(layer, "weight_orig") else "weight"


def _tensors(name: str, module: nn.Module) -> list[tuple[str, Tensor]]:
    """Those of its own state that have a place for each channel, the weight first; spectral norm's vectors adapt."""
    own = module.state_dict(keep_vars=True) if not any(module.children()) else {}
    found = [(key, t) for key, t in own.items() if t.dim() and key not in ("weight_u", "weight_v")]
    found.sort(key=lambda item: item[0] != "weight" and item[0] != "weight_orig")
    return [(f"{name}.{key}" if name else key, t) for key, t in found]
