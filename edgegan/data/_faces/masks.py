"""Cuts a person and their hair out of an aligned portrait.

GrabCut (Rother et al. 2004) from seeds that the alignment gives: where the face must be, where a background must be,
and, for hair, what has the colour of the cheeks and what has not. The backgrounds of portraits are near-uniform, so
that this holds there; a mask that is implausible is left out rather than used.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import Geometry

Mask = NDArray[np.bool_]  # (H, W)
Picture = NDArray[np.uint8]  # (H, W, 3), BGR

BACKGROUND, PERSON, HAIR = 0, 127, 255  # values of a written mask
_ROUNDS = 5  # of GrabCut


@dataclass(frozen=True)
class Grid:
    """Places of an aligned picture in eye distances from the middle between the eyes: x to the right, y down."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]

    @classmethod
    def of(cls, geometry: Geometry) -> Grid:
        """The grid of a set's pictures."""
        (lx, ly), (rx, ry) = geometry.eyes
        y, x = np.mgrid[: geometry.edge, : geometry.edge].astype(np.float32) + 0.5
        return cls((x - (lx + rx) / 2) / geometry.eye_distance, (y - (ly + ry) / 2) / geometry.eye_distance)

    def ellipse(self, down: float, across: float, high: float) -> Mask:
        """Around (0, down), with half axes `across` and `high`."""
        inside: Mask = (self.x / across) ** 2 + ((self.y - down) / high) ** 2 < 1.0
        return inside


def cut_out(picture: Picture, geometry: Geometry, *, bald: bool = False) -> NDArray[np.uint8] | None:
    """The mask of an aligned picture, (edge, edge) uint8 of BACKGROUND, PERSON and HAIR; None if it is implausible."""
    grid = Grid.of(geometry)
    person = find_person(picture, grid)
    share = float(person.mean())
    core = grid.ellipse(0.45, 0.6, 0.9)
    if not 0.08 < share < 0.9 or float(person[core].mean()) < 0.97:
        return None
    mask = np.where(person, PERSON, BACKGROUND).astype(np.uint8)
    if not bald:
        mask[find_hair(picture, person, grid)] = HAIR
    return mask


def find_person(picture: Picture, grid: Grid) -> Mask:
    """Everything that is not background."""
    x, y = np.abs(grid.x), grid.y
    seeds = np.full(y.shape, cv2.GC_PR_BGD, np.uint8)
    seeds[grid.ellipse(0.3, 2.0, 2.6)] = cv2.GC_PR_FGD
    seeds[y - 1.7 > 0.38 * (x - 0.5)] = cv2.GC_PR_FGD  # shoulders
    seeds[(y > 2.5) & (x < 1.6 * (y - 2.0))] = cv2.GC_FGD
    seeds[(x < 0.5) & (y > 1.8)] = cv2.GC_FGD
    seeds[grid.ellipse(0.45, 0.85, 1.2)] = cv2.GC_FGD
    edge = max(2, round(0.05 * len(y)))
    seeds[:edge] = cv2.GC_BGD
    high = y < 1.2
    seeds[:, :edge][high[:, :edge]] = cv2.GC_BGD
    seeds[:, -edge:][high[:, -edge:]] = cv2.GC_BGD
    found = _open(_grab(picture, seeds), 5)
    middle = np.unravel_index(int(np.argmin(grid.x**2 + (grid.y - 0.5) ** 2)), y.shape)
    person = _keep_connected(found, middle)
    outside = _keep_connected(~person, (2, 2))
    return person if person[2, 2] else ~outside  # what lies between hair and neck stays with the person


def find_hair(picture: Picture, person: Mask, grid: Grid) -> Mask:
    """Hair on the head of a person; nothing where none can be told from skin."""
    x, y = np.abs(grid.x), grid.y
    distance = _measure_skin_distance(picture, grid)
    top = float(y[person & (x < 0.9)].min(initial=9.0))
    seeds = np.full(y.shape, cv2.GC_PR_BGD, np.uint8)
    seeds[person & ~grid.ellipse(0.4, 1.0, 1.4) & (y < 1.9)] = cv2.GC_PR_FGD
    seeds[person & (distance > 16) & (y < -0.75)] = cv2.GC_PR_FGD
    seeds[person & (distance < 7) & (y > top + 0.25)] = cv2.GC_BGD
    seeds[~person] = cv2.GC_BGD
    seeds[grid.ellipse(0.55, 0.78, 1.0)] = cv2.GC_BGD
    seeds[((x < 0.6) & (y > 1.2)) | (y > 3.0) | ((y > 2.2) & (x > 1.9))] = cv2.GC_BGD
    crown = person & (y < top + 0.22) & ((distance > 4) | (y < top + 0.1))
    seeds[crown] = cv2.GC_FGD
    seeds[person & (distance > 45) & (y < -0.3) & ~grid.ellipse(0.2, 0.85, 0.75)] = cv2.GC_FGD
    if not crown.any():
        return np.zeros_like(person)
    plain = picture.copy()
    plain[~person] = (0, 255, 0)  # one colour, which neither skin nor hair has
    found = (_open(_grab(plain, seeds) & person, 3)).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(found)
    row_of_eyes = int(np.argmin(np.abs(grid.y[:, 0])))
    pixels = y.size
    kept = [
        part
        for part in range(1, count)
        if (stats[part, cv2.CC_STAT_AREA] > 0.003 * pixels and (crown & (parts == part)).any())
        or (stats[part, cv2.CC_STAT_AREA] > 0.004 * pixels and stats[part, cv2.CC_STAT_TOP] < row_of_eyes)
    ]
    hair: Mask = np.isin(parts, kept)
    return hair


def _measure_skin_distance(picture: Picture, grid: Grid) -> NDArray[np.float64]:
    """(H, W): the squared Mahalanobis distance of each pixel's colour (CIELAB) to that of the cheeks."""
    lab = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2LAB), (0, 0), 1.2).astype(np.float64)
    cheeks = grid.ellipse(0.55, 0.72, 0.45) & ~grid.ellipse(1.05, 0.42, 0.22) & ~grid.ellipse(0.0, 1.0, 0.3)
    samples = lab[cheeks]
    off = np.abs(samples - np.median(samples, 0))
    samples = samples[(off < 3.7 * np.median(off, 0) + 4.0).all(1)]  # without highlights, spectacles and beard
    inverse = np.linalg.inv(np.cov(samples.T) + np.diag([25.0, 4.0, 4.0]))
    off = lab - samples.mean(0)
    found: NDArray[np.float64] = np.einsum("hwi,ij,hwj->hw", off, inverse, off)
    return found


def _grab(picture: Picture, seeds: NDArray[np.uint8]) -> Mask:
    cv2.setRNGSeed(0)  # GrabCut clusters colours from random starts: the same picture gives the same mask
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(picture, seeds, None, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    found: Mask = (seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)
    return found


def _open(mask: Mask, size: int) -> Mask:
    """Without whiskers and specks."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    opened: Mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    return opened


def _keep_connected(mask: Mask, place: tuple[int, ...] | tuple[np.intp, ...]) -> Mask:
    """The part of the mask that holds a place; all of it where the place is not in it."""
    _, parts = cv2.connectedComponents(mask.astype(np.uint8))
    part = parts[place[0], place[1]]
    found: Mask = parts == part if part else mask
    return found
