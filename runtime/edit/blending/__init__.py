"""Puts what a model changed in a crop back into the frame it was cut from.

The same affine warp serves both ways. Crops hold 64 to 256 pixels where the face in the frame may hold 500, so the
edited crop itself would come back blurred. Only the change comes back: `frame + mask * upscale(edited - crop)`, so
that wherever the model changed nothing the frame keeps its own sharp pixels, exactly. Where the model changed much,
the frame's own fine detail follows the edit as the crop's detail does: strands stay sharp under a new hair colour, and
what an edit takes away (glasses) takes its detail along.
"""

from .colours import MOST_STRETCH, match_colours
from .detail import DETAIL_GOES, DETAIL_STAYS, GAIN_NOISE, GAIN_REACH, MOST_GAIN
from .masks import (
    GUARD_DROPS,
    GUARD_KEEPS,
    GUARD_REACH,
    ROUND,
    face_feather,
    face_reach,
    feather,
    feather_width,
    guard_mask,
)
from .paste import FINER, blend

__all__ = [
    "DETAIL_GOES",
    "DETAIL_STAYS",
    "FINER",
    "GAIN_NOISE",
    "GAIN_REACH",
    "GUARD_DROPS",
    "GUARD_KEEPS",
    "GUARD_REACH",
    "MOST_GAIN",
    "MOST_STRETCH",
    "ROUND",
    "blend",
    "face_feather",
    "face_reach",
    "feather",
    "feather_width",
    "guard_mask",
    "match_colours",
]
