"""What a run will be, before it is trained: its configuration, its networks' sizes, and what a step needs."""

from __future__ import annotations

import platform

import msgspec
import torch
from rich.console import Console
from torch import nn

from .folder.run import Run


def describe_run(run: Run, console: Console) -> None:
    """Prints the resolved config, the size of each network, and what a step will need."""
    console.print_json(msgspec.json.encode(run.header()).decode())
    nets = {n: net for n, net in run.family.networks(run.cfg).items() if any(True for _ in net.parameters())}
    if run.family.advance is not None:  # what a step needs at the end is the most
        run.family.advance(run.cfg, nets, run.cfg.train.images)
    total = 0
    for name, net in nets.items():
        count = sum(p.numel() for p in net.parameters())
        total += count
        console.print(
            f"{name:<16} {count:>12,} parameters  {_count_macs(run, nets, name) / 1e9:>8.3f} GMAC per picture"
        )
    weights = sum(p.numel() for n in run.family.EMA for p in nets[n].parameters())
    activations = _count_activation_bytes(run, nets) * run.cfg.train.batch // run.cfg.train.accumulate
    state = 4 * (4 * total + weights)  # weights, gradients, two Adam moments; the average
    console.print(
        f"memory           about {(state + activations) / 2**20:,.0f} MiB: {state / 2**20:,.0f} MiB of weights, "
        f"gradients and optimiser state, {activations / 2**20:,.0f} MiB of activations (one pass of every network)"
    )
    console.print(
        f"machine          {platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )


def _count_macs(run: Run, nets: dict[str, nn.Module], name: str) -> float:
    """Multiply-accumulates of one forward pass at batch 1 (convolutions and matrix products)."""
    from torch.utils.flop_counter import FlopCounterMode

    inputs = run.family.example_inputs(run.cfg, name)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        nets[name].eval()(*inputs)
    return float(counter.get_total_flops()) / 2


def _count_activation_bytes(run: Run, nets: dict[str, nn.Module]) -> int:
    """Bytes that one training picture keeps for backward, each network once."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        passes = [nets[name](*run.family.example_inputs(run.cfg, name)) for name in nets]
    del passes
    weights = {p.data_ptr() for net in nets.values() for p in net.parameters()}
    return sum(size for place, size in kept.items() if place not in weights)
