"""The graph after the network: what it changed in a crop, back into the frame."""

from __future__ import annotations

from edgegan.runtime.edit import blending

from .colours import MATCH
from .cut import SAMPLE
from .form import Form


def write_paste(form: Form, *, matched: bool) -> str:
    """A part of the frame with the change; see `runtime/edit/blending.py`, whose steps it takes one by one.

    part: (H, W, 3) uint8 of the frame. across, down: (W, 2) and (H, 2); their sums are where each of its pixels lies
        in the crop, as in `write_cut`.
    crop: (h, w, 3) uint8, as it was cut. picture: what the network made of it; mix: (channels, 3), gain, low: (1,), to
        the frame's colours and grey levels.
    out_across, out_down: (w,) and (h,), how far out each pixel is, to the fourth power; softness: (1,), over what the
        mask falls. strength: (1,). guard: (1,), 1 drops slight changes, 0 keeps them.
    edge_across, edge_down: (2 w,) and (2 h,), 0 where nothing may come back, else 1.
    *_rows: (n, h), *_columns: (w, n): what averages or enlarges rows from the left, and columns from the right.
    luma: (3, 1), a frame's colours to its brightness. With `matched` to_xyz, from_xyz: (3, 3), of its linear colours.
    blended: (H, W, 3) uint8. total: see `Form.decode`.
    """
    smooth = blending.DETAIL_GOES - blending.DETAIL_STAYS
    colours = ", float[3, 3] to_xyz, float[3, 3] from_xyz" if matched else ""
    return f"""
    paste (uint8[H, W, 3] part, float[W, 2] across, float[H, 2] down, uint8[h, w, 3] crop, {form.type_of("picture")},
           float[channels, 3] mix, float[1] gain, float[1] low, float[w] out_across, float[h] out_down,
           float[1] softness, float[1] strength, float[1] guard, float[w2] edge_across, float[h2] edge_down,
           float[h, h] soft_rows, float[w, w] soft_columns, float[h, h] mean_rows, float[w, w] mean_columns,
           float[h, h] guard_rows, float[w, w] guard_columns, float[h2, h] fine_rows, float[w, w2] fine_columns,
           float[3, 1] luma{colours})
        => (uint8[H, W, 3] blended, float[1, 1, 1, 1] total) {{
      zero = Constant <value = float {{0}}> ()
      one = Constant <value = float {{1}}> ()
      two = Constant <value = float {{2}}> ()
      three = Constant <value = float {{3}}> ()
      first = Constant <value = int64[1] {{0}}> ()
      second = Constant <value = int64[1] {{1}}> ()
      {form.decode("picture", "seen")}
      after_last = MatMul (seen, mix)
      whole_crop = Cast <to: int = 1> (crop)
      before_last = Unsqueeze (whole_crop, first)
      before = Transpose <perm: ints = [0, 3, 1, 2]> (before_last)
      after_raw = Transpose <perm: ints = [0, 3, 1, 2]> (after_last)

      out_left = Unsqueeze (out_across, first)
      out_top = Unsqueeze (out_down, second)
      out = Add (out_left, out_top)
      out_square = Sqrt (out)
      distance = Sqrt (out_square)
      within = Sub (one, distance)
      within_share = Div (within, softness)
      {_smoothstep("within_share", "mask")}
      {MATCH if matched else "after = Identity (after_raw)"}

      difference = Sub (after, before)
      apart = Abs (difference)
      change = ReduceMax <axes: ints = [1], keepdims: int = 1> (apart)
      {_filter("change", "guard", "around")}
      guard_least = Constant <value = float {{{blending.GUARD_DROPS}}}> ()
      guard_range = Constant <value = float {{{blending.GUARD_KEEPS - blending.GUARD_DROPS}}}> ()
      around_more = Sub (around, guard_least)
      around_share = Div (around_more, guard_range)
      {_smoothstep("around_share", "meant")}
      slight = Sub (one, meant)
      dropped = Mul (slight, guard)
      remains = Sub (one, dropped)
      guarded = Mul (mask, remains)
      share = Mul (guarded, strength)

      wider = MaxPool <kernel_shape: ints = [3, 3], pads: ints = [1, 1, 1, 1]> (change)
      {_filter("wider", "soft", "softer")}
      detail_least = Constant <value = float {{{blending.DETAIL_STAYS}}}> ()
      detail_range = Constant <value = float {{{smooth}}}> ()
      softer_more = Sub (softer, detail_least)
      softer_share = Div (softer_more, detail_range)
      {_smoothstep("softer_share", "replaced")}
      guide_exact = MatMul (before_last, luma)
      guide_last = Round (guide_exact)
      guide = Transpose <perm: ints = [0, 3, 1, 2]> (guide_last)
      after_again = Transpose <perm: ints = [0, 2, 3, 1]> (after)
      result_exact = MatMul (after_again, luma)
      result_last = Round (result_exact)
      result = Transpose <perm: ints = [0, 3, 1, 2]> (result_last)
      {_filter("guide", "mean", "guide_mean")}
      {_filter("result", "mean", "result_mean")}
      together = Mul (guide, result)
      {_filter("together", "mean", "together_mean")}
      means = Mul (guide_mean, result_mean)
      covariance = Sub (together_mean, means)
      squared = Mul (guide, guide)
      {_filter("squared", "mean", "squared_mean")}
      mean_squared = Mul (guide_mean, guide_mean)
      variance = Sub (squared_mean, mean_squared)
      spread = Max (variance, zero)
      noise = Constant <value = float {{{blending.GAIN_NOISE**2}}}> ()
      spread_most = Add (spread, noise)
      slope = Div (covariance, spread_most)
      most_gain = Constant <value = float {{{blending.MOST_GAIN}}}> ()
      contrast = Clip (slope, zero, most_gain)
      loss = Sub (one, contrast)
      lost = Mul (replaced, loss)
      gone = Mul (lost, share)

      shown = Mul (difference, share)
      instead = Mul (before, gone)
      add = Add (shown, instead)
      stays = Sub (one, gone)
      field = Concat <axis: int = 1> (add, stays)
      {_filter("field", "fine", "enlarged")}
      edge_left = Unsqueeze (edge_across, first)
      edge_top = Unsqueeze (edge_down, second)
      edge = Mul (edge_left, edge_top)
      nothing = Constant <value = float[1, 4, 1, 1] {{0, 0, 0, 1}}> ()
      beyond = Sub (enlarged, nothing)
      beyond_cut = Mul (beyond, edge)
      fine = Add (beyond_cut, nothing)

      columns = Unsqueeze (across, first)
      rows = Unsqueeze (down, second)
      places = Add (columns, rows)
      grid = Unsqueeze (places, first)
      up = {SAMPLE} (fine, grid)
      sizes = Constant <value = int64[2] {{3, 1}}> ()
      up_add, up_stays = Split <axis: int = 1> (up, sizes)
      whole_part = Cast <to: int = 1> (part)
      part_last = Unsqueeze (whole_part, first)
      frame = Transpose <perm: ints = [0, 3, 1, 2]> (part_last)
      kept = Mul (frame, up_stays)
      summed = Add (kept, up_add)
      levels = Round (summed)
      bounded = Clip (levels, black, white)
      bounded_last = Transpose <perm: ints = [0, 2, 3, 1]> (bounded)
      alone = Squeeze (bounded_last, first)
      blended = Cast <to: int = 2> (alone)
    }}"""


def _smoothstep(x: str, name: str) -> str:
    lines = (
        f"{name}_bounded = Clip ({x}, zero, one)",
        f"{name}_twice = Mul ({name}_bounded, two)",
        f"{name}_rest = Sub (three, {name}_twice)",
        f"{name}_square = Mul ({name}_bounded, {name}_bounded)",
        f"{name} = Mul ({name}_square, {name}_rest)",
    )
    return "\n      ".join(lines)


def _filter(x: str, by: str, name: str) -> str:
    return f"{name}_by_rows = MatMul ({by}_rows, {x})\n      {name} = MatMul ({name}_by_rows, {by}_columns)"
