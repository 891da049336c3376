"""Official checkpoints: published files in, an ordinary run out. The families say which files are theirs."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from edgegan import families
from edgegan.families import Imported, ImportOptions
from edgegan.networks.state_dicts import natural_order
from edgegan.runtime.commands import command
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import atomic_folder, sha256
from edgegan.train.folder import checkpoint
from edgegan.train.folder.checkpoint import Checkpoint
from edgegan.train.folder.run import Run, section

_SHOWN_KEYS = 4
# Classes of other programs that hold settings alone. Wherever a checkpoint has one, OtherSettings stands in for it.
_SETTINGS = ("models.utils.config.BaseConfig",)  # PyTorch-GAN-zoo's
_AGAIN = "download it again"


class OtherSettings(dict[str, Any]):
    """The members of another program's settings object, read as plain values: nothing of that program is imported."""

    def __setstate__(self, members: Any) -> None:
        if isinstance(members, Mapping):
            self.update(members)


@dataclass(frozen=True)
class Report:
    """What was imported: the run, the files' SHA-256 by name, the networks they held, and what the family noted."""

    run: Run
    sha256: Mapping[str, str]
    networks: tuple[str, ...]
    notes: tuple[str, ...]


def import_files(paths: Sequence[Path], out: Path, options: ImportOptions, family: str = "") -> Report:
    """Writes the run folder `out` from published checkpoint files; it appears whole or not at all.

    Args:
        paths: files of one model, such as a generator's and its discriminator's; no two of one name.
        out: the run folder to make; it must not exist, or be empty.
        options: what the files do not tell.
        family: whose files they are; empty asks every family.

    Raises InputError: a file that cannot be read or asks for more than weights, that no family knows or several do,
    that does not fit its family's networks, or a folder that is there already.
    """
    files: dict[str, Any] = {}
    for path in paths:
        if path.name in files:
            raise InputError(f"two files are called {path.name}", todo="rename one of them")
        files[path.name] = read(path)
    with atomic_folder(out) as folder:
        name, imported = recognise(files, options, family)
        run = Run(folder, name, imported.cfg, imported.cfg.train.data)
        hashes = {path.name: sha256(path) for path in paths}
        header = {
            **run.header(),
            "images": imported.images,
            "round": 0,
            "seconds": 0.0,
            "weights_only": True,
            "networks": list(imported.networks),
            "imported": {"files": hashes, "notes": list(imported.notes)},
        }
        run.write_config()
        checkpoint.save(run.checkpoint_path(imported.images), header, _tensors(run, imported, ", ".join(files)))
    return Report(Run(out, name, run.cfg, run.data), hashes, tuple(imported.networks), imported.notes)


