"""What may be asked of an engine's build: refused before any work where it cannot be, and else done."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.needed import needed

from edgegan import cli
from edgegan.export.trt import artefact, build
from edgegan.export.trt.build import Job
from edgegan.export.trt.options import AUTO, LEVELS, TARGETS, TURING, EngineOptions, capabilities
from edgegan.export.trt.precision_check import Proof
from edgegan.runtime.errors import BackendError, InputError
from edgegan.runtime.model.build_info import BuildInfo

EVERY = {
    "workspace_mib": 512,
    "timing_cache": AUTO,
    "hardware_compatibility": "ampere_plus",
    "version_compatible": True,
    "compute_capabilities": ("8.6", "8.9"),
}
FOR_TENSORRT = ("timing_cache", "hardware_compatibility", "version_compatible")


class Config:
    """A builder's config that remembers; it takes a timing cache of its own version alone, as the true one does."""

    def __init__(self) -> None:
        self.flags: list[str] = []
        self.pools: dict[str, int] = {}
        self.cache = b""
        self.capabilities: dict[int, str] = {}
        self.refused: tuple[str, ...] = ()
        self.hardware_compatibility_level = "NONE"

    def clear_flag(self, flag: str) -> None:
        self.flags.append(f"no {flag}")

    def set_flag(self, flag: str) -> None:
        self.flags.append(flag)

    def set_memory_pool_limit(self, pool: str, size: int) -> None:
        self.pools[pool] = size

    def create_timing_cache(self, data: bytes) -> bytes | None:
        return None if data.startswith(b"cut") else data

    def set_timing_cache(self, cache: bytes, ignore_mismatch: bool) -> bool:
        assert not ignore_mismatch and cache is not None
        self.cache = cache
        return cache in (b"", b"fits")

    def set_compute_capability(self, capability: str, i: int) -> bool:
        self.capabilities[i] = capability
        return capability not in self.refused


GPUS = ("NONE", "CURRENT", "SM75", "SM86", "SM89", "SM80", "SM120", "SM121")


def fake(name: str, *, levels: tuple[str, ...] = LEVELS, capabilities: tuple[str, ...] = GPUS) -> Any:
    def members(*names: str) -> Any:
        return SimpleNamespace(**{n: n for n in names}, __members__={n: n for n in names})

    return SimpleNamespace(
        __name__=name,
        __version__="10.13.0",
        BuilderFlag=members("TF32", "VERSION_COMPATIBLE"),
        MemoryPoolType=members("WORKSPACE"),
        HardwareCompatibilityLevel=members(*(level.upper() for level in levels)),
        ComputeCapability=members(*capabilities),
    )


@pytest.mark.parametrize("name", list(EVERY))
@pytest.mark.parametrize("library", ["tensorrt", "tensorrt_rtx"])
def test_every_option_is_taken_by_its_library_and_refused_by_the_other(library: str, name: str) -> None:
    options = EngineOptions(**{name: EVERY[name]})
    (flag,) = options.arguments
    rtx = library == "tensorrt_rtx"
    if (name in FOR_TENSORRT and rtx) or (name == "compute_capabilities" and not rtx):
        with pytest.raises(InputError, match=rf"{flag} has no use.*\n.*\nleave {flag} out"):
            options.require(fake(library))
    else:
        options.require(fake(library))


def test_defaults_ask_for_nothing_and_build_for_the_usual_gpus() -> None:
    assert EngineOptions().arguments == {}
    for library in ("tensorrt", "tensorrt_rtx"):
        EngineOptions().require(fake(library))
    assert EngineOptions().targets(fake("tensorrt_rtx")) == TARGETS and EngineOptions().targets(fake("tensorrt")) == ()
    older = fake("tensorrt_rtx", capabilities=("SM75", "SM86"))  # a release that knows no newer GPUs
    assert EngineOptions().targets(older) == ("8.6",)


def test_turing_has_engines_of_its_own() -> None:
    """An engine for Turing and newer GPUs gives all of them the plan that Turing can run."""
    assert TURING not in TARGETS and "12.1" in TARGETS
    EngineOptions(compute_capabilities=(TURING,)).require(fake("tensorrt_rtx"))
    with pytest.raises(InputError, match=r"Turing.*\n.*\n.*--compute-capability 7\.5, and: .* 8\.6,12\.0"):
        EngineOptions(compute_capabilities=("8.6", TURING, "12.0")).require(fake("tensorrt_rtx"))


def test_arguments_repeat_the_command_line() -> None:
    assert EngineOptions(**EVERY).arguments == {  # type: ignore[arg-type]
        "--workspace": "512",
        "--timing-cache": "auto",
        "--hardware-compatibility": "ampere_plus",
        "--version-compatible": None,
        "--compute-capability": "8.6,8.9",
    }


