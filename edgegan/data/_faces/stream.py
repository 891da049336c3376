"""Aligned faces as a training stream: each showing augmented anew, with what its edits should roughly look like.

Besides "image" and "label" an item holds what a generator may be guided by:

- "source" (3, S, S) and "source_label" (C,): the picture to edit. It is the image itself, or, in DRESSED of those who
  wear no glasses, the image with drawn ones: then the edit to learn is to take them off, and its true answer known.
  In a share of `Augmentation.hair` its hair has the colour of another person of the set, and that person's label: what
  an edit answers must not depend on the hue that it begins with.
- "guide" (C, 3, S, S): the source with each attribute changed: set, if it is a hair colour, else flipped.
- "guided" (C, 1, S, S) in [0, 1]: where the guide is meant. An edit whose answer nobody knows is guided where it must
  change nothing: outside the person, and for glasses outside the band of the eyes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edgegan.data._balance import rake_weights, repeat_by_weight
from edgegan.data._files.work import in_threads
from edgegan.data._streams import Item
from edgegan.data.celeba import HAIR
from edgegan.data.faces import FacePictures

from .augmentation import Augmentation, degrade, draw_light, draw_placement, place
from .backgrounds import composite, draw_background
from .eyewear import USUAL, draw_eyewear, draw_style, overlay
from .hair import HairColour, choose_colours, measure_hair, recolour
from .masks import HAIR as HAIR_VALUE
from .masks import PERSON

GLASSES = "Eyeglasses"
DRESSED = 0.3
_EYE_BAND = (-0.75, 0.75)  # eye distances above and below the eyes where glasses may be
# Shares of a light's colour that a recolouring takes on. All of it reads as copper, or mauve; but hair with next to no
# chroma of its own is lilac in a yellow room, unless it is yellower there too.
_CAST_ON_DYE, _WARMTH_ON_GRAY, _NEUTRAL = 0.3, 0.8, 0.03
_ALIKE = 0.05  # hair of so little a difference in lightness, from black to white, is as good as any other
_ROUNDS = 8  # epochs in one order, so that weights need not be whole numbers of showings

Floats = NDArray[np.float32]
Dye = Callable[[Floats, Floats | None, Floats, np.random.Generator], tuple[Floats, Floats]]


class FaceStream:
    """Items of augmented faces; see the module.

    Args:
        pictures: what to show.
        size: edge length of the items' pictures.
        augmentation: how far they are changed.
        flip: mirror half of them.
        balance: decisions, each one attribute or a group, whose answers shall be shown equally often.
        cap: see `rake_weights`.
        guides: without them an item holds "image" and "label" alone, and takes a third of the time.
        dye: what becomes of the picture (H, W, 3) in [0, 1] and its label, given how much of each pixel is hair; for
            those who need no guides.
    """

    def __init__(
        self,
        pictures: FacePictures,
        *,
        size: int,
        augmentation: Augmentation,
        flip: bool,
        balance: Sequence[Sequence[str]] = (),
        cap: float = 6.0,
        guides: bool = True,
        dye: Dye | None = None,
    ) -> None:
        self.pictures, self._size, self._augmentation, self._flip = pictures, size, augmentation, flip
        self.sets = (pictures,)
        labels = np.stack([pictures.label(i) for i in range(len(pictures))])
        decisions = [[pictures.names.index(name) for name in names] for names in balance]
        weights = rake_weights(labels, decisions, cap=cap)
        self._order = repeat_by_weight(weights, _ROUNDS * len(pictures))
        self._guides, self._dye = guides, dye
        self._donors = measure_people(pictures) if guides else {}
        self._colours = choose_colours(self._donors)
        self._everybody = [(name, colour) for name, people in self._donors.items() for colour in people]
        self._lightness = np.array([colour.mean[0] for _, colour in self._everybody])

    def __len__(self) -> int:
        return len(self._order)

    def item(self, index: int, rng: np.random.Generator) -> Item:
        """Item `index`; everything that is drawn comes from `rng`."""
        index = int(self._order[index])
        cfg, size, names = self._augmentation, self._size, self.pictures.names
        label = self.pictures.label(index)
        matrix = draw_placement(cfg, self.pictures.geometry.edge, self.pictures.geometry.size, size, rng)
        mirrored = self._flip and bool(rng.random() < 0.5)
        if mirrored:
            matrix[0] = -matrix[0]
            matrix[0, 2] += size - 1
        picture, person, hair = self._place_layers(index, matrix)
        if person is not None and rng.random() < cfg.background:
            picture = composite(picture, person, draw_background(size, rng))
        clean = picture.astype(np.float32) / 255.0
        light = draw_light(cfg, size, rng)
        if not self._guides:
            clean, label = (clean, label) if self._dye is None else self._dye(clean, hair, label, rng)
            shown = degrade(cfg, light.apply(clean), rng)
            return {"image": np.ascontiguousarray(shown.transpose(2, 0, 1)) * 2.0 - 1.0, "label": label}
        own = None if hair is None else measure_hair(clean, hair > 0.5)
        bare, source_label = self._dye_hair(clean, hair, own, label, rng)
        left, right = sorted(_move(matrix, eye) for eye in self.pictures.eyes)
        dressed = GLASSES in names and label[names.index(GLASSES)] < 0.5 and bool(rng.random() < DRESSED)
        worn = draw_eyewear(draw_style(rng), left, right, size) if dressed else None
        source = bare if worn is None else overlay(bare, worn)
        if dressed:
            source_label[names.index(GLASSES)] = 1.0

        finished: dict[int, tuple[Floats, Floats]] = {}  # with what each was made of, so that no number is given twice

        def finish(shown: Floats, dye: HairColour | None = None) -> Floats:
            """The same lens, sensor and codec for every picture of the item, each of them computed once."""
            if id(shown) not in finished:
                lit = light.apply(shown)
                if dye is not None and hair is not None:
                    neutral = float(np.hypot(*dye.mean[1:])) < _NEUTRAL
                    softer = light.soften(_CAST_ON_DYE, _WARMTH_ON_GRAY if neutral else None)
                    lit = lit + hair[:, :, None] * (softer.apply(shown) - lit)
                seen = degrade(cfg, lit, copy.deepcopy(rng))
                finished[id(shown)] = shown, np.ascontiguousarray(seen.transpose(2, 0, 1)) * 2.0 - 1.0
            return finished[id(shown)][1]

        guides, guided = [], []
        everywhere = np.ones((size, size), np.float32)
        outside = np.zeros_like(everywhere) if person is None else 1.0 - _widen(person)
        for name, on in zip(names, source_label > 0.5, strict=True):
            guide, where, dye = source, outside, None
            if name == GLASSES and dressed:
                guide, where = bare, everywhere
            elif name == GLASSES and on:
                where = _outside_eyes(left, right, size)
            elif name == GLASSES:
                guide, where = overlay(bare, draw_eyewear(USUAL, left, right, size)), everywhere
            elif name in HAIR and on:  # its own colour: nothing to change
                where = everywhere
            elif name in self._colours and own is not None and hair is not None:
                dye = self._colours[name]
                guide, where = recolour(clean, hair, own, dye), everywhere
                guide = guide if worn is None else overlay(guide, worn)
            guides.append(finish(guide, dye))
            guided.append(where)

        return {
            "image": finish(clean),
            "label": label,
            "source": finish(source),
            "source_label": source_label,
            "guide": np.stack(guides),
            "guided": np.stack(guided)[:, None],
        }

    def _dye_hair(
        self, clean: Floats, hair: Floats | None, own: HairColour | None, label: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """The picture to edit and its label: in a share of cases with the hair colour of someone drawn from the set."""
        label = label.copy()
        share = self._augmentation.hair  # without which nothing is drawn: an older run goes on as it began
        if not share or not self._donors or hair is None or own is None or rng.random() >= share:
            return clean, label
        name, donor = self._draw_donor(rng)
        label[[i for i, n in enumerate(self.pictures.names) if n in HAIR]] = 0.0
        label[self.pictures.names.index(name)] = 1.0
        return recolour(clean, hair, own, donor), label

    def _draw_donor(self, rng: np.random.Generator) -> tuple[str, HairColour]:
        """Whose hair another gets: every colour as often; in a share of cases every lightness instead.

        Few are white-haired, also among the gray. A generator that hardly ever edits white hair leaves it nearly white.
        """
        if self._augmentation.even and rng.random() < self._augmentation.even:
            off = np.abs(self._lightness - rng.uniform(self._lightness.min(), self._lightness.max()))
            near = np.flatnonzero(off <= max(_ALIKE, float(off.min())))
            return self._everybody[int(near[int(rng.integers(len(near)))])]
        name = list(self._donors)[int(rng.integers(len(self._donors)))]
        donors = self._donors[name]
        return name, donors[int(rng.integers(len(donors)))]

    def _place_layers(
        self, index: int, matrix: NDArray[np.float64]
    ) -> tuple[NDArray[np.uint8], Floats | None, Floats | None]:
        """The crop, and how much of each pixel is person, and hair."""
        picture = place(self.pictures.whole(index), matrix, self._size)
        mask = self.pictures.mask(index)
        if mask is None:
            return picture, None, None
        person, hair = (
            place(np.where(m, 255, 0).astype(np.uint8), matrix, self._size)
            for m in (mask >= PERSON, mask == HAIR_VALUE)
        )
        cover = np.asarray(cv2.GaussianBlur(hair, (0, 0), 0.8), np.float32) / 255.0
        return picture, person.astype(np.float32) / 255.0, cover


def measure_people(pictures: FacePictures) -> dict[str, list[HairColour]]:
    """The hair of everybody in the set who has one known colour of it, by that colour's name."""

    def measure(index: int) -> tuple[str, HairColour] | None:
        mask = pictures.mask(index)
        own = [n for n in pictures.names if n in HAIR and pictures.label(index)[pictures.names.index(n)] > 0.5]
        if mask is None or len(own) != 1:
            return None
        colour = measure_hair(pictures.whole(index).astype(np.float32) / 255.0, mask == HAIR_VALUE)
        return None if colour is None else (own[0], colour)

    found = [f for f in in_threads(measure, range(len(pictures)), what="Measuring hair colours") if f]
    everyone = {name: [c for n, c in found if n == name] for name in pictures.names}
    return {name: people for name, people in everyone.items() if people}


