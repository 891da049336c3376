"""What stops a training, in words that fit what the run folder holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from edgegan import distributed
from edgegan.runtime.errors import TrainingError

from .folder.run import Run

# A CPU that has no room left raises a plain RuntimeError.
_NO_ROOM = ("can't allocate memory", "not enough memory", "out of memory")


class NotFiniteError(TrainingError):
    """A loss or a gradient is not finite."""


@contextmanager
def explain_failures(run: Run, where: str) -> Iterator[None]:
    """Adds to a value that is not finite, and to a lack of memory, what can be done next.

    Args:
        run: its checkpoints decide what to do.
        where: in training, for an error that does not say so itself.

    Raises TrainingError for both. Of several processes, one alone may lack memory, and its error stays as it is:
    torchrun ends them all.
    """
    try:
        yield
    except NotFiniteError as error:
        raise TrainingError(
            error.seen, error.expected, next_steps(run, "lower the learning rates, or train in fp32")
        ) from None
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        lacking = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if distributed.world() > 1 or not (lacking or any(words in str(error) for words in _NO_ROOM)):
            raise
        raise TrainingError(
            f"{where}: out of memory", todo=next_steps(run, "lower train.batch, or raise train.accumulate")
        ) from error


def next_steps(run: Run, mend: str) -> str:
    """What to do after a failure: go on from the newest checkpoint, or start again where there is none."""
    newest = run.newest_readable()
    if newest is None:
        return f"nothing was saved yet: {mend}, and start again with the same command"
    if not all(tensor.isfinite().all() for tensor in newest.tensors.values()):
        return (
            f"the newest checkpoint holds values that are not finite itself: remove {newest.path}, {mend}, "
            "and go on with --resume from an earlier one, or start again"
        )
    return f"the checkpoint at {newest.header['images']} images is good: {mend}, and go on with --resume"
