"""Colour transfer as a part of a graph: `blending.match_colours`, in CIE Lab."""

from __future__ import annotations

from edgegan.runtime.edit import blending

# Of sRGB (IEC 61966-2-1), and of CIE 1976 L*a*b* as OpenCV computes them.
_KNEE, _TOE = 0.04045, 0.0031308
_CUBE, _SLOPE, _SHIFT = 0.008856, 7.787, 16 / 116
_LAB = (0, 500, 0, 116, -500, 200, 0, 0, -200)  # (x, y, z) -> (L + 16, a, b), by columns
_BACK = (1 / 116, 1 / 116, 1 / 116, 1 / 500, 0, 0, 0, 0, -1 / 200)  # (L + 16, a, b) -> (x, y, z)


def _constants() -> str:
    scalars = {
        "knee": _KNEE, "toe": _TOE, "toe_slope": 12.92, "offset": 0.055, "divisor": 1.055, "power": 2.4,
        "unpower": 1 / 2.4, "cube": _CUBE, "cube_root": 1 / 3, "cube_slope": _SLOPE, "cube_shift": _SHIFT,
        "cube_knee": _SLOPE * _CUBE + _SHIFT, "inside": 0.95, "goes": blending.DETAIL_GOES, "fewest": 0.02,
        "least_spread": 1e-3, "least_stretch": 1 / blending.MOST_STRETCH, "most_stretch": blending.MOST_STRETCH,
    }  # fmt: skip
    lines = [f"{name} = Constant <value = float {{{value}}}> ()" for name, value in scalars.items()]
    for name, values in (("lab_of", _LAB), ("lab_back", _BACK)):
        lines.append(f"{name} = Constant <value = float[3, 3] {{{', '.join(str(v) for v in values)}}}> ()")
    lines.append("lifted = Constant <value = float[3] {16, 0, 0}> ()")
    return "\n      ".join(lines)


def _to_lab(levels: str, name: str) -> str:
    """(1, h, w, 3) grey levels of a frame's colours to L, a and b."""
    return f"""
      {name}_unit = Div ({levels}, white)
      {name}_high_base = Add ({name}_unit, offset)
      {name}_high_unit = Div ({name}_high_base, divisor)
      {name}_high = Pow ({name}_high_unit, power)
      {name}_low = Div ({name}_unit, toe_slope)
      {name}_is_high = Greater ({name}_unit, knee)
      {name}_linear = Where ({name}_is_high, {name}_high, {name}_low)
      {name}_xyz = MatMul ({name}_linear, to_xyz)
      {name}_root = Pow ({name}_xyz, cube_root)
      {name}_line_part = Mul ({name}_xyz, cube_slope)
      {name}_line = Add ({name}_line_part, cube_shift)
      {name}_is_root = Greater ({name}_xyz, cube)
      {name}_f = Where ({name}_is_root, {name}_root, {name}_line)
      {name}_lab = MatMul ({name}_f, lab_of)
      {name} = Sub ({name}_lab, lifted)"""


def _measure(lab: str, name: str) -> str:
    """Mean and deviation of L, a and b over the rim; both (1, 1, 1, 3)."""
    return f"""
      {name}_of_rim = Mul ({lab}, rim)
      {name}_sum = ReduceMean <axes: ints = [1, 2], keepdims: int = 1> ({name}_of_rim)
      {name}_mean = Div ({name}_sum, rim_safe)
      {name}_off = Sub ({lab}, {name}_mean)
      {name}_off_square = Mul ({name}_off, {name}_off)
      {name}_off_rim = Mul ({name}_off_square, rim)
      {name}_off_sum = ReduceMean <axes: ints = [1, 2], keepdims: int = 1> ({name}_off_rim)
      {name}_variance = Div ({name}_off_sum, rim_safe)
      {name}_deviation = Sqrt ({name}_variance)"""


# Of `after_raw` it makes `after`, by `before_last`, `after_last`, `mask`, `to_xyz` and `from_xyz`.
MATCH = f"""{_constants()}
      raw_difference = Sub (after_last, before_last)
      raw_apart = Abs (raw_difference)
      raw_change = ReduceMax <axes: ints = [3], keepdims: int = 1> (raw_apart)
      third = Constant <value = int64[2] {{0, 3}}> ()
      mask_last = Unsqueeze (mask, third)
      is_rim = Less (mask_last, inside)
      is_like = Less (raw_change, goes)
      is_both = And (is_rim, is_like)
      rim = Cast <to: int = 1> (is_both)
      rim_share = ReduceMean <axes: ints = [1, 2], keepdims: int = 1> (rim)
      rim_safe = Max (rim_share, least_spread)
      {_to_lab("before_last", "lab_before")}
      {_to_lab("after_last", "lab_after")}
      {_measure("lab_before", "there")}
      {_measure("lab_after", "here")}
      here_spread = Max (here_deviation, least_spread)
      stretch_free = Div (there_deviation, here_spread)
      stretch = Clip (stretch_free, least_stretch, most_stretch)
      stretched = Mul (here_off, stretch)
      matched_lab = Add (stretched, there_mean)
      matched_lifted = Add (matched_lab, lifted)
      matched_f = MatMul (matched_lifted, lab_back)
      matched_cube_square = Mul (matched_f, matched_f)
      matched_cube = Mul (matched_cube_square, matched_f)
      matched_line_part = Sub (matched_f, cube_shift)
      matched_line = Div (matched_line_part, cube_slope)
      matched_is_cube = Greater (matched_f, cube_knee)
      matched_xyz = Where (matched_is_cube, matched_cube, matched_line)
      matched_free = MatMul (matched_xyz, from_xyz)
      matched_linear = Clip (matched_free, zero, one)
      matched_high_power = Pow (matched_linear, unpower)
      matched_high_scaled = Mul (matched_high_power, divisor)
      matched_high = Sub (matched_high_scaled, offset)
      matched_low = Mul (matched_linear, toe_slope)
      matched_is_high = Greater (matched_linear, toe)
      matched_unit = Where (matched_is_high, matched_high, matched_low)
      matched_exact = Mul (matched_unit, white)
      matched_levels = Round (matched_exact)
      is_little = Less (rim_share, fewest)
      after_chosen = Where (is_little, after_last, matched_levels)
      after = Transpose <perm: ints = [0, 3, 1, 2]> (after_chosen)"""
