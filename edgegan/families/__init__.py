"""What a GAN family is. A family is a folder here; nothing lists them, and nothing else knows their names.

A family's `__init__` module describes itself to the rest in `FAMILY`, a `Family` as below. `edgegan/train/loop.py`
trains whatever phases it gives, `edgegan.export` writes whatever it declares exportable.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgegan.config import BaseConfig
from edgegan.data import Pictures
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import ModelCard
from edgegan.sheet import Sheet

from ._distillation import Distillation
from ._step import Batch, Step

__all__ = [
    "Batch",
    "Distillation",
    "ExportSpec",
    "Family",
    "ImportOptions",
    "Imported",
    "LabelPlaces",
    "Loss",
    "Networks",
    "Phase",
    "Stage",
    "Step",
    "Stream",
    "Tolerance",
    "get",
    "is_helper",
    "names",
]

C = TypeVar("C", bound=BaseConfig)
# A module without parameters (an image pool) is state: it is saved with the run, and neither counted nor exported.
Networks = dict[str, nn.Module]
Loss = tuple[Tensor, dict[str, Tensor]]  # the scalar to minimise, and its named parts


@dataclass(frozen=True)
class Phase:
    """One kind of update. A round of the loop runs each phase that is due, in order.

    `interval` is in rounds, or a function of the rounds done so far (a schedule of repeats); 0 is never. Before round
    `first` and after round `last` the phase rests. Phases may share an optimiser (lazy regularisation). `after_step`
    runs after the optimiser (weight clipping, balance terms) and sees the named parts of this step's loss.
    """

    name: str
    module: nn.Module  # the parameters that this phase updates; all others are frozen meanwhile
    optimiser: torch.optim.Optimizer
    loss_fn: Callable[[Step], Loss]
    interval: int | Callable[[int], int] = 1
    first: int = 1
    last: int | None = None
    needs_second_order: bool = False  # double backward: no autocast
    after_step: Callable[[dict[str, Tensor]], None] | None = None

    def due(self, round_: int) -> bool:
        """Whether the phase runs in round number `round_` (from 1)."""
        if round_ < self.first or (self.last is not None and round_ > self.last):
            return False
        every = self.interval(round_) if callable(self.interval) else self.interval
        return every > 0 and round_ % every == 0


@dataclass(frozen=True)
class Stage:
    """What holds for a round, where training goes in stages (see `Family.stage`).

    Another name begins another stage: the optimisers then forget their moments, and the log says so.
    """

    name: str  # as in "16 px"
    batch: int  # real pictures of the round, over all processes
    rate: float = 1.0  # share of the full learning rates


class Stream(Protocol):
    """A set of training items; shuffling, batching and prefetching are the loader's."""

    @property
    def sets(self) -> tuple[Pictures, ...]:
        """The sets of pictures that the items show, by which a resume notices other ones."""
        ...

    def __len__(self) -> int: ...

    def item(self, index: int, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Item `index`; `rng` belongs to this one showing of it (flips, crops)."""
        ...


@dataclass(frozen=True)
class Tolerance:
    """How far an artefact may be from fp32 eager, on the worst golden picture."""

    max_abs: float | None = None  # in units of the output's value range as the card states it
    others_max_abs: float | None = None  # on backends other than ONNX Runtime; None: the same
    min_psnr_db: float | None = None


@dataclass(frozen=True)
class ExportSpec:
    """One network to export. `golden(count)` gives real held-out inputs, keyed and laid out as the card says."""

    name: str  # the artefact's file stem: model, classifier
    folder: str  # "" or the direction's folder: AtoB
    module: nn.Module  # in eval mode, EMA weights, float32
    card: ModelCard
    golden: Callable[[int], dict[str, NDArray[np.float32]]]
    tolerances: Mapping[str, Tolerance]  # by precision
    calibration: Callable[[int], dict[str, NDArray[np.float32]]] | None = None  # as golden, of training pictures
    dynamic_multiple: int | None = None  # height and width may be any multiples of this; None: the size is baked in
    keep_fp32: tuple[str, ...] = ()  # operator types that FP16 may hurt; measured values decide for each node
    note: str = ""  # one line for the user: where the golden pictures came from


def is_helper(spec: ExportSpec, specs: Iterable[ExportSpec]) -> bool:
    """Whether one of `specs` names this one as its companion: a network that is small and runs on few frames."""
    file = f"{spec.name}.onnx"
    return any(file in other.card.companions.values() for other in specs if other.folder == spec.folder)


@dataclass(frozen=True)
class ImportOptions:
    """What the user said about an official checkpoint; None or empty where it was left to the file."""

    size: int | None = None
    attributes: tuple[str, ...] = ()
    bn: str = "recalibrate"  # batch-norm statistics: keep the file's, or measure them on the averaged weights
    domain: str = ""
    padding: str = ""  # of residual blocks: reflect, replicate or zero
    norm: str = ""  # instance, instance-affine or batch


@dataclass(frozen=True)
class Imported:
    """A config, and the whole state of those of its networks that the files held."""

    cfg: BaseConfig
    networks: Mapping[str, Mapping[str, Tensor]]
    notes: tuple[str, ...]  # what was found, inferred, renamed and dropped
    images: int = 0  # real pictures shown in training, as far as the files tell


@dataclass(frozen=True)
class LabelPlaces(Generic[C]):
    """Where a family's tensors have a place for each attribute: a model for other attributes can begin with them."""

    names: Callable[[C], tuple[str, ...]]
    """(cfg): the attributes, in the order of their places."""

    axis: Callable[[str, str], tuple[int, int] | None]
    """(network, tensor's name): the axis along which a tensor has the places, and how many other entries come before;
    None if it has none."""


@dataclass
class Family(Generic[C]):
    """A family, as its module describes itself in `FAMILY`; `C` is its Config."""

    TITLE: str  # one line: the paper
    EMA: tuple[str, ...]  # the networks whose weights are averaged; sampling and export use the average
    Config: type[C]

    networks: Callable[[C], Networks]
    """Freshly initialised networks."""

    example_inputs: Callable[[C, str], tuple[Tensor, ...]]
    """(cfg, network): inputs of one network at batch 1, for counting and tracing."""

    phases: Callable[[C, Networks], tuple[Phase, ...]]
    """The updates of one round, in order."""

    streams: Callable[[C, str], dict[str, Stream]]
    """(cfg, data): the real pictures of a --data SPEC; the first stream's are the ones counted as images."""

    preview: Callable[[C, Networks, str], Sheet]
    """(cfg, networks, data): what the networks make of fixed held-out inputs, with the true answers where they are
    known."""

    exportable: Callable[[C, Networks, str], tuple[ExportSpec, ...]]
    """(cfg, networks, data): what can be exported, the main artefact first; the networks lack what an imported
    checkpoint did not hold. With empty `data` the golden inputs come from what needs no download (drawn faces), and
    `note` says so."""

    tiny: Callable[[], C]
    """A config that trains in a second on a CPU, for tests."""

    stage: Callable[[C, int], Stage] | None = None
    """(cfg, images): the stage of the round that begins after so many images; optional, without it training is one
    stage of `train.batch` pictures a round. What it returns may depend on its arguments alone."""

    advance: Callable[[C, Networks, int], None] | None = None
    """(cfg, networks, images): before each round, sets what in the networks follows from the images seen alone (how
    far they have grown); optional. It belongs in buffers, so that checkpoints, averages and exports have it."""

    validate: Callable[[C, Networks, str], dict[str, float]] | None = None
    """(cfg, networks, data): figures on held-out data, where these can tell a good checkpoint from a bad one; optional.

    The networks hold the averaged weights where there are averages. The first figure decides which checkpoint is kept
    as the best, lower is better; the others are logged. It draws no randomness of its own."""

    held_out: Callable[[C, str], Mapping[str, Pictures]] | None = None
    """(cfg, data): the pictures on which `validate` measures, by name, so that it is noticed when they change;
    optional."""

    import_official: Callable[[Mapping[str, Any], ImportOptions], Imported | None] | None = None
    """(files, options): reads published checkpoints, where the field has some; optional.

    `files` maps file names to what torch.load gave (state dicts, or dicts and lists of them). Returns None if the
    layout is not its own, and raises InputError if it is, but cannot be used."""

    labels: LabelPlaces[C] | None = None
    """Where its tensors have places for attributes, for `edgegan train --from`; optional."""

    distillation: Distillation[C] | None = None
    """How a smaller generator of the family learns from a larger one, for `edgegan distil`; optional."""


def names() -> tuple[str, ...]:
    """The families of this installation: the folders beside this file."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.ispkg))


def get(name: str) -> Family[Any]:
    """The family called `name`; raises InputError if there is none."""
    if name not in names():
        raise InputError(f"no family is called '{name}'", f"there are: {', '.join(names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    family: Family[Any] = module.FAMILY
    return family
