"""Where a student begins: with the channels of its teacher that the following layers make the most of.

Structured magnitude pruning (Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017), here by the weights that
read a channel, since behind a norm those that write it have no scale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

import msgspec
import torch
from torch import Tensor, nn

from edgegan.config import BaseConfig

from .candidates import Tell
from .channels import Channel, find_channels
from .teacher import Teacher

State = Mapping[str, Tensor]
_SIZES = (32, 64)  # pixels
_CHOOSING = "choosing the teacher's strongest channels"


def prune_teacher(teacher: Teacher, cfg: BaseConfig, tell: Tell = lambda what, done, of: None) -> dict[str, State]:
    """Where the student's generators begin, by name; those are left out whose layers are not the teacher's."""
    family, width = teacher.run.family, teacher.distillation.width
    wide_cfg = msgspec.structs.replace(cfg, **{width: getattr(teacher.run.cfg, width)})
    wide_nets, narrow_nets = family.networks(wide_cfg), family.networks(cfg)
    found: dict[str, State] = {}
    for name in family.EMA:
        wide, whole = wide_nets[name], teacher.nets[name]
        layers = match_layers(wide, whole)
        for own, theirs in layers.items():
            wide.get_submodule(own).load_state_dict(whole.get_submodule(theirs).state_dict(), strict=False)
        if layers:
            inputs = _crop(family.example_inputs(cfg, name), wide)
            state = prune(wide, narrow_nets[name].state_dict(), inputs, partial(tell, _CHOOSING))
            if state is not None:
                found[name] = state
    return found


def match_layers(short: nn.Module, long: nn.Module) -> dict[str, str]:
    """By a layer of `short`, the same one of `long`, which may have more in the middle; empty where they differ."""
    ours, theirs = _layers(short), _layers(long)
    first = 0
    while first < min(len(ours), len(theirs)) and ours[first][1] == theirs[first][1]:
        first += 1
    pairs = [*zip(ours[:first], theirs[:first], strict=True)]
    last = len(ours) - first
    if last:
        pairs += zip(ours[first:], theirs[-last:], strict=False)
    if len(theirs) < len(ours) or any(own[1] != their[1] for own, their in pairs):
        return {}
    return {own[0]: their[0] for own, their in pairs}


def _layers(net: nn.Module) -> list[tuple[str, tuple[object, ...]]]:
    """Its layers in their order, each with what has to be alike; a norm may be another one, and dropout is none."""
    found: list[tuple[str, tuple[object, ...]]] = []
    for name, module in net.named_modules():
        weights = [tuple(t.shape) for t in module.state_dict().values() if t.dim() > 1]
        if hasattr(module, "num_features"):
            found.append((name, (module.num_features,)))
        elif weights and not any(module.children()):
            found.append((name, (type(module).__name__, *weights)))
    return found


def prune(
    wide: nn.Module,
    narrow: State,
    inputs: tuple[Tensor, ...],
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Tensor] | None:
    """The state of a network with the layers of `wide` and the shapes of `narrow`, of the strongest channels of each.

    The vectors of a spectral norm stay those of `narrow`. None where the shapes cannot be had that way.

    Args:
        wide: the network to take from.
        narrow: a state of the shapes.
        inputs: of one picture.
        tell: told how many layers are done.
    """
    state = wide.state_dict()
    groups: dict[frozenset[tuple[str, int]], list[Channel]] = defaultdict(list)
    for channel in find_channels(wide, inputs, tell):
        groups[frozenset((p.tensor, p.axis) for p in channel.written | channel.read)].append(channel)
    dropped: dict[tuple[str, int], set[int]] = defaultdict(set)
    strengths: dict[tuple[str, int], Tensor] = {}
    for group in groups.values():
        kept = _count(group, state, narrow)
        if kept is None:
            return None
        for key, axis in {(place.tensor, place.axis) for channel in group for place in channel.read}:
            strengths[key, axis] = _shares(state[key], axis)
        strength = torch.tensor([sum(strengths[p.tensor, p.axis][p.number].item() for p in c.read) for c in group])
        for number in strength.argsort(descending=True)[kept:].tolist():
            for place in group[number].written | group[number].read:
                dropped[place.tensor, place.axis].add(place.number)
    for (key, axis), numbers in dropped.items():
        left = [number for number in range(state[key].shape[axis]) if number not in numbers]
        state[key] = state[key].index_select(axis, torch.tensor(left, dtype=torch.long))
    state |= {key: tensor for key, tensor in narrow.items() if key.endswith(("weight_u", "weight_v"))}
    shapes = [{key: tensor.shape for key, tensor in each.items()} for each in (state, narrow)]
    return {key: tensor.clone() for key, tensor in state.items()} if shapes[0] == shapes[1] else None


def _crop(inputs: tuple[Tensor, ...], net: nn.Module) -> tuple[Tensor, ...]:
    """The smallest corner of the pictures that it takes: the channels are the same. A U-Net takes one size only."""
    for size in _SIZES:
        cropped = tuple(given[..., :size, :size] if given.dim() == 4 else given for given in inputs)
        with torch.no_grad(), suppress(RuntimeError, ValueError):
            net.eval()(*cropped)
            return cropped
    return inputs


def _count(group: list[Channel], state: State, narrow: State) -> int | None:
    """How many channels of a group the narrow network has; None if it has no such group."""
    places: dict[tuple[str, int], int] = defaultdict(int)
    for channel in group:
        for place in channel.written | channel.read:
            places[place.tensor, place.axis] += 1
    found = set()
    for (key, axis), count in places.items():
        if count == state[key].shape[axis]:  # else it has other channels too, as behind a concatenation
            found.add(narrow[key].shape[axis] * len(group) / count if key in narrow else -1.0)
    (number,) = found if len(found) == 1 else (-1.0,)
    return int(number) if number.is_integer() and 0 < number <= len(group) else None


def _shares(tensor: Tensor, axis: int) -> Tensor:
    """(n,) of a tensor's energy, the share of each slice."""
    energy = tensor.float().square().transpose(0, axis).flatten(1).sum(1)
    return energy / energy.sum().clamp(min=1e-12)