def test_a_target_that_cannot_be_is_refused_with_those_that_can() -> None:
    assert capabilities(fake("tensorrt_rtx")) == (TURING, *TARGETS)
    with pytest.raises(InputError, match=r"--compute-capability 9\.0.*\nit can build for: 7\.5, 8\.0, 8\.6"):
        EngineOptions(compute_capabilities=("8.6", "9.0")).require(fake("tensorrt_rtx"))
    rtx = needed("tensorrt_rtx", "rtx")
    EngineOptions(compute_capabilities=tuple(c for c in capabilities(rtx) if c != TURING)).require(rtx)
    assert set(TARGETS) <= set(capabilities(rtx))


def test_an_unknown_level_and_one_that_is_too_new_are_refused() -> None:
    with pytest.raises(InputError, match="one of: none, ampere_plus"):
        EngineOptions(hardware_compatibility="volta").require(fake("tensorrt"))
    with pytest.raises(InputError, match=r"TensorRT 10\.13\.0 does not have it"):
        EngineOptions(hardware_compatibility="same_compute_capability").require(fake("tensorrt", levels=LEVELS[:2]))
    with pytest.raises(InputError, match="MiB, 1 or more"):
        EngineOptions(workspace_mib=0).require(fake("tensorrt"))


def test_the_builder_is_told_every_option_of_tensorrt(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_bytes(b"fits")
    options = EngineOptions(512, str(cache), "ampere_plus", True)
    config = Config()
    assert build._configure(fake("tensorrt"), config, Job(tmp_path, options=options)) == cache
    assert config.flags == ["no TF32", "VERSION_COMPATIBLE"] and config.pools == {"WORKSPACE": 512 << 20}
    assert config.hardware_compatibility_level == "AMPERE_PLUS" and config.cache == b"fits"
    assert config.capabilities == {}
    built = build.Built(b"", Proof(23, (), 8))
    info = artefact._build_info(BuildInfo(), fake("tensorrt"), "no GPU", Job(tmp_path, options=options), built).engine
    assert info is not None and info.version_compatible and info.hardware_compatibility == "ampere_plus"
    assert (info.workspace_mib, info.half_layers, info.int8_layers) == (512, 23, 8)


def test_the_builder_for_rtx_is_told_the_gpus(tmp_path: Path) -> None:
    config = Config()
    job = Job(tmp_path, options=EngineOptions(compute_capabilities=("8.6", "12.0")))
    assert build._configure(fake("tensorrt_rtx"), config, job) is None
    assert config.capabilities == {0: "SM86", 1: "SM120"} and config.cache == b"" and config.flags == ["no TF32"]


def test_a_gpu_that_the_builder_does_not_take_is_not_claimed_on_the_card(tmp_path: Path) -> None:
    config = Config()
    config.refused = ("SM120",)
    job = Job(tmp_path, options=EngineOptions(compute_capabilities=("8.6", "12.0")))
    with pytest.raises(BackendError, match=r"refuses to build for compute capability 12\.0"):
        build._configure(fake("tensorrt_rtx"), config, job)


@pytest.mark.parametrize("content", [b"of another version", b"cut off"])
def test_a_timing_cache_that_does_not_fit_gives_way_to_a_new_one(content: bytes, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_bytes(content)
    config = Config()
    build._configure(fake("tensorrt"), config, Job(tmp_path, options=EngineOptions(timing_cache=str(cache))))
    assert config.cache == b""


def test_the_automatic_timing_cache_is_the_users_and_one_for_each_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/somebody/.cache")
    options, trt = EngineOptions(timing_cache=AUTO), fake("tensorrt")
    files = {options.timing_cache_file(trt, gpu) for gpu in ("RTX 4090", "RTX 3060")}
    assert len(files) == 2 and all(f.parent == Path("/home/somebody/.cache/edgegan") for f in files if f)
    assert EngineOptions().timing_cache_file(trt, "RTX 4090") is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--workspace", "64"], "--workspace is for TensorRT engines"),
        (["--trt", "--compute-capability", "9.9"], "cannot build for it"),
        (["--trt", "--timing-cache", "auto"], "--timing-cache has no use"),
    ],
)
def test_the_command_refuses_before_it_looks_at_the_run(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needed("tensorrt_rtx", "rtx")
    monkeypatch.setattr(artefact, "find_gpu", lambda *number: "no GPU")
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", "no-such-run", *words])
    assert ended.value.code == 2 and said in capsys.readouterr().err