def measure_colours(pictures: FacePictures) -> dict[str, HairColour]:
    """The usual look of each hair colour in the set."""
    return choose_colours(measure_people(pictures))


def _move(matrix: NDArray[np.float64], point: tuple[float, float]) -> tuple[float, float]:
    """A place in pixels, where pixel 0 covers [0, 1), through a matrix of pixel indices."""
    x, y = matrix[:, :2] @ (point[0] - 0.5, point[1] - 0.5) + matrix[:, 2]
    return float(x) + 0.5, float(y) + 0.5


def _widen(person: Floats) -> Floats:
    """The person and a border of about a twentieth of the picture."""
    reach = max(3, len(person) // 20 | 1)
    return np.asarray(cv2.dilate(person, np.ones((reach, reach), np.uint8)), np.float32)


def _outside_eyes(left: tuple[float, float], right: tuple[float, float], size: int) -> Floats:
    """1 away from the band in which glasses sit."""
    a, b = np.array(left), np.array(right)
    unit = float(np.hypot(*(b - a)))
    down = np.array([-(b - a)[1], (b - a)[0]]) / unit
    y, x = np.mgrid[:size, :size] + 0.5
    off = ((x - a[0]) * down[0] + (y - a[1]) * down[1]) / unit
    away: Floats = ((off < _EYE_BAND[0]) | (off > _EYE_BAND[1])).astype(np.float32)
    return away