def read(path: Path) -> Any:
    """What a .safetensors file or a torch.save file holds, on the CPU. Nothing in it is executed, whatever it asks for.

    Raises InputError in plain words for a file that is not one of these, is cut short, or holds more than weights.
    """
    if not path.is_file():
        raise InputError(f"{path}: {'a folder' if path.is_dir() else 'there is no such file'}", "a checkpoint file")
    try:
        if path.suffix == ".safetensors":
            return _read_safetensors(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice to those who wrote the file
            with torch.serialization.safe_globals([(OtherSettings, name) for name in _SETTINGS]):
                return torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except Exception as error:  # a parser of foreign bytes may fail in any way
        raise _unreadable(path, error) from None


def recognise(files: Mapping[str, Any], options: ImportOptions, family: str = "") -> tuple[str, Imported]:
    """The family whose files these are, and what it made of them; raises InputError if that is not exactly one."""
    claims = _claims(files, options, [family] if family else families.names())
    if not claims:
        raise _explain_unknown(files, options, family)
    if len(claims) > 1:
        raise InputError(
            f"{', '.join(files)}: fits {' and '.join(claims)} alike", todo=f"say which: --family {next(iter(claims))}"
        )
    ((name, claim),) = claims.items()
    if isinstance(claim, InputError):
        raise claim
    if options.attributes and not hasattr(claim.cfg, "attributes"):
        raise InputError(f"--attributes: a {name} model has none", todo="leave --attributes out")
    return name, claim


def _claims(files: Mapping[str, Any], options: ImportOptions, asked: Iterable[str]) -> dict[str, Imported | InputError]:
    """What each family that was asked, and knows the layout, made of the files, or why it cannot use them."""
    claims: dict[str, Imported | InputError] = {}
    for name in asked:
        importer = families.get(name).import_official
        try:
            found: Imported | InputError | None = importer(files, options) if importer else None
        except InputError as error:
            found = error
        if found is not None:
            claims[name] = found
    return claims


def _explain_unknown(files: Mapping[str, Any], options: ImportOptions, family: str) -> InputError:
    """Why nobody, or not the family that was named, knows these files."""
    seen = "; ".join(f"{name} holds {_contents(loaded)}" for name, loaded in files.items())
    able = "families with official checkpoints: " + ", ".join(
        n for n in families.names() if families.get(n).import_official
    )
    if not family:
        return InputError(f"no family knows this layout: {seen}", able)
    if not families.get(family).import_official:
        return InputError(f"--family {family}: it has no official checkpoints to import", able)
    others = _claims(files, options, families.names())
    if others:
        found = " or ".join(others)
        return InputError(f"not a checkpoint of {family}, but of {found}: {seen}", todo="leave --family out")
    return InputError(f"not a checkpoint of {family}: {seen}", able)


def _contents(loaded: Any) -> str:
    if not isinstance(loaded, Mapping):
        return f"a {type(loaded).__name__}, not named weights"
    if not loaded:
        return "nothing"

    def word(key: Any) -> str:
        value = loaded[key]
        return f"{key} {tuple(value.shape)}" if isinstance(value, Tensor) else f"{key} ({type(value).__name__})"

    some = ", ".join(word(key) for key in list(loaded)[:_SHOWN_KEYS])
    return some + (f" and {len(loaded) - _SHOWN_KEYS} more" if len(loaded) > _SHOWN_KEYS else "")


def _tensors(run: Run, imported: Imported, shown: str) -> dict[str, Tensor]:
    """The weights under their checkpoint names, as float32; raises InputError if they do not fit or are not finite."""
    nets = run.family.networks(run.cfg)
    tensors: dict[str, Tensor] = {}
    for name, state in imported.networks.items():
        place = section(run.family, name)
        given = Checkpoint(Path(shown), {}, {f"{place}/{key}": t for key, t in state.items()})
        given.load_into(nets[name], place)
        for key, tensor in nets[name].state_dict().items():
            if not tensor.isfinite().all():
                raise InputError(
                    f"{shown}: {name}'s {key} holds values that are not finite", todo="take an earlier one"
                )
            tensors[f"{place}/{key}"] = tensor
    return tensors


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise InputError(f"{path}: not a readable safetensors file ({error})", todo=_AGAIN) from None
    if any(key.startswith(("net/", "ema/")) for key in tensors):
        todo = f"it needs no import: {command('export', path)}"
        raise InputError(f"{path}: a checkpoint of edgegan itself", todo=todo)
    # The format keeps no order of its own: numbered layers are brought into theirs.
    return dict(sorted(tensors.items(), key=lambda item: natural_order(item[0])))


def _unreadable(path: Path, error: Exception) -> InputError:
    """Why torch.load gave up, in words."""
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    if not head:
        return InputError(f"{path}: an empty file", todo=_AGAIN)
    if head.lstrip()[:1] == b"<":
        return InputError(
            f"{path}: a web page, not a checkpoint",
            todo="the link led to a page: open it in a browser, and download there",
        )
    wanted = re.search(r"GLOBAL ([\w.]+)", str(error))
    if isinstance(error, pickle.UnpicklingError) and wanted and not _cut_short(path, wanted[1]):
        return InputError(
            f"{path}: more than weights: it asks to load {wanted[1]}, and a file may run any program that way",
            "tensors in dicts and lists, which are all that is ever loaded",
            "where it was made, save the weights alone: torch.save(model.state_dict(), 'weights.pth')",
        )
    if "TorchScript" in str(error):
        return InputError(f"{path}: a TorchScript program, not weights", todo="import the checkpoint it was made from")
    if head.startswith(b"PK") and zipfile.is_zipfile(path):
        held = zipfile.ZipFile(path).namelist()
        return InputError(
            f"{path}: an archive that holds {', '.join(held[:_SHOWN_KEYS])}",
            todo="unpack it, and import the checkpoint files in it",
        )
    if head.startswith(b"PK") or isinstance(error, EOFError) or "EOF" in str(error) or wanted:
        return InputError(f"{path}: cut short or damaged", "a whole file of torch.save", _AGAIN)
    return InputError(f"{path}: neither a file of torch.save nor .safetensors")


def _cut_short(path: Path, wanted: str) -> bool:
    """Whether the name that a pickle asks for is the last thing in its file: cut off, it may be half of a name."""
    return path.stat().st_size < 1 << 16 and path.read_bytes().rstrip().endswith(wanted.rpartition(".")[2].encode())
