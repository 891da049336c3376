"""Drawn people in summer and winter (edgegan.runtime.drawn.seasons): two unpaired domains, their hidden truth known."""

from __future__ import annotations

from pathlib import Path

from edgegan.runtime.drawn import avatars, drawing, seasons

from ._files.domains import TwoDomains
from ._written.rendered import RenderedPictures, parse_count, render


def open_domains(place: str, *, size: int, split: str) -> TwoDomains:
    """Summer as A, winter as B. `place` is the number of training people of each, or empty for the usual number.

    To train on (and to train a judge on), the people of A and of B are different ones. Held out, they are the same.
    """
    return _open(place, size, split, paired=split == "heldout")


def open_pairs(place: str, *, size: int, split: str) -> TwoDomains:
    """The same people in summer and in winter; arguments as in `open_domains`."""
    return _open(place, size, split, paired=True)


def _open(place: str, size: int, split: str, *, paired: bool) -> TwoDomains:
    count = parse_count(place, "avatars-seasons", split)
    name = f"avatars-seasons:{count} ({split})"
    a, b = (_season(s, count, size, split, paired) for s in (seasons.SUMMER, seasons.WINTER))
    return TwoDomains(name, a, b)


def _season(season: str, count: int, size: int, split: str, paired: bool) -> RenderedPictures:
    pixels = render(
        seasons.render_rgb,
        seasons.people(split, count, season, paired=paired),
        size,
        name=f"seasons-{season}-{split}-{count}",
        version=b"".join(Path(str(m.__file__)).read_bytes() for m in (avatars, drawing, seasons)),
    )
    return RenderedPictures(pixels, name=f"avatars-seasons:{count} ({season}, {split})")
