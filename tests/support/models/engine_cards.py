"""Cards of engines for tests: how an engine that nobody built is said to have been built."""

from __future__ import annotations

from typing import Any

from edgegan.runtime.model.build_info import BuildInfo, EngineInfo


def engine_facts(library: str, version: str, *capabilities: str, system: str = "", **more: Any) -> BuildInfo:
    """The facts of an engine for GPUs of these compute capabilities; `more` are fields of `EngineInfo`."""
    info = EngineInfo(library=library, version=version, compute_capabilities=capabilities, **more)  # type: ignore[arg-type]
    return BuildInfo(engine=info, system=system)
