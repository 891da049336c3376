"""Pictures of a generator, and what lies between them, from a run (eager fp32) or an artefact alike."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from edgegan.eager import Eager, is_trained
from edgegan.runtime.commands import command
from edgegan.runtime.errors import InputError, MissingExtraError
from edgegan.runtime.files import write_atomic
from edgegan.runtime.generate import latent
from edgegan.runtime.generate.sampler import MIXER, Sampler
from edgegan.runtime.live.frame_clock import FrameClock
from edgegan.runtime.live.provenance import GENERATED, Origin, into_png
from edgegan.runtime.live.sink import check_writable
from edgegan.runtime.live.sinks.video import Video
from edgegan.runtime.live.source import Frame
from edgegan.runtime.model import artefact as artefacts
from edgegan.runtime.model.card import ModelCard
from edgegan.runtime.model.image import Image
from edgegan.sheet import Picture, Sheet

Progress = Callable[[str, int, int], None]  # (what, done, of how many)

_GRID = 64  # pictures on the grid at most: more are too small to see
_STOP_S = 2.0  # of the film, from one picture to the next
_OURS = ("grid.png", "mix.png", "walk.mp4", "picture_*.png")


@dataclass(frozen=True)
class Request:
    """What the user asked for. Picture i of a seed is the same in every file, at every count."""

    source: Path  # a run folder, a checkpoint, an export folder or an artefact
    out: Path
    count: int = 16
    seed: int = 0
    truncate: float | None = None
    changes: Mapping[str, float] = field(default_factory=dict)  # names of the card's condition; the rest is drawn
    video: bool = False  # walk.mp4: from picture to picture and back to the first, without a seam
    seconds: float = 12.0
    fps: float = 30.0
    way: latent.Way = "spherical"
    mix: int = 0  # mix.png: so many latents, each in as many styles
    force: bool = False  # replace what an earlier call left in `out`
    backend: str = "auto"
    device: str = "auto"


@dataclass(frozen=True)
class Sampled:
    """What drew the pictures, and what was written."""

    what: str
    notices: tuple[str, ...]
    files: tuple[Path, ...]  # the pictures themselves are named by `pictures`
    pictures: int


def sample(request: Request, on_progress: Progress | None = None) -> Sampled:
    """Writes single pictures, the grid, and where asked the film and the style grid.

    Raises:
        InputError: no generator, a folder that is not empty, a name that the model does not know, or a style mixer
            that is not there.
        MissingExtraError: a film is wanted and PyAV is not installed, or a run and PyTorch is not.
        SinkError: the folder or the film cannot be written.
    """
    tell = on_progress or (lambda what, done, total: None)
    _check_out(request.out, force=request.force)
    tell("opening", 0, 1)
    with open_sampler(request.source, request.backend, request.device) as sampler:
        sampler.conditions(1, changes=request.changes)  # a name that is not there is said before anything is written
        if request.mix and not sampler.can_mix:
            sampler.mix(np.zeros((1, sampler.width)), np.zeros((1, sampler.width)))  # says why
        film = Video(request.out / "walk.mp4", FrameClock(request.fps)) if request.video else None
        _clear(request.out)
        shown = _pictures(sampler, request, tell)
        _write(request.out / "grid.png", _grid(shown).image(), sampler)
        files = [request.out / "grid.png"]
        if request.mix:
            _write(request.out / "mix.png", _draw_mixes(sampler, request, tell).image(), sampler)
            files.append(request.out / "mix.png")
        if film is not None:
            film.origin = _origin(sampler)
            with film:
                _walk(sampler, request, film, tell)
            files.append(request.out / "walk.mp4")
        what = f"{sampler.card.name} on {sampler.selection.backend} ({sampler.selection.device})"
        return Sampled(what, sampler.notices, tuple(files), request.count)


@contextmanager
def open_sampler(path: Path, backend: str = "auto", device: str = "auto") -> Iterator[Sampler]:
    """The generator of a run or checkpoint (eager, fp32, on the CPU) or of an artefact (through a backend).

    Raises InputError if it is none of these, or changes pictures instead of drawing them.
    """
    if is_trained(path):
        if backend != "auto" or device not in ("auto", "cpu"):
            raise InputError(
                f"{path} is a run, which PyTorch runs on the CPU",
                "--backend and --device are for exported models",
                f"export it first: {command('export', path)}",
            )
        with _eager(path) as sampler:
            yield sampler
        return
    model = artefacts.load(path)
    _check_task(path, model.card)
    with Sampler.open(model, backend=backend, device=device) as sampler:
        yield sampler


@contextmanager
def _eager(path: Path) -> Iterator[Sampler]:
    try:
        from edgegan.train.folder.run import open_trained
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train") from None
    run, nets, found = open_trained(path)
    specs = {spec.name: spec for spec in run.family.exportable(run.cfg, nets, run.data)}
    main = next(iter(specs.values()))
    _check_task(path, main.card)
    mixer = specs.get(Path(main.card.companions.get(MIXER, "")).stem)
    why = f"after {found.header['images']:,} images"
    with Sampler(main.card, Eager(main, why), None if mixer is None else lambda: Eager(mixer, why)) as sampler:
        yield sampler


def _check_task(path: Path, card: ModelCard) -> None:
    if card.task == "translate":
        raise InputError(
            f"{path}: {card.name} changes pictures, it draws none",
            todo="see its edits with: edgegan eval MODEL --sheet edits.png, or edgegan live MODEL --source PICTURE "
            "--sink FOLDER",
        )


def _check_out(out: Path, *, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file", todo="name a folder: --out DIR")
    if not force and out.is_dir() and any(out.iterdir()):
        raise InputError(f"{out} is not empty", todo="name another folder with --out, or add --force")
    check_writable(out / "grid.png")


def _clear(out: Path) -> None:
    """Takes away what an earlier call left: its pictures must not pass for ours."""
    for pattern in _OURS:
        for path in out.glob(pattern):
            path.unlink()


def _pictures(sampler: Sampler, request: Request, tell: Progress) -> list[Picture]:
    """Draws and writes them one by one; returns those for the grid."""
    shown: list[Picture] = []
    for i in range(request.count):
        vector = latent.draw(1, sampler.width, request.seed, first=i, truncate=request.truncate)
        told = sampler.conditions(1, request.seed, first=i, changes=request.changes)
        picture = _rgb(sampler.generate(vector, told)[0])
        _write(request.out / f"picture_{i:06d}.png", Pillow.fromarray(picture), sampler)
        if len(shown) < _GRID:
            shown.append(picture)
        tell("pictures", i + 1, request.count)
    return shown


def _grid(pictures: list[Picture]) -> Sheet:
    """In rows; a picture's number is the sum of its row's and its column's."""
    wide = math.ceil(math.sqrt(len(pictures)))
    starts = range(0, len(pictures), wide)
    rows = [pictures[start : start + wide] for start in starts]
    return Sheet([f"+{i}" for i in range(wide)], rows, [str(start) for start in starts])


