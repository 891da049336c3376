"""What the user named: a run, a checkpoint or an artefact, and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgegan.runtime.commands import command
from edgegan.runtime.errors import InputError
from edgegan.runtime.model import artefact as artefacts
from edgegan.runtime.model.artefact import SUFFIXES
from edgegan.runtime.model.golden import stem
from edgegan.runtime.shipped import default_model


@dataclass(frozen=True)
class Target:
    """What the user named: what was trained, what was exported from it, or both.

    `folder` is "" or the direction's (AtoB); `stem` names the network ("model", "classifier"). `single` means one
    file was named: what else an export holds is then not missed.
    """

    shown: str
    trained: Path | None
    artefacts: tuple[Path, ...]
    folder: str
    stem: str
    single: bool = False

    def export_command(self, *options: str) -> str:
        """What makes a file that the export lacks; RUN stands where nobody knows which run it is of."""
        return command("export", _show(self.trained) if self.trained is not None else "RUN", *options)


def resolve(path: Path | None) -> Target:
    """The target at `path`: a run folder, an export folder of a run, a checkpoint, an artefact, or a shipped model.

    To a run or a checkpoint belongs what was exported from it: in the run's `export/`, or beside a lone checkpoint.
    None means the shipped model of drawn faces. Raises InputError or CardError, before anything is measured.
    """
    if path is None:
        model = artefacts.load(default_model("synthetic"))
        return Target("", None, (model.path,), "", stem(model.path), single=True)
    shown = _show(path)
    if not path.exists():
        model = artefacts.load(path)  # of a name that comes with edgegan; else it says what there could be
        return Target(shown, None, (model.path,), "", stem(model.path), single=True)
    if path.suffix == ".safetensors":
        in_run = path.parent.name == "checkpoints"
        exported = path.parent.parent / "export" if in_run else path.parent
        there = in_run or (exported / "model.onnx").is_file()
        return Target(shown, path, _find_exports(exported, path) if there else (), "", "model")
    if path.is_dir() and (path / "config.json").is_file():
        return Target(shown, path, _find_exports(path / "export", path), "", "model")
    for run, folder in ((path.parent, ""), (path.parent.parent, path.name)):
        if path.is_dir() and path == run / "export" / folder and (run / "config.json").is_file():
            return Target(shown, run, _find_exports(path, path), folder, "model")
    model = artefacts.load(path)
    found = _find_exports(model.path.parent, path) if path.is_dir() else (model.path,)
    return Target(shown, None, found, "", stem(model.path), single=path.is_file())


def _show(path: Path) -> str:
    """The path as a report may show it, which tells nobody where it lay."""
    return path.name if path.is_absolute() or ".." in path.parts else path.as_posix()


def _find_exports(folder: Path, asked: Path) -> tuple[Path, ...]:
    """The artefacts of the network `model` in an export folder, the plain ones first."""
    if not folder.is_dir():
        return ()
    found = sorted(p for p in folder.iterdir() if stem(p) == "model" and p.suffix in SUFFIXES)
    if not found:
        several = sorted(p.parent for p in folder.glob("*/model.onnx"))
        if several:
            names = ", ".join(p.name for p in several)
            raise InputError(f"{asked} holds several models: {names}", todo=f"name one: {command('bench', several[0])}")
    order = {suffix: place for place, suffix in enumerate(SUFFIXES)}
    return tuple(sorted(found, key=lambda p: (order[p.suffix], "int8" in p.name, p.name != "model.onnx", p.name)))
