"""How the picture is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from ...faces.options import Which

View = Literal["after", "both", "split", "before"]
VIEWS: tuple[View, ...] = get_args(View)


@dataclass(frozen=True)
class Look:
    """How the picture is shown. Never changed in place, so that whoever draws sees one state.

    `split` is where the divider of the split view stands, from 0 (left) to 1. `click` is the place last clicked
    in the frame, (x, y) from 0 to 1, None for none yet. `faces` says which faces are edited while no place is
    clicked: "all", "largest" or how many of the largest; None means as the run began.
    """

    view: View = "after"
    split: float = 0.5
    mirror: bool = False
    frozen: bool = False
    recording: bool = False
    full_screen: bool = False
    help: bool = False
    sliders: bool = False
    click: tuple[float, float] | None = None
    faces: Literal["all", "largest"] | int | None = None

    def which(self, first: Which, hw: tuple[int, int]) -> Which:
        """The faces to edit in a frame of `hw` pixels, as `Editor.choose` takes them; `first` as the run began."""
        if self.click is not None:
            return self.click[0] * hw[1], self.click[1] * hw[0]
        return first if self.faces is None else self.faces

    def who(self) -> str:
        """The same in words."""
        if self.click is not None:
            return "the face you clicked; a reset undoes it"
        if self.faces is None:
            return "faces as at first"
        return f"faces: the {self.faces} largest" if isinstance(self.faces, int) else f"faces: {self.faces}"
