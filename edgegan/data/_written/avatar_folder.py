"""Drawn faces written to disk, as a CelebA folder or as a folder per domain, with the truth of every edit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from PIL import Image

from edgegan.data._files.work import in_processes
from edgegan.data.celeba import ATTRIBUTES_FILE, PARTITION_FILE, PARTITIONS
from edgegan.runtime.drawn import avatars
from edgegan.runtime.files import atomic_folder

TRUTH = "truth"  # the folder of true answers, and truth.json beside it
HAT = "Wearing_Hat"


class Edit(msgspec.Struct, frozen=True):
    """One true answer. `file` is the picture, relative to the written folder."""

    attribute: str
    on: bool
    file: str
    hidden: bool  # the edit cannot be seen: hair under a hat


class HeldOut(msgspec.Struct, frozen=True):
    """A held-out face, its labels, and the true answer of each of its single edits."""

    file: str
    seed: int
    label: dict[str, bool]
    edits: list[Edit]


class Written(msgspec.Struct, frozen=True):
    """How many pictures of each sort were written."""

    train: int
    heldout: int
    truth: int


Place = Callable[[avatars.Face, str, str], str]  # (face, split, file name) -> path in the folder


def write_avatars(out: Path, *, count: int, heldout: int, size: int, layout: str) -> Written:
    """Writes `count` training and `heldout` held-out faces of disjoint seeds, and the truth of every edit.

    `layout` is "celeba" (img_align_celeba/, the attribute file and the partition file) or "folders"
    (train/DOMAIN/ and test/DOMAIN/, where the domain is the hair colour, or the hat that hides it). Pictures are
    lossless PNG, `size` x `size`. For each held-out face NAME.png, truth/NAME/ATTRIBUTE_on.png or _off.png is
    the same face with that one attribute changed; truth.json lists them. `out` is whole or absent.

    Raises InputError if `out` holds anything, or cannot be written; MissingExtraError without the `avatars` extra.
    """
    place = LAYOUTS[layout]
    names = (f"{number:06d}.png" for number in range(1, count + heldout + 1))
    faces = {
        split: [(avatars.sample_face(seed), next(names)) for seed in avatars.seeds(split, number)]
        for split, number in (("train", count), ("heldout", heldout))
    }
    jobs = [(face, place(face, split, name)) for split, members in faces.items() for face, name in members]
    truths = [HeldOut(place(f, "heldout", n), f.seed, f.label, _edits(f, Path(n).stem)) for f, n in faces["heldout"]]
    for (face, _), truth in zip(faces["heldout"], truths, strict=True):
        jobs += [(face.edit(edit.attribute, edit.on), edit.file) for edit in truth.edits]
    with atomic_folder(out) as folder:
        for parent in {(folder / file).parent for _, file in jobs}:
            parent.mkdir(parents=True, exist_ok=True)
        for _ in in_processes(partial(_draw, folder, size), jobs, what=f"Drawing {len(jobs)} pictures"):
            pass
        if layout == "celeba":
            _write_lists(folder, faces)
        (folder / f"{TRUTH}.json").write_bytes(msgspec.json.format(msgspec.json.encode(truths), indent=1))
    return Written(count, heldout, len(jobs) - count - heldout)


def _in_celeba(face: avatars.Face, split: str, name: str) -> str:
    del face, split
    return f"img_align_celeba/{name}"


def _in_folders(face: avatars.Face, split: str, name: str) -> str:
    domain = HAT if face.label[HAT] else next(n for n in avatars.HAIR if face.label[n])
    return f"{'train' if split == 'train' else 'test'}/{domain}/{name}"


LAYOUTS: dict[str, Place] = {"celeba": _in_celeba, "folders": _in_folders}


def _edits(face: avatars.Face, stem: str) -> list[Edit]:
    return [
        Edit(name, on, f"{TRUTH}/{stem}/{name}_{'on' if on else 'off'}.png", name in avatars.HAIR and face.hair_hidden)
        for name, on, _ in face.edits()
    ]


def _draw(folder: Path, size: int, job: tuple[avatars.Face, str]) -> None:
    face, file = job
    Image.fromarray(avatars.render_rgb(face, size)).save(folder / file)


def _write_lists(folder: Path, faces: dict[str, list[tuple[avatars.Face, str]]]) -> None:
    """The two lists in the very form that CelebA publishes them in."""
    members = [(face, split, name) for split, some in faces.items() for face, name in some]
    rows = [
        " ".join([name, *(f"{1 if face.label[n] else -1:2d}" for n in avatars.ATTRIBUTES)]) for face, _, name in members
    ]
    text = "\n".join([str(len(rows)), " ".join(avatars.ATTRIBUTES) + " ", *rows])
    (folder / ATTRIBUTES_FILE).write_text(text + "\n", "utf-8")
    parts = "".join(f"{name} {PARTITIONS[split]}\n" for _, split, name in members)
    (folder / PARTITION_FILE).write_text(parts, "utf-8")
