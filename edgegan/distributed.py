"""Several processes under torchrun: who this one is, and the few things that all of them do together.

Gradients are averaged by one plain all_reduce just before each optimiser step. DistributedDataParallel hooks into
`forward` and one backward; it is silently wrong where a phase calls another method, or has only a penalty to
minimise. Without torchrun every function here does what a single process would.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

from edgegan.runtime.errors import EdgeganError, TrainingError


class ReportedElsewhereError(TrainingError):
    """Raised in all processes but the first for an error that the first one raises, and so tells."""


def is_launched() -> bool:
    """Whether torchrun started this process."""
    return dist.is_available() and all(key in os.environ for key in ("RANK", "WORLD_SIZE", "MASTER_ADDR"))


def rank() -> int:
    """The number of this process, from 0; process 0 alone prints and writes files."""
    return int(os.environ["RANK"]) if is_launched() else 0


def local_rank() -> int:
    """The number of this process on its machine: which GPU is its own."""
    return int(os.environ.get("LOCAL_RANK", "0")) if is_launched() else 0


def world() -> int:
    """How many processes train together; 1 outside `join_processes`."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


@contextmanager
def join_processes(device: torch.device) -> Iterator[None]:
    """Joins the other processes of the same torchrun: NCCL between GPUs, gloo between CPUs.

    After an unexpected error the group is not left in order, since others may still wait in it; torchrun ends them.
    """
    if not is_launched() or world() > 1:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    except KeyboardInterrupt:
        dist.destroy_process_group()
        raise
    except EdgeganError as error:  # it comes in all processes: see fail_together
        dist.destroy_process_group()
        if rank() == 0:
            raise
        raise ReportedElsewhereError(str(error)) from None
    dist.destroy_process_group()


@contextmanager
def fail_together() -> Iterator[None]:
    """What raises an EdgeganError in one process raises one in all, so that none waits for another forever."""
    mine: EdgeganError | None = None
    try:
        yield
    except EdgeganError as error:
        mine = error
    if any_of(mine is not None):
        if world() > 1:
            told: list[str | None] = [None] * world()
            dist.all_gather_object(told, None if mine is None else str(mine))
            if told[rank()] is None:
                number = next(i for i, text in enumerate(told) if text is not None)
                raise TrainingError(f"process {number}: {told[number]}")
        assert mine is not None
        raise mine


@contextmanager
def let_first_of_machine_go_first() -> Iterator[None]:
    """Inside, the first process of each machine goes first: what it draws or checks, the others find cached."""
    if world() > 1 and local_rank() > 0:
        dist.barrier()
    try:
        yield
    finally:
        if world() > 1 and local_rank() == 0:
            dist.barrier()


def any_of(flag: bool) -> bool:
    """Whether the flag is set in any process."""
    if world() == 1:
        return flag
    answer = torch.tensor(float(flag))
    dist.all_reduce(answer, dist.ReduceOp.MAX)
    return bool(answer)


def broadcast(tensors: Iterable[Tensor]) -> None:
    """Gives every process the values of process 0, in place."""
    if world() > 1:
        for tensor in tensors:
            whole = tensor.detach().contiguous()
            dist.broadcast(whole, 0)
            with torch.no_grad():
                tensor.copy_(whole)


def average(tensors: Sequence[Tensor]) -> None:
    """Replaces each tensor by its mean over the processes; all of one dtype and device, the same list everywhere."""
    if world() == 1 or not tensors:
        return
    with torch.no_grad():
        flat = torch.cat([t.reshape(-1) for t in tensors])
        dist.all_reduce(flat)
        flat /= world()
        for tensor, mean in zip(tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True):
            tensor.copy_(mean.view(tensor.shape))


def gather(own: Tensor) -> Tensor:
    """(N, ...) -> (world * N, ...): the rows of all processes in their order; without gradients."""
    if world() == 1:
        return own
    rows = [torch.empty_like(own, memory_format=torch.contiguous_format) for _ in range(world())]
    dist.all_gather(rows, own.detach().contiguous())
    return torch.cat(rows)
