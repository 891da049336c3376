"""One thing that `edgegan doctor` looked at."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `todo` is the command or step that mends it; empty where there is nothing to mend.

    A `note` is something that some want and most do without.
    """

    topic: Literal["machine", "gpu", "backend", "extra", "system", "camera", "display", "model"]
    name: str
    status: Literal["ok", "missing", "note"]
    text: str
    todo: str = ""
