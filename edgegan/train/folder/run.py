"""The run folder: `runs/<name>/` with its config, checkpoints, metrics, sample grids and exports."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from edgegan import config, families
from edgegan.config import BaseConfig
from edgegan.data._files.places import find_places, store_places
from edgegan.families import Family, Networks
from edgegan.runtime.commands import command
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import atomic_folder, write_atomic

from . import checkpoint

_LEFTOVER = re.compile(
    r"\.(\d{10}|best|config|metrics)\.[a-z0-9_]{8}\.(safetensors|json|jsonl|png)"
)  # of `atomic_path`


class Run:
    """A training run on disk: which family and config it has, and where its files lie.

    Args:
        folder: the run folder.
        family: the family's name.
        cfg: the resolved configuration; InputError is raised where it is beyond its ranges.
        data: the --data SPEC to open.
        given_data: the SPEC as the user spelt it, if its folders were looked for elsewhere.
        note: one line on where the data were found; empty if they are where they were.
        distillation: of a student, whose and how (`edgegan/distil`); None for a run that learned by itself.
        begins_with: the run folder or checkpoint whose weights it begins with; empty for fresh ones.
    """

    def __init__(
        self,
        folder: Path,
        family: str,
        cfg: BaseConfig,
        data: str,
        *,
        given_data: str = "",
        note: str = "",
        distillation: Mapping[str, Any] | None = None,
        begins_with: str = "",
    ) -> None:
        self.folder, self.family_name, self.cfg, self.data = folder, family, config.check(cfg), data
        self.given_data, self.note, self.distillation = given_data or data, note, distillation
        self.begins_with = begins_with

    @property
    def family(self) -> Family[Any]:
        """The family's module."""
        return families.get(self.family_name)

    @property
    def resume_command(self) -> str:
        """What goes on with it."""
        if self.distillation is not None:
            return command("distil", "--out", self.folder, "--resume")
        return command("train", self.family_name, "--out", self.folder, "--resume")

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
        found = self.newest_readable()
        if found is not None:
            return found
        damaged = self.checkpoints()
        if damaged:
            checkpoint.load(damaged[-1])  # says what is wrong with it
        raise InputError(f"{self.folder}: the run has no checkpoint yet", todo="train it: edgegan train")

    def newest_readable(self) -> checkpoint.Checkpoint | None:
        """The newest checkpoint that can be read, the best one if no other is left, or None."""
        for path in (*reversed(self.checkpoints()), self.best_path):
            with suppress(InputError):
                return checkpoint.load(path)
        return None

    @property
    def has_checkpoints(self) -> bool:
        """Whether anything was saved, readable or not."""
        return bool(self.checkpoints()) or self.best_path.exists()

    def header(self) -> dict[str, Any]:
        """Family, data and resolved config as plain JSON values: enough to repeat the run.

        `data` is the user's spelling; `places` are the same folders in spellings that hold from any directory.
        """
        places = store_places(self.data, self.folder)
        return {
            "family": self.family_name,
            "data": self.given_data,
            **({"places": places} if places else {}),
            "config": msgspec.to_builtins(self.cfg),
            **({"distillation": dict(self.distillation)} if self.distillation is not None else {}),
            **({"begins_with": self.begins_with} if self.begins_with else {}),
        }

    def clear_leftovers(self) -> None:
        """Removes what a process that was killed had not written to its end; for whoever holds the folder's lock."""
        for folder in (self.folder, self.folder / "checkpoints", self.folder / "samples"):
            for path in folder.glob(".*"):
                if _LEFTOVER.fullmatch(path.name):
                    with suppress(OSError):
                        path.unlink()

    def write_config(self, header: Mapping[str, Any] | None = None) -> None:
        """Saves the run's header, or the given one, as `config.json`."""
        text = json.dumps(dict(header or self.header()), indent=2)
        write_atomic(self.folder / "config.json", text.encode() + b"\n")


def open_run(folder: Path) -> Run:
    """The run in a folder; raises InputError if there is none."""
    path = folder / "config.json"
    if not path.is_file():
        raise InputError(
            f"{folder}: not a run folder (it has no config.json)", todo="train one: edgegan train --out DIR"
        )
    try:
        return _resolve(folder, msgspec.json.decode(path.read_bytes(), type=_Header))
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(
            f"{path}: not the configuration of a run ({error})",
            todo="put the file back, or name one of the run's checkpoints, which hold the same",
        ) from None


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
        try:
            header = msgspec.convert(found.header, _Header)
        except msgspec.ValidationError as error:
            raise InputError(f"{path}: its header is not that of a run ({error})", todo="take another one") from None
        run = _resolve(path.parent.parent if inside_run else path.parent, header)
    nets = run.family.networks(run.cfg)
    nets = {name: net for name, net in nets.items() if name in found.header.get("networks", nets)}
    for name, net in nets.items():
        found.load_into(net, section(run.family, name))
        net.eval()
    return run, nets, found


def section(family: Family[Any], network: str) -> str:
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
    kept = [key for key in ("images", "round", "seconds", "imported", "figures") if key in found.header]
    trained = [name for name, net in nets.items() if any(True for _ in net.parameters())]
    # Where things lie is nobody else's concern.
    own = {key: value for key, value in run.header().items() if key not in ("places", "begins_with")}
    header: dict[str, Any] = {
        **own,
        **{key: found.header[key] for key in kept},
        "weights_only": True,
        "networks": trained,
    }
    with atomic_folder(folder) as temporary:
        published = Run(temporary, run.family_name, run.cfg, run.given_data)
        published.write_config(own)
        path = published.checkpoint_path(int(found.header["images"]))
        checkpoint.save(path, header, tensors)
    return folder / path.relative_to(temporary)


class _Header(msgspec.Struct, frozen=True):
    """What is read of `Run.header`, in config.json and in every checkpoint."""

    family: str
    data: str
    config: dict[str, Any]
    places: dict[str, Any] = {}
    distillation: dict[str, Any] | None = None
    begins_with: str = ""


def _resolve(folder: Path, header: _Header) -> Run:
    cfg = config.build(families.get(header.family).Config, header.config)
    data, note = find_places(header.data, header.places, folder)
    return Run(
        folder,
        header.family,
        cfg,
        data,
        given_data=header.data,
        note=note,
        distillation=header.distillation,
        begins_with=header.begins_with,
    )
