"""Everything that moves in training, as the header and the tensors of a checkpoint, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from edgegan.data._files.fingerprint import compare_streams
from edgegan.families import Phase

from .folder import checkpoint
from .validation import Best

if TYPE_CHECKING:
    from .loop import Trainer


def pack_state(trainer: Trainer) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors."""
    tensors: dict[str, Tensor] = {}
    for kind, nets in (("net", trainer.nets), ("ema", trainer.ema)):
        for name, net in nets.items():
            tensors.update({f"{kind}/{name}/{k}": t for k, t in net.state_dict().items()})
    for phase in _optimiser_owners(trainer):
        state = checkpoint.optimiser_tensors(phase.optimiser)
        tensors.update({f"optimiser/{phase.name}/{k}": t for k, t in state.items()})
    header: dict[str, Any] = {
        **trainer.run.header(),
        "images": trainer.images,
        "round": trainer.round,
        "stage": trainer.stage,
        # Of a network that grows, not every one has moments yet.
        "parameters": {
            phase.name: checkpoint.count_parameters(phase.optimiser) for phase in _optimiser_owners(trainer)
        },
        "seconds": trainer.seconds,
        "scaler": trainer.update.scaler.state_dict(),
        "best": trainer.best and trainer.best.header(),
        "figures": trainer.figures,
        "streams": trainer.fingerprint,
        "held_out": trainer.held_out,
    }
    return header, tensors


def unpack_state(trainer: Trainer, found: checkpoint.Checkpoint) -> list[str]:
    """The inverse, into a trainer of the same config; raises TrainingError for weights alone.

    Returns how the pictures differ from those that the checkpoint was trained and measured on. Where they do, the best
    checkpoint is sought anew: figures on other pictures cannot be compared.
    """
    found.require_training_state()
    for kind, nets in (("net", trainer.nets), ("ema", trainer.ema)):
        for name, net in nets.items():
            found.load_into(net, f"{kind}/{name}")
    for phase in _optimiser_owners(trainer):
        count = found.header.get("parameters", {}).get(phase.name)  # older checkpoints do not have it
        checkpoint.restore_optimiser(phase.optimiser, found.section(f"optimiser/{phase.name}"), count)
    trainer.images, trainer.round = int(found.header["images"]), int(found.header["round"])
    trainer.stage = str(found.header.get("stage", ""))
    trainer.seconds = float(found.header["seconds"])
    trainer.update.scaler.load_state_dict(found.header["scaler"])
    trainer.best = Best.from_header(found.header.get("best"))
    trainer.figures = dict(found.header.get("figures") or {})
    before = found.header.get("streams")  # older checkpoints do not have it
    changes = compare_streams(before, trainer.fingerprint) if before else []
    measured = found.header.get("held_out")
    changes += compare_streams(measured, trainer.held_out) if measured and trainer.held_out else []
    if changes:
        trainer.best = None
    return changes


def _optimiser_owners(trainer: Trainer) -> list[Phase]:
    """One phase for each optimiser: phases may share one, which is saved once."""
    return list({id(p.optimiser): p for p in reversed(trainer.phases)}.values())
