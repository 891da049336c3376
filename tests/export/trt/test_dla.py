"""A DLA: what the builder is told, what is refused, and what the card says. Nothing here has a DLA."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.fakes.engines import engine, inputs, install
from support.fakes.gpu import FakeCuda

from edgegan.export.trt import artefact, rebuild
from edgegan.export.trt.build import Built, Job
from edgegan.export.trt.dla import use_dla
from edgegan.export.trt.gpu import Gpu
from edgegan.export.trt.options import EngineOptions
from edgegan.export.trt.precision_check import Proof
from edgegan.export.trt.trtexec import trtexec_line
from edgegan.runtime.backends.tensorrt.backend import TensorRT
from edgegan.runtime.errors import BackendError, InputError
from edgegan.runtime.model.build_info import BuildInfo

TRT = SimpleNamespace(
    __name__="tensorrt",
    __version__="11.4.1",
    DeviceType=SimpleNamespace(DLA="dla"),
    BuilderFlag=SimpleNamespace(GPU_FALLBACK="fallback"),
)
LAYERS = ("conv", "norm", "relu", "conv")


class Config:
    def __init__(self, able: tuple[str, ...]) -> None:
        self.able, self.flags = able, []

    def set_flag(self, flag: str) -> None:
        self.flags.append(flag)

    def can_run_on_DLA(self, layer: str) -> bool:  # noqa: N802 - TensorRT's name
        assert self.default_device_type == "dla"  # type: ignore[attr-defined]
        return layer in self.able


def use(core: int, *, cores: int = 2, able: tuple[str, ...] = ("conv", "relu"), **job: Any) -> tuple[int, Config]:
    network = SimpleNamespace(num_layers=len(LAYERS), get_layer=LAYERS.__getitem__)
    config = Config(able)
    given = Job(Path("m.onnx"), options=EngineOptions(dla_core=core), **job)
    return use_dla(TRT, SimpleNamespace(num_DLA_cores=cores), network, config, given), config


def test_the_builder_gives_it_what_it_can_run_and_the_gpu_the_rest() -> None:
    count, config = use(1)
    assert count == 3 and config.flags == ["fallback"]
    assert (config.default_device_type, config.DLA_core) == ("dla", 1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"core": 0, "cores": 0}, r"--dla 0: TensorRT 11\.4\.1 finds no DLA cores here\na Jetson"),
        ({"core": 2}, r"finds 2 DLA cores here\na number below 2"),
        ({"core": 0, "profile": {"image": ((1,), (1,), (4,))}}, "a DLA runs fixed shapes"),
        ({"core": 0, "able": ()}, r"none of the 4 layers of m\.onnx\nleave --dla out"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(options: dict[str, Any], words: str) -> None:
    with pytest.raises((InputError, BackendError), match=words):
        use(**options)


def test_the_option_is_for_tensorrt_proper() -> None:
    assert EngineOptions(dla_core=0).arguments == {"--dla": "0"}
    with pytest.raises(InputError, match="--dla has no use"):
        EngineOptions(dla_core=0).require(SimpleNamespace(__name__="tensorrt_rtx", __version__="1.7"))
    with pytest.raises(InputError, match="--dla -1"):
        EngineOptions(dla_core=-1).require(TRT)
    line = trtexec_line(Job(Path("m.onnx"), options=EngineOptions(dla_core=1)), "11.4.1", "m.engine")
    assert line.endswith("--useDLACore=1 --allowGPUFallback")


def test_the_card_says_it() -> None:
    job = Job(Path("m.onnx"), options=EngineOptions(dla_core=1))
    info = artefact._build_info(BuildInfo(), TRT, "no GPU", job, Built(b"", Proof(4, ()), 3)).engine
    assert info is not None and (info.dla_core, info.dla_layers) == (1, 3)


def test_an_engine_is_loaded_for_its_core_and_never_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeCuda()
    install(monkeypatch, fake)
    cores = []
    monkeypatch.setattr(
        sys.modules["tensorrt"].Runtime, "DLA_core", property(None, lambda self, n: cores.append(n)), raising=False
    )
    with TensorRT(engine(tmp_path, dla_core=1, dla_layers=3), device="cuda") as backend:
        assert cores == [1] and "DLA core 1 runs what it can of the network (3 layers)" in backend.notices[0]
        assert [float(backend.run(inputs(v))["edited"].flat[0]) for v in (1.0, 2.0)] == [1.5, 2.5]
        assert fake.captures == 0


def test_it_is_built_again_for_a_dla_where_there_is_one(tmp_path: Path) -> None:
    found = engine(tmp_path, dla_core=1)
    orin, desktop = Gpu("Orin", "8.7", ""), Gpu("RTX 4090", "8.9", "580.1")
    assert rebuild.options_for(found, "tensorrt", orin).dla_core == 1
    assert rebuild.options_for(found, "tensorrt", desktop).dla_core is None
