"""Cards of schema 1, as those of schema 2: flat words in `built_with` become typed facts."""

from __future__ import annotations

from typing import Any

_ENGINE_WORDS = ("hardware_compatibility", "gpu", "driver", "cuda")
_ENGINE_NUMBERS = ("half_layers", "int8_layers", "workspace_mib")
_LIBRARIES = ("tensorrt", "tensorrt_rtx")
_PROFILE = "profile_"


def upgrade(card: dict[str, Any]) -> dict[str, Any]:
    """The decoded JSON of a card of schema 1 as that of schema 2; raises ValueError for facts that cannot be read.

    In schema 1 each fact was a string: lists were joined by commas or blanks, and the processor whose figures the
    card holds stood among them. Tolerances stood with the figures alone.
    """
    given = card.get("built_with", {})
    if not isinstance(given, dict) or not all(isinstance(word, str) for word in given.values()):
        raise ValueError("built_with is not a table of words")
    facts = dict(given)
    upgraded = {**card, "schema": 2, "int8_arithmetic": facts.pop("int8_on", "")}
    verification = card.get("verification")
    if isinstance(verification, dict):
        stated = {name: each.get("tolerance") for name, each in verification.items() if isinstance(each, dict)}
        upgraded["tolerances"] = {name: each for name, each in stated.items() if each}
    return {**upgraded, "built_with": _build_info(facts)}


def _build_info(facts: dict[str, str]) -> dict[str, Any]:
    engine = _engine(facts)
    found: dict[str, Any] = {"system": facts.pop("os", "")}
    for name in ("fp32_nodes", "float_layers"):
        found[name] = [word for word in facts.pop(name, "").split(",") if word]
    if "half_weights" in facts:
        found["half_weights"] = float(facts.pop("half_weights").rstrip("%")) / 100
    if "half_operators" in facts:
        found["half_operators"] = [int(number) for number in facts.pop("half_operators").split(" of ")]
    if engine is not None:
        found["engine"] = engine
    return {**found, "versions": facts}


def _engine(facts: dict[str, str]) -> dict[str, Any] | None:
    """The facts of an engine, taken out of `facts`; None for another kind of file."""
    library = next((name for name in _LIBRARIES if name in facts), None)
    if library is None:
        return None
    found: dict[str, Any] = {"library": library, "version": facts.pop(library)}
    found["compute_capabilities"] = facts.pop("compute_capability", "").split()
    found["version_compatible"] = facts.pop("version_compatible", "false") == "true"
    found |= {name: facts.pop(name) for name in _ENGINE_WORDS if name in facts}
    found |= {name: int(facts.pop(name)) for name in _ENGINE_NUMBERS if name in facts}
    profiles = [name for name in facts if name.startswith(_PROFILE)]
    found["profile"] = {
        name.removeprefix(_PROFILE): [list(map(int, shape.split("x"))) for shape in facts.pop(name).split()]
        for name in profiles
    }
    return found
