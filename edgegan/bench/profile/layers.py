"""The layer times of a model in one library, as a table and as JSON."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgegan.runtime.backends.layer_times import LayerTime
from edgegan.runtime.files import write_atomic

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN = 20


class LayerProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The layers of one subject in the order in which they ran, over so many counted calls."""

    title: str  # such as "OpenVINO int8"
    file: str
    calls: int
    layers: tuple[LayerTime, ...]

    @property
    def total_ms(self) -> float:
        """The sum of all layers. A call takes somewhat longer: what is between layers is in none of them."""
        return sum(layer.ms for layer in self.layers)

    def slowest(self, most: int = _SHOWN) -> list[LayerTime]:
        """The layers that take longest, the longest first."""
        return sorted(self.layers, key=lambda layer: -layer.ms)[:most]

    def kinds(self) -> dict[str, float]:
        """The milliseconds of each kind of layer, the longest first; {"": ...} where the library names no kinds."""
        sums: dict[str, float] = defaultdict(float)
        for layer in self.layers:
            sums[layer.kind] += layer.ms
        return dict(sorted(sums.items(), key=lambda each: -each[1]))

    def table(self) -> Table:
        """The slowest layers for a terminal; the last line sums up the others."""
        from rich import box
        from rich.table import Table

        table = Table(title=f"{self.title}: {self.file}", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for head in ("layer", "kind"):
            table.add_column(head, overflow="fold")
        for head in ("ms", "share"):
            table.add_column(head, justify="right", no_wrap=True)
        shown = self.slowest()
        for layer in shown:
            table.add_row(layer.name, layer.kind, f"{layer.ms:.3f}", self._share(layer.ms))
        rest = self.total_ms - sum(layer.ms for layer in shown)
        if len(self.layers) > len(shown):
            table.add_row(f"{len(self.layers) - len(shown)} others", "", f"{rest:.3f}", self._share(rest))
        table.add_row("all layers", "", f"{self.total_ms:.3f}", "")
        return table

    def _share(self, ms: float) -> str:
        return f"{100 * ms / self.total_ms:.0f} %" if self.total_ms else "-"


def write_json(profiles: list[LayerProfile], path: Path) -> None:
    """Writes all profiles as indented JSON, atomically."""
    write_atomic(path, msgspec.json.format(msgspec.json.encode(profiles), indent=2) + b"\n")
