"""The models that come with edgegan, as `edgegan info` lists them, and its two columns."""

from __future__ import annotations

from collections.abc import Sequence


def list_shipped(as_json: bool) -> None:
    """Prints what each knows and cannot do, and what it is taken for; as JSON their names, paths and cards."""
    import msgspec

    from edgegan.runtime.model import artefact
    from edgegan.runtime.shipped import default_model, list_models

    found = {name: artefact.load(path) for name, path in list_models().items()}
    if as_json:
        whole = [{"name": name, "path": str(model.path), "card": model.card} for name, model in found.items()]
        print(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
        return
    uses = {"cameras, clips and pictures": default_model("real"), "the synthetic camera": default_model("synthetic")}
    for name, model in found.items():
        taken = [use for use, path in uses.items() if path == model.path]
        rows = [
            ("model", f"{name} ({model.card.name}, {model.path.stat().st_size / 1e6:.1f} MB)"),
            ("knows", model.card.domain),
            ("attributes", ", ".join(model.card.condition.names)),
            ("cannot", model.card.limits),
            ("taken for", f"{' and '.join(taken)}, where no model is named" if taken else ""),
            ("more", f"edgegan info {name}"),
        ]
        print_rows(rows)
        print()


def print_rows(rows: Sequence[tuple[str, str]]) -> None:
    """Prints names and texts in two columns: no row without a text, no name twice below itself."""
    shown = [(name, text) for name, text in rows if text]
    width = max(len(name) for name, _ in shown)
    before = ""
    for name, text in shown:
        print(f"{name if name != before else '':<{width}}  {text}")
        before = name
