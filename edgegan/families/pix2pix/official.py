"""The authors' pix2pix checkpoints: `*_net_G.pth`, a U-Net, or a ResNet with batch norms or dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgegan.config import Training
from edgegan.families import Imported, ImportOptions
from edgegan.networks import NormName
from edgegan.networks.official import read_generator
from edgegan.runtime.errors import InputError

from .config import Config


def import_official(files: Mapping[str, Any], options: ImportOptions) -> Imported | None:
    """Any U-Net, and ResNets that CycleGAN does not train; batch norms keep each picture's own statistics.

    With `options.bn` "keep" they use the file's running statistics instead. Returns None if there is no such
    generator. Raises InputError if there is more than one, or for a size that its levels cannot have.
    """
    read = {name: read_generator(name, loaded, options.padding, options.norm) for name, loaded in files.items()}
    generators = {name: found for name, found in read.items() if found is not None}
    if not any(f.kind == "unet" or f.norm == "batch" or f.dropout for f in generators.values()):
        return None
    if len(generators) > 1:
        raise InputError(f"{len(generators)} generators: {', '.join(generators)}", "one", "import each alone")
    ((name, found),) = generators.items()
    norm: NormName = found.norm
    notes = list(found.notes)
    if norm == "batch" and options.bn != "keep":
        norm = "batch-picture"
        notes.append(f"{name}: batch norms take each picture's own statistics, as the authors' test does")
    unet = found.kind == "unet"
    size = options.size or (2**found.depth if unet else 256)
    cfg = Config(
        size=size,
        load_size=size * 286 // 256,
        domain=options.domain,
        generator=found.kind,
        downs=found.depth if unet else None,
        blocks=9 if unet else found.depth,
        ngf=found.ngf,
        padding=found.padding,
        norm=norm,
        dropout=True if unet else bool(found.dropout),
        train=Training(batch=1, ema_halflife_images=10),
    )
    if cfg.dropout:
        notes.append(f"{name}: dropout is off, so that a picture has one answer; the authors' test leaves it on")
    if options.size is None and not unet:
        notes.append(f"size {size}: the file does not tell it; --size takes any multiple of {cfg.multiple}")
    notes += [f"{other}: left out, not a generator" for other in files if other != name]
    return Imported(cfg, {"generator": found.state}, tuple(notes))
