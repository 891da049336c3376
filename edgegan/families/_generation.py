"""What the families that draw pictures from noise share: data, previews, figures, and what they export."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeVar

import msgspec
import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor, nn

from edgegan.config import BaseConfig
from edgegan.data import Pictures, PictureStream, open_pictures
from edgegan.eval.swd import descriptors, swd
from edgegan.families import ExportSpec, Step, Stream, Tolerance
from edgegan.networks.generation.batch_statistics import measure_statistics
from edgegan.ranges import Width
from edgegan.runtime.errors import InputError
from edgegan.runtime.generate import latent as latents
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.condition import Condition
from edgegan.sheet import Picture, Sheet, to_picture

COLUMNS, ROWS = 8, 3  # of a preview's generated pictures
PREVIEW_LATENTS = 128  # that measure batch statistics where a picture is only looked at
VALIDATION_PICTURES = 128  # of each kind; 128 patches of each picture and level
LATENT, IMAGE = "latent", "image"

GOLDEN_SEED, CALIBRATION_SEED = 0x601D, 0xCA11B
_STATISTICS_SEED = 0x5EED  # any, but the same everywhere
_AT_ONCE = 8
_STUDENT_DRAW = 301  # a draw of its own
_STUDENT_SHARES = (0.75, 0.5, 0.375, 0.25, 0.1875, 0.125, 0.0625)  # of the teacher's channels

C = TypeVar("C", bound="BatchNormConfig")

# Measured against eager on 64 held-out latents of trained DCGAN, cGAN, InfoGAN, WGAN and WGAN-GP and on 8 of FastGAN.
# fp32 differs by the order of sums alone: up to 3e-6, and 137 dB on the worst, in every runtime; weights of longer
# training may amplify more, and 1e-3 is an eighth of a grey level. fp16 had 75 dB and more; 45 dB over [-1, 1] is 1.4
# grey levels of 255 (root mean square). INT8 had 34 dB on the worst; 30 dB, 8 grey levels, tells a wrong INT8 file from
# a right one, and --min-psnr asks for more.
TOLERANCES = {
    "fp32": Tolerance(max_abs=1e-3, others_max_abs=5e-3, min_psnr_db=75.0),
    "fp16": Tolerance(min_psnr_db=45.0),
    "int8": Tolerance(min_psnr_db=30.0),
}


class GenerationConfig(BaseConfig, frozen=True, kw_only=True):
    """What every such family is configured by; `size` is the edge of its pictures in pixels."""

    size: int = 64
    domain: str = "pictures like those it was shown"
    licence: str = ""
    flip: bool = True
    nz: Annotated[int, Meta(ge=1, le=8192)] = 100


class BatchNormConfig(GenerationConfig, frozen=True, kw_only=True):
    """The same with a convolutional generator with batch norms, for previews and export, which run in eval mode."""

    ngf: Width = 64  # the generator's width: the channels of all its maps follow from it
    bn: Literal["recalibrate", "keep"] = "recalibrate"  # batch statistics: of the averaged weights, or the stored ones
    bn_latents: Annotated[int, Meta(ge=2, le=1_000_000)] = 1024  # so many random latents measure them


def ready(
    generator: nn.Module, inputs: Callable[[int], tuple[Tensor, ...]], *, bn: str, count: int, size: int
) -> nn.Module:
    """A copy in eval mode, frozen, in float32; its batch norms are measured on `count` rows unless `bn` is "keep".

    Args:
        inputs: gives so many rows of what the generator takes; the same at every call.
        size: of its pictures: the larger, the fewer at once.
    """
    copied = copy.deepcopy(generator).float().eval().requires_grad_(False)
    if bn == "recalibrate":
        measure(copied, inputs(count), size)
    return copied


def measure(generator: nn.Module, inputs: tuple[Tensor, ...], size: int) -> None:
    """Measures the batch statistics of a generator of `size` px on rows of its inputs."""
    device = next(generator.parameters()).device
    # Large batches: the variance within a small one misses what differs from batch to batch. At 1024 px, 8 take 2 GB.
    measure_statistics(generator, tuple(rows.to(device) for rows in inputs), min(64, max(8, 8192 // size)))


def statistics_latents(count: int, nz: int) -> NDArray[np.float32]:
    """The latents that batch statistics are measured on: (count, nz), always the same."""
    return latents.draw(count, nz, _STATISTICS_SEED)


def picture_streams(cfg: GenerationConfig, data: str) -> dict[str, Stream]:
    """The training pictures, whole."""
    return {"real": PictureStream(open_pictures(data, size=cfg.size, split="train"), crop=None, flip=cfg.flip)}


def held_out(cfg: GenerationConfig, data: str) -> dict[str, Pictures]:
    """The held-out pictures, whole: what the figures of these families compare with."""
    return {"held-out": open_pictures(data, size=cfg.size, split="heldout")}


@torch.no_grad()
def to_pictures(draw: Callable[..., Tensor], *inputs: NDArray[np.float32], device: torch.device) -> list[Picture]:
    """The pictures of N rows of each input, a few at a time."""
    tensors = [torch.from_numpy(rows).to(device) for rows in inputs]
    parts = (draw(*(rows[i : i + _AT_ONCE] for rows in tensors)) for i in range(0, len(tensors[0]), _AT_ONCE))
    return [to_picture(one) for part in parts for one in part.float().cpu()]


def in_rows(pictures: list[Picture], columns: int = COLUMNS) -> list[list[Picture | None]]:
    """Rows of a sheet; the last one is filled up with empty cells."""
    rows: list[list[Picture | None]] = [[*pictures[i : i + columns]] for i in range(0, len(pictures), columns)]
    rows[-1] += [None] * (columns - len(rows[-1]))
    return rows


def open_heldout(cfg: GenerationConfig, data: str, count: int) -> list[Picture]:
    """The first held-out pictures, again from the first where there are fewer."""
    pictures = open_pictures(data, size=cfg.size, split="heldout")
    return [pictures.picture(i % len(pictures)) for i in range(count)]


def preview_sheet(cfg: GenerationConfig, draw: Callable[[Tensor], Tensor], device: torch.device, data: str) -> Sheet:
    """Pictures of fixed latents, those of `edgegan sample --seed 0`, above held-out ones."""
    rows = in_rows(to_pictures(draw, latents.draw(ROWS * COLUMNS, cfg.nz), device=device))
    names = [*["generated"] * len(rows), "held out"]
    return Sheet([str(i + 1) for i in range(COLUMNS)], [*rows, [*open_heldout(cfg, data, COLUMNS)]], names)


def swd_figures(cfg: GenerationConfig, made: Callable[[int], list[Picture]], data: str) -> dict[str, float]:
    """The sliced Wasserstein distance (x 1000) on Laplacian pyramids, its mean over the levels first; lower is better.

    Between as many pictures as `made` is asked for and the first held-out ones, VALIDATION_PICTURES at most, each
    level's patches normalised (Karras et al. 2018, section 5).
    """
    pictures = open_pictures(data, size=cfg.size, split="heldout")
    count = min(len(pictures), VALIDATION_PICTURES)
    levels = swd(descriptors([pictures.picture(i) for i in range(count)]), descriptors(made(count)))
    return {"swd": sum(levels.values()) / len(levels), **{f"swd_{height}": value for height, value in levels.items()}}


@dataclass(frozen=True)
class Input:
    """An input beside the latent: a vector, and what it is in the golden pairs and in calibration."""

    name: str
    width: int
    rows: Callable[[int, int], NDArray[np.float32]]  # (count, seed) -> (count, width)
    value_range: tuple[float, float] | None = None

    @property
    def spec(self) -> TensorSpec:
        """As the card states it."""
        return vector_spec(self.name, self.width, self.value_range)


@dataclass(frozen=True)
class Exported:
    """A generator on its way out: what distinguishes one family's artefact from another's."""

    family: str
    module: nn.Module  # in eval mode, on the CPU: latents, then the other inputs -> pictures in [-1, 1]
    name: str = "model"  # the artefact's file stem
    condition: Condition = field(default_factory=lambda: Condition(kind="latent"))
    noise: str = ""
    companions: Mapping[str, str] = field(default_factory=dict)
    others: tuple[Input, ...] = ()
    keep_fp32: tuple[str, ...] = ()
    note: str = ""


def picture_spec(cfg: GenerationConfig, exported: Exported) -> ExportSpec:
    """A generator as an artefact: `latent` (1, nz) of N(0, 1) and what else it takes -> `image` in [-1, 1]."""
    hw = (cfg.size, cfg.size)
    image = TensorSpec(
        name=IMAGE, dtype="float32", shape=(1, 3, *hw), layout="NCHW", colour="RGB", value_range=(-1.0, 1.0)
    )

    def rows(seed: int, count: int) -> dict[str, NDArray[np.float32]]:
        return {
            LATENT: latents.draw(count, cfg.nz, seed),
            **{other.name: other.rows(count, seed) for other in exported.others},
        }

    return ExportSpec(
        name=exported.name,
        folder="",
        module=exported.module,
        card=ModelCard(
            name=f"{exported.family}-{cfg.size}" + ("" if exported.name == "model" else f"-{exported.name}"),
            family=exported.family,
            task="generate",
            domain=cfg.domain,
            condition=exported.condition,
            noise=exported.noise,
            companions=dict(exported.companions),
            inputs=(vector_spec(LATENT, cfg.nz), *(other.spec for other in exported.others)),
            outputs=(image,),
            size=SizeRule(hw=hw),
            licence=cfg.licence,
        ),
        golden=lambda count: rows(GOLDEN_SEED, count),
        calibration=lambda count: rows(CALIBRATION_SEED, count),
        tolerances=TOLERANCES,
        keep_fp32=exported.keep_fp32,
        note=exported.note,
    )


def student_widths(cfg: C, **others: object) -> tuple[C, ...]:
    """The configurations with fewer channels (`ngf`) than the teacher's, and `others` as given."""
    found = []
    for share in _STUDENT_SHARES:
        with suppress(InputError):  # a width that the family cannot have
            found.append(msgspec.structs.replace(cfg, ngf=max(1, int(share * cfg.ngf)), **others))
    return tuple(found)


def draw_latents(cfg: GenerationConfig, step: Step) -> dict[str, tuple[Tensor, ...]]:
    """Latents of N(0, 1), one for each real picture, which are not looked at."""
    real = step.real["image"]
    uniform = step.uniform(len(real), cfg.nz, draw=_STUDENT_DRAW).to(real).clamp(1e-6, 1 - 1e-6)
    return {"generator": (torch.special.ndtri(uniform),)}


def vector_spec(name: str, width: int, value_range: tuple[float, float] | None = None) -> TensorSpec:
    """A vector of so many numbers."""
    return TensorSpec(name=name, dtype="float32", shape=(1, width), layout="NC", value_range=value_range)
