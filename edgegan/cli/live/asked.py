"""What the command line asks of one live run, and what can be refused before anything is loaded."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan.cli._shared.options import setting
from edgegan.cli._shared.rebuild import choice
from edgegan.runtime.errors import InputError

from .options import WEB_PORT
from .start import Wishes

if TYPE_CHECKING:
    from edgegan.runtime.backends import Rebuild
    from edgegan.runtime.faces.options import FaceOptions
    from edgegan.runtime.live.controls.look import View
    from edgegan.runtime.live.web import Address, IceServer
    from edgegan.runtime.model.card import ModelCard


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options as they were given, under the names that `live` has for them; and what they mean, as properties.

    A property raises InputError where its options cannot be; `check` reads them all.
    """

    model: str | None
    source: str | None
    size: str | None
    fps: float | None
    loop: bool
    realtime: bool
    every_frame: bool
    patience: float | None
    frames: int | None
    seconds: float | None
    settings: list[str] | None
    span: str | None
    preset: str | None
    list_presets: bool
    fresh: bool
    view: str | None
    side_by_side: bool
    mirror: bool
    full_screen: bool
    stdin: bool
    sinks: list[str] | None
    label: bool
    hud: bool | None
    files: Path
    snapshot_every: float | None
    stats_json: Path | None
    backend: str
    device: str
    allow_fallback: bool
    rebuild: str
    work_size: str | None
    speed: float
    faces: str
    smooth: bool
    colour_match: bool
    guard: bool
    any_pose: bool
    web: bool
    host: str | None
    port: int | None
    tls: str | None
    token: str | None
    ice: list[str] | None
    proxy: list[str] | None

    def check(self) -> None:
        """Raises InputError for what cannot be, and SinkError for a place that cannot be written or served at."""
        from edgegan.runtime.live.sink import check_writable
        from edgegan.runtime.places import refuse_clashes

        _ = self.wishes, self.ice_servers
        if self.address is not None:
            self.address.check()
        refuse_clashes(self._reads, self._writes, folders=[self.source] if self.source else [])
        if self.stats_json:
            check_writable(self.stats_json)
        _ = self.face_options, self.size_hw, self.work_hw, self.rebuilding

    def check_for(self, card: ModelCard) -> None:
        """Raises InputError for what this model cannot have: a generator takes no pictures, and nothing else draws."""
        from edgegan.runtime.live.sources import latent
        from edgegan.runtime.redaction import redact

        source = self.source_for(card)
        if card.task != "generate":
            if latent.accepts(source):
                raise InputError(f"--source {redact(source)} is for generators", f"{card.name} edits pictures")
            return
        for given, why in (
            (not latent.accepts(source) and f"--source {redact(source)}", "its source is latent[@FPS][#SEED]"),
            (self.size and f"--size {self.size}", "its pictures have one size"),
            (self.work_size and f"--work-size {self.work_size}", "its pictures have one size"),
            (self.wishes.view not in (None, "after") and f"--view {self.wishes.view}", "there is no picture before"),
        ):
            if given:
                raise InputError(f"{given} was given for a generator", f"it draws pictures and takes none: {why}")

    def source_for(self, card: ModelCard) -> str:
        """The SPEC of the source; where none was given, what suits the model."""
        return self.source or ("latent" if card.task == "generate" else "synthetic")

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The SPECs of the sinks; a window, where neither a sink nor the page was asked for."""
        return tuple(self.sinks or ([] if self.web else ["window"]))

    @cached_property
    def wishes(self) -> Wishes:
        """What is asked of the controls."""
        from edgegan.runtime.live.controls.look import VIEWS

        if self.view is not None and self.view not in VIEWS:
            raise InputError(f"--view {self.view} is not known", f"one of: {', '.join(VIEWS)}")
        view: View | None = self.view or ("both" if self.side_by_side else None)
        changes = dict(setting(each) for each in self.settings or ())
        return Wishes(
            changes, _span(self.span), self.preset, self.fresh, view, self.mirror, self.full_screen, self.stdin
        )

    @cached_property
    def address(self) -> Address | None:
        """Where to serve the page; None without --web."""
        if not self.web:
            for name, given in (
                ("--host", self.host),
                ("--port", self.port),
                ("--tls", self.tls),
                ("--ice", self.ice and "URL"),
                ("--proxy", self.proxy and self.proxy[0]),
            ):
                if given is not None:
                    raise InputError(f"{name} {given} was given without --web", todo="add --web")
            return None
        from edgegan.runtime.live.web.access.address import LOOPBACK, Address

        port, proxies = WEB_PORT if self.port is None else self.port, (*LOOPBACK, *(self.proxy or ()))
        return Address(self.host or "127.0.0.1", port, self.tls, self.token or None, proxies)

    @cached_property
    def ice_servers(self) -> tuple[IceServer, ...]:
        """How visitors' own cameras reach the page from other networks."""
        if not self.ice:
            return ()
        from edgegan.runtime.live.web import ice_server

        return tuple(map(ice_server, self.ice))

    @cached_property
    def face_options(self) -> FaceOptions:
        """Which faces, and how; whether they are sought in a thread is for the feed to say."""
        from edgegan.runtime.faces.options import FaceOptions, check_which

        try:
            which = check_which(int(self.faces) if self.faces.isdecimal() else self.faces)
        except InputError:
            raise InputError(f"--faces {self.faces} cannot be read", "all, largest, or a number from 1") from None
        return FaceOptions(
            which=which,
            smooth=self.smooth,
            colour_match=self.colour_match,
            guard=self.guard,
            any_pose=self.any_pose,
        )

    @property
    def size_hw(self) -> tuple[int, int] | None:
        """What to ask of a camera."""
        return _pair(self.size, "--size WIDTHxHEIGHT")

    @property
    def work_hw(self) -> tuple[int, int] | None:
        """The size of whole frames in the network."""
        return _pair(self.work_size, "--work-size HEIGHTxWIDTH")

    @property
    def rebuilding(self) -> Rebuild:
        """Whether an engine may be built again."""
        return choice(self.rebuild)

    @property
    def _reads(self) -> dict[str, str]:
        """What the run reads, as SPECs, and what each is."""
        from edgegan.runtime.places import model_parts

        found = {path: "the certificate" for path in (self.tls or "").split(",") if path not in ("", "auto")}
        if self.model is not None:
            found |= model_parts(self.model)
        return found | ({self.source: "the source"} if self.source else {})

    @property
    def _writes(self) -> list[str]:
        """Where it writes, as SPECs."""
        return [*self.outputs, *([str(self.stats_json)] if self.stats_json else [])]


def _span(text: str | None) -> tuple[float, float]:
    if text is None:
        return 0.0, 1.0
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low <= 0 and high >= 1):
        raise InputError(f"--range {text} cannot be", "LOW,HIGH with 0 and 1 in between, as in --range -0.5,1.5")
    return low, high


def _pair(text: str | None, option: str) -> tuple[int, int] | None:
    """(height, width) out of the text given for "--option WIDTHxHEIGHT", or HEIGHTxWIDTH."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    name, order = option.split()
    if not match or not int(match[1]) or not int(match[2]):
        raise InputError(f"{name} {text} cannot be read", f"{order} in pixels, as in 320x192")
    first, second = int(match[1]), int(match[2])
    return (second, first) if order.startswith("WIDTH") else (first, second)
