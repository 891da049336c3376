"""Recolours hair in a photograph: the look of it under another colour, strands and shine kept.

Not a network: the luminance of the hair is moved and stretched to that of the wanted colour, and its chroma replaced,
within the hair's mask. What a generator makes may look better than this; it shows it where hair is, and what is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LEAST = 0.009  # share of hair in a picture below which its colour is not measured
CLEAR = 4  # one in so many is a clear case
# A network that is taught by an absolute error answers with less than it was shown: between a tenth and a third of the
# way from a face's own hair to a colour was missing. So colours are shown farther from average hair; most of all in Cb,
# which tells blond from gray and gray from brown: how little blue there is, and how yellow is not orange.
_EXAGGERATION = np.array([1.2, 1.8, 1.2])  # of Y, Cb, Cr
# Cr over -Cb of fair hair, at most: where gray hair is thin the scalp shows, and its pink is none of the hair's.
_REDDEST_FAIR, _FAIR = 0.7, 0.3  # fair is what is lighter than this
_LEAN = 10.0  # people that the common covariance counts for beside a colour's own
_STRETCH = (0.5, 2.0)  # of the luminance's deviation
_CHROMA_KEPT = 0.35  # of the differences in chroma between strands
# ITU-R BT.601, of RGB in [0, 1].
_TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_TO_RGB = np.linalg.inv(_TO_YCC).astype(np.float32)


@dataclass(frozen=True)
class HairColour:
    """Mean luminance and chroma (Y, Cb, Cr) and the luminance's deviation, all of RGB in [0, 1]."""

    mean: tuple[float, float, float]
    deviation: float


def measure_hair(picture: Floats, hair: NDArray[np.bool_]) -> HairColour | None:
    """The colour of the hair (H, W) in a picture (H, W, 3) in [0, 1]; None where there is too little of it."""
    inside = cv2.erode(hair.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if float(inside.mean()) < LEAST:
        return None
    ycc = picture[inside] @ _TO_YCC.T
    y, cb, cr = (float(v) for v in ycc.mean(0))
    return HairColour((y, cb, cr), float(ycc[:, 0].std()))


def choose_colours(measured: Mapping[str, Sequence[HairColour]]) -> dict[str, HairColour]:
    """What each colour is to look like: the median of its clearest cases, exaggerated, by the names of `measured`.

    The clearest quarter is that of which a quadratic discriminant is surest, each colour a normal law with a covariance
    that leans on the common one (regularised as in Friedman 1989): labels blur into each other, and the median of all
    that is called blond is half brown. One linear cut against all others will not do: brown lies between black, blond
    and gray, and its cases farthest from them in one direction are nearly black.
    """
    means = {name: np.array([c.mean for c in seen]) for name, seen in measured.items() if seen}
    if not means:
        return {}
    off = np.concatenate([own - own.mean(0) for own in means.values()])
    common = off.T @ off / len(off) + 1e-5 * np.eye(3)
    average = np.mean([own.mean(0) for own in means.values()], axis=0)  # of the colours, however many people have each
    laws = {name: _fit_law(own, common) for name, own in means.items()}
    found = {}
    for name, own in means.items():
        density = {other: law(own) for other, law in laws.items()}
        surest = np.argsort(np.logaddexp.reduce(list(density.values())) - density[name])
        clear = surest[: (len(own) + CLEAR - 1) // CLEAR]
        usual = np.median(own[clear], axis=0)
        y, cb, cr = (average + _EXAGGERATION * (usual - average)).tolist()
        cb = min(cb, 0.0)  # no hair is blue; nor redder, for its yellow, than it is: gray without yellow is mauve
        cr = max(0.0, min(cr, cb * float(usual[2] / min(usual[1], -1e-3))))
        cr = min(cr, -cb * _REDDEST_FAIR) if y > _FAIR else cr
        deviation = float(np.median([measured[name][i].deviation for i in clear]))
        found[name] = HairColour((y, cb, cr), deviation)
    return found


def _fit_law(own: NDArray[np.float64], common: NDArray[np.float64]) -> Callable[..., NDArray[np.float64]]:
    """The logarithm of a normal density of colours (N, 3), up to a constant that all share."""
    off = own - own.mean(0)
    covariance = (off.T @ off + _LEAN * common) / (len(own) + _LEAN)
    inverse, middle = np.linalg.inv(covariance), own.mean(0)
    size = float(np.linalg.slogdet(covariance)[1])
    return lambda colours: -0.5 * (np.einsum("ni,ij,nj->n", colours - middle, inverse, colours - middle) + size)


def recolour(picture: Floats, cover: Floats, own: HairColour, wanted: HairColour) -> Floats:
    """`picture` (H, W, 3) in [0, 1] with its hair, of colour `own`, in the wanted colour; `cover` (H, W) in [0, 1] says
    how much of each pixel is hair."""
    ycc = picture @ _TO_YCC.T
    off = ycc - np.array(own.mean, np.float32)
    stretch = float(np.clip(wanted.deviation / max(own.deviation, 1e-3), *_STRETCH))
    y = np.clip(wanted.mean[0] + stretch * off[:, :, :1], 0.0, 1.0)
    # Chroma fades in shadow, where there is no light to be coloured.
    lit = np.clip(y / max(wanted.mean[0], 1e-3), 0.3, 1.3)
    chroma = np.array(wanted.mean[1:], np.float32) * lit + _CHROMA_KEPT * off[:, :, 1:]
    changed = np.concatenate([y, chroma], 2).astype(np.float32) @ _TO_RGB.T
    mixed: Floats = picture + cover[:, :, None] * (np.clip(changed, 0.0, 1.0) - picture)
    return mixed
