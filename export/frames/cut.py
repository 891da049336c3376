"""The graphs before the network: a frame's pixels averaged, and a crop sampled from them."""

from __future__ import annotations

from .form import Form

# Sampled as cv2 does with BORDER_REPLICATE: opset 16 to 19 call it so, and are what CUDA has a kernel for.
SAMPLE = 'GridSample <mode: string = "bilinear", padding_mode: string = "border", align_corners: int = 0>'


def write_reduce() -> str:
    """A frame, each pixel of the result the mean of `s` x `t` of its own.

    part: (rows, s, columns, t, 3) uint8, which is a picture of (rows * s, columns * t) as it lies in memory.
    small: (rows, columns, 3) uint8.
    """
    return """
    reduce (uint8[rows, s, columns, t, 3] part) => (uint8[rows, columns, 3] small) {
      wide = Cast <to: int = 1> (part)
      mean = ReduceMean <axes: ints = [1, 3], keepdims: int = 0> (wide)
      whole = Round (mean)
      small = Cast <to: int = 2> (whole)
    }"""


def write_cut(form: Form) -> str:
    """A crop, upright, and the same as the network's tensor.

    part: (rows, s, columns, t, 3) uint8 as in `write_reduce`, the part of the frame that the crop shows.
    across, down: (w, 2) and (h, 2) float32; their sums are where in the averaged part each pixel of the crop lies, (x,
        y) from -1 at its first edge to 1 at its last.
    mix: (3, channels) float32, the network's colours by the frame's. gain, low: (1,), from grey levels to its range.
    crop: (h, w, 3) uint8 in the frame's order of colours. picture: the network's input, a batch of one.
    """
    return f"""
    cut (uint8[rows, s, columns, t, 3] part, float[w, 2] across, float[h, 2] down, float[3, channels] mix,
         float[1] gain, float[1] low)
        => (uint8[h, w, 3] crop, {form.type_of("picture")}) {{
      wide = Cast <to: int = 1> (part)
      mean = ReduceMean <axes: ints = [1, 3], keepdims: int = 0> (wide)
      levels = Round (mean)
      first = Constant <value = int64[1] {{0}}> ()
      second = Constant <value = int64[1] {{1}}> ()
      stacked = Unsqueeze (levels, first)
      planes = Transpose <perm: ints = [0, 3, 1, 2]> (stacked)
      columns_ = Unsqueeze (across, first)
      rows_ = Unsqueeze (down, second)
      places = Add (columns_, rows_)
      grid = Unsqueeze (places, first)
      exact = {SAMPLE} (planes, grid)
      rounded = Round (exact)
      upright = Transpose <perm: ints = [0, 2, 3, 1]> (rounded)
      alone = Squeeze (upright, first)
      crop = Cast <to: int = 2> (alone)
      colours = MatMul (upright, mix)
      {form.encode("colours", "picture")}
    }}"""
