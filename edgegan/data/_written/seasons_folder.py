"""Drawn people in two seasons written to disk, as the folders that CycleGAN reads."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PIL import Image

from edgegan.data._files.work import in_processes
from edgegan.runtime.drawn import seasons
from edgegan.runtime.files import atomic_folder

Job = tuple[seasons.Person, str]  # and the path of the picture, in the folder


def write_seasons(out: Path, *, count: int, heldout: int, size: int) -> None:
    """Writes `count` people in summer to trainA/ and as many others in winter to trainB/, as `size` x `size` PNG.

    testA/ and testB/ hold `heldout` further people, each in both seasons under one name. `out` is whole or absent.

    Raises InputError if `out` holds anything, or cannot be written; MissingExtraError without the `avatars` extra.
    """
    jobs: list[Job] = []
    # Training names differ throughout: equal names would say that the pictures are pairs.
    for split, part, number, apart in (("train", "train", count, count), ("heldout", "test", heldout, 0)):
        for side, season, first in (("A", seasons.SUMMER, 1), ("B", seasons.WINTER, 1 + apart)):
            people = seasons.people(split, number, season, paired=split == "heldout")
            jobs += [(someone, f"{part}{side}/{i:06d}.png") for i, someone in enumerate(people, start=first)]
    with atomic_folder(out) as folder:
        for parent in {(folder / file).parent for _, file in jobs}:
            parent.mkdir()
        for _ in in_processes(partial(_draw, folder, size), jobs, what=f"Drawing {len(jobs)} pictures"):
            pass


def _draw(folder: Path, size: int, job: Job) -> None:
    someone, file = job
    Image.fromarray(seasons.render_rgb(someone, size)).save(folder / file)
