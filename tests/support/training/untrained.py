"""A run whose weights nobody trained: enough for what is written, refused or interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from edgegan import families
from edgegan.train.folder import checkpoint
from edgegan.train.folder.run import Run


def make_run(folder: Path, family: str = "cyclegan", **changes: Any) -> Run:
    """Writes the run of a family's tiny config, with `changes`, to `folder`, with one checkpoint."""
    found = families.get(family)
    cfg = msgspec.structs.replace(found.tiny(), **changes)
    run = Run(folder, family, cfg, cfg.train.data)
    run.write_config()
    tensors = {f"ema/{n}" if n in found.EMA else f"net/{n}": net for n, net in found.networks(cfg).items()}
    flat = {f"{section}/{key}": t for section, net in tensors.items() for key, t in net.state_dict().items()}
    checkpoint.save(run.checkpoint_path(8), {**run.header(), "images": 8}, flat)
    return run
