"""The page as a folder: everything that a browser needs to edit pictures with one model, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgegan import __version__
from edgegan.runtime.edit.loading import load_for
from edgegan.runtime.errors import InputError, MissingExtraError
from edgegan.runtime.live.provenance import EDITED
from edgegan.runtime.model.artefact import Artefact

from ..staging import publish, staging
from .models import PageModel, write_detector, write_model
from .onnxruntime import copy_runtime, find_package, version_of
from .samples import sample_pictures

PAGE = Path(__file__).with_name("page")
MANIFEST = "site.json"
MOST_MB = 20.0


@dataclass(frozen=True)
class Site:
    """What was written.

    folder: it holds index.html.
    size_bytes: of all files in it.
    psnr_db: the worst golden pair of the model, and of its classifier if it has one.
    runtime: the version of onnxruntime-web.
    warnings: what the user should know.
    """

    folder: Path
    size_bytes: int
    psnr_db: dict[str, float]
    runtime: str
    warnings: tuple[str, ...] = ()


def export_site(
    model: str | Path | Artefact | None,
    out: Path,
    *,
    onnxruntime_web: Path | None = None,
    tell: Callable[[str], None] = lambda what: None,
) -> Site:
    """Writes a static page that edits a visitor's camera or pictures in the browser, with no server behind it.

    Args:
        model: as `Editor.open` takes it: a model file, an export or run folder, or the name of a shipped model.
        out: the folder to write, or one that holds an earlier page.
        onnxruntime_web: the npm package; None looks into node_modules here and above.
        tell: called with what is being done.

    Raises:
        InputError: no such model, one that a page cannot run, no npm package, or a folder with other things in it.
        CardError: the card is missing, or disagrees with the model.
        VerifyError: the model does not reproduce its golden pairs; nothing was written.
        MissingExtraError: a package that this needs is not installed.
    """
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise MissingExtraError("onnx", "export") from None
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise InputError(f"{out} holds other things than a page", "a new or empty folder, or an earlier page")
    package = find_package(onnxruntime_web)
    artefact = load_for("translate", model)
    classifier = artefact.companion("classifier")
    with staging(out) as stage:
        shutil.copytree(PAGE, stage, dirs_exist_ok=True)
        tell("writing the models")
        models = {"model": write_model(artefact, "model", stage)}
        if classifier is not None:
            models["classifier"] = write_model(classifier, "classifier", stage)
        if artefact.card.faces:
            models["faces"] = write_detector(stage)
        tell("packing ONNX Runtime")
        copy_runtime(package, stage / "onnxruntime")
        manifest = _manifest(models, version_of(package))
        manifest["samples"] = _write_samples(artefact, stage)
        files = sorted(p.relative_to(stage).as_posix() for p in stage.rglob("*") if p.is_file())
        manifest["sizes"] = {name: (stage / name).stat().st_size for name in files}
        (stage / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False), "utf-8")
        size = sum(p.stat().st_size for p in stage.rglob("*") if p.is_file())
        publish(stage, out)
    cards = {role: each.card for role, each in models.items() if each.card is not None}
    figures = {role: card.verification["onnxruntime"].psnr_worst_db or 0.0 for role, card in cards.items()}
    large = f"the page has {size / 1e6:.1f} MB, more than the {MOST_MB:.0f} MB that suit a phone: take a smaller model"
    return Site(out, size, figures, version_of(package), (large,) if size > MOST_MB * 1e6 else ())


def _manifest(models: dict[str, PageModel], runtime: str) -> dict[str, Any]:
    cards = {role: json.loads(each.card.to_json()) for role, each in models.items() if each.card is not None}
    origin = replace(EDITED, model=cards["model"]["name"])
    return {
        "edgegan": __version__,
        "onnxruntime_web": runtime,
        "card": cards["model"],
        "classifier": cards.get("classifier"),
        "models": {role: each.about for role, each in models.items()},
        "origin": {"mark": origin.mark, "xmp": origin.xmp().decode(), "tool": f"edgegan {__version__}"},
    }


def _write_samples(artefact: Artefact, stage: Path) -> list[str]:
    import cv2

    names = []
    for number, picture in enumerate(sample_pictures(artefact), start=1):
        name = f"samples/{number}.jpg"
        (stage / "samples").mkdir(exist_ok=True)
        done, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
        assert done
        (stage / name).write_bytes(packed.tobytes())
        names.append(name)
    return names
