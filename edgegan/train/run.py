"""The run folder: `runs/<name>/` with its config, checkpoints, metrics, sample grids and exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from edgegan import config, families
from edgegan.config import BaseConfig
from edgegan.families import Family, Networks
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import atomic_folder, write_atomic

from . import checkpoint


class Run:
    """A training run on disk: which family and config it has, and where its files lie."""

    def __init__(self, folder: Path, family: str, cfg: BaseConfig, data: str) -> None:
        self.folder, self.family_name, self.cfg, self.data = folder, family, cfg, data

    @property
    def family(self) -> Family:
        """The family's module."""
        return families.get(self.family_name)

    @property
    def export_folder(self) -> Path:
        """Where `edgegan export` writes."""
        return self.folder / "export"

    def checkpoints(self) -> list[Path]:
        """All checkpoints, oldest first; the name of each is its number of images."""
        found = (self.folder / "checkpoints").glob("[0-9]*.safetensors")
        return sorted((p for p in found if p.stem.isdecimal()), key=lambda p: int(p.stem))

    def checkpoint_path(self, images: int) -> Path:
        """Where the checkpoint at `images` goes."""
        return self.folder / "checkpoints" / f"{images:010d}.safetensors"

    @property
    def best_path(self) -> Path:
        """Where the checkpoint lies that was best on held-out data."""
        return self.folder / "checkpoints" / "best.safetensors"

    def latest(self) -> checkpoint.Checkpoint:
        """The newest checkpoint that can be read; raises InputError if there is none."""
        found = self.checkpoints()
        for path in reversed(found):
            try:
                return checkpoint.load(path)
            except InputError:
                if path == found[0]:
                    raise
        raise InputError(f"{self.folder}: the run has no checkpoint yet", todo="train it: edgegan train")

    def header(self) -> dict[str, Any]:
        """Family, data and resolved config as plain JSON values: enough to repeat the run."""
        return {"family": self.family_name, "data": self.data, "config": msgspec.to_builtins(self.cfg)}

    def write_config(self) -> None:
        """Saves the header as `config.json`."""
        write_atomic(self.folder / "config.json", json.dumps(self.header(), indent=2).encode() + b"\n")


def open_run(folder: Path) -> Run:
    """The run in a folder; raises InputError if there is none."""
    path = folder / "config.json"
    if not path.is_file():
        raise InputError(
            f"{folder}: not a run folder (it has no config.json)", todo="train one: edgegan train --out DIR"
        )
    document = json.loads(path.read_text("utf-8"))
    return _resolve(folder, document)


def open_trained(path: Path) -> tuple[Run, Networks, checkpoint.Checkpoint]:
    """The networks of a run folder (its newest checkpoint) or of one checkpoint file.

    Networks are in eval mode; those that the family averages hold the average (EMA). An imported checkpoint may
    hold some of the family's networks only: the others are left out.
    """
    if path.is_dir():
        run = open_run(path)
        found = run.latest()
    else:
        found = checkpoint.load(path)
        inside_run = path.parent.name == "checkpoints"
        run = _resolve(path.parent.parent if inside_run else path.parent, found.header)
    nets = run.family.networks(run.cfg)
    nets = {name: net for name, net in nets.items() if name in found.header.get("networks", nets)}
    for name, net in nets.items():
        found.load_into(net, section(run.family, name))
        net.eval()
    return run, nets, found


def section(family: Family, network: str) -> str:
    """Where in a checkpoint the weights lie that sampling and export use."""
    return f"ema/{network}" if network in family.EMA else f"net/{network}"


def publish_run(source: Path, folder: Path) -> Path:
    """Writes the weights alone as a run folder: averages in float32, other networks in float16.

    Returns the checkpoint's path. Raises InputError if the folder already holds something, or cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} exists and is not empty", todo="name another folder with --out")
    run, nets, found = open_trained(source)
    tensors = {}
    for name, net in nets.items():
        state = net.state_dict() if any(True for _ in net.parameters()) else {}
        tensors.update(
            {f"{section(run.family, name)}/{k}": t if name in run.family.EMA else t.half() for k, t in state.items()}
        )
    kept = [key for key in ("images", "round", "seconds", "imported") if key in found.header]
    trained = [name for name, net in nets.items() if any(True for _ in net.parameters())]
    header: dict[str, Any] = {
        **run.header(),
        **{key: found.header[key] for key in kept},
        "weights_only": True,
        "networks": trained,
    }
    with atomic_folder(folder) as temporary:
        published = Run(temporary, run.family_name, run.cfg, run.data)
        published.write_config()
        path = published.checkpoint_path(int(found.header["images"]))
        checkpoint.save(path, header, tensors)
    return folder / path.relative_to(temporary)


def _resolve(folder: Path, document: dict[str, Any]) -> Run:
    name = str(document["family"])
    cfg = config.build(families.get(name).Config, document["config"])
    return Run(folder, name, cfg, str(document["data"]))
