"""Engines on a GPU made of host memory."""

import sys

import msgspec
import numpy as np

from edgegan.runtime.backends.nvidia import bindings
from edgegan.runtime.backends.tensorrt import backend as trt
from edgegan.runtime.model.artefact import Artefact, load, payload_sha256
from support import tiny_models
from support.fakes.gpu import FakeCuda
from support.fakes.tensorrt import fake_tensorrt
from support.models.engine_cards import engine_facts

LINUX = "Linux x86_64"


def engine(
    folder, library="tensorrt", version="10.13.0", capabilities=("8.9",), *, plan=b"plan", system=LINUX, **more
) -> Artefact:
    card = load(tiny_models.write_editor(folder, pairs=0, classifier=False)).card
    path = folder / "model.fp16.engine"
    path.write_bytes(plan)
    facts = engine_facts(library, version, *capabilities, system=system, **{"gpu": "Fake GPU", **more})
    card = msgspec.structs.replace(card, built_with=facts, payload_sha256=payload_sha256(path))
    card.write(path)
    return Artefact(path, card)


def install(monkeypatch, fake: FakeCuda, **options):
    monkeypatch.setattr(bindings, "import_runtime", lambda: fake)
    monkeypatch.setattr(trt, "system", lambda: "Linux x86_64")
    module = fake_tensorrt(fake, **options)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def check_freed(fake: FakeCuda) -> None:
    """All memory and every object were given back, each in time; `fake.module` is what `install` gave."""
    assert not fake.memory and not fake.open and fake.module.alive == [] and fake.module.wrong == []


def inputs(value, size=8, dtype=np.float32, label=0.5):
    return {"image": np.full((1, 3, size, size), value, dtype), "label": np.array([[label, 0.0]], np.float32)}