def _draw_mixes(sampler: Sampler, request: Request, tell: Progress) -> Sheet:
    """Rows: pictures 0 to n - 1. Columns: the styles of pictures n to 2n - 1, which stand above."""
    n = request.mix
    latents = sampler.latents(2 * n, request.seed, truncate=request.truncate)
    numbers = [str(i) for i in range(2 * n)]
    styles: list[Picture | None] = [None, *map(_rgb, sampler.generate(latents[n:]))]
    rows: list[list[Picture | None]] = [styles]
    for i in range(n):
        own = _rgb(sampler.generate(latents[i : i + 1])[0])
        rows.append([own, *map(_rgb, sampler.mix(np.repeat(latents[i : i + 1], n, axis=0), latents[n:]))])
        tell("style mixing", i + 1, n)
    return Sheet(["picture", *(f"style {k}" for k in numbers[n:])], rows, ["", *numbers[:n]])


def _walk(sampler: Sampler, request: Request, film: Video, tell: Progress) -> None:
    """A closed walk through the first pictures, two seconds from each to the next."""
    stops = max(2, round(request.seconds / _STOP_S))
    latents = sampler.latents(stops, request.seed, truncate=request.truncate)
    told = sampler.conditions(stops, request.seed, changes=request.changes)
    frames = max(stops, round(request.seconds * request.fps))
    for i in range(frames):
        here = latent.walk(lambda k: latents[k % stops], i * stops / frames, request.way)
        label = latent.walk(lambda k: told[k % stops], i * stops / frames, "linear")
        film.write(Frame(sampler.generate(here[None], label[None])[0], i, i / request.fps, "walk"))
        tell("walk", i + 1, frames)


def _write(path: Path, picture: Pillow.Image, sampler: Sampler) -> None:
    """Writes a PNG file that says what drew it, atomically."""
    png = io.BytesIO()
    picture.save(png, "PNG")
    write_atomic(path, into_png(png.getvalue(), _origin(sampler)))


def _origin(sampler: Sampler) -> Origin:
    return replace(GENERATED, model=sampler.card.name)


def _rgb(picture_bgr: Image) -> Picture:
    return np.ascontiguousarray(picture_bgr[:, :, ::-1])
