// Samples a picture along an affine map, as `edit/align.py` does.

import { determinant, invert, region } from "./matrix.js";
import { cut, picture } from "./picture.js";
import { shrink } from "./resize.js";

// The frame at the crop's pixels; a strong reduction averages first. `border` is "replicate" or "reflect".
export function warp(frame, matrix, width, height, border = "replicate") {
  const factor = Math.floor(1 / Math.max(1e-6, Math.sqrt(Math.abs(determinant(matrix)))));
  const part = factor > 1 ? region(matrix, { width, height }, frame) : null;
  if (!part) return sample(frame, matrix, width, height, border);
  const [x0, y0, x1, y1] = part;
  const columns = Math.max(1, Math.floor((x1 - x0) / factor)), rows = Math.max(1, Math.floor((y1 - y0) / factor));
  const inside = cut(frame, x0, y0, Math.min(x1 - x0, columns * factor), Math.min(y1 - y0, rows * factor));
  const [a, b, tx, c, d, ty] = matrix, centre = (factor - 1) / 2;
  const shift = [a * (x0 + centre) + b * (y0 + centre) + tx, c * (x0 + centre) + d * (y0 + centre) + ty];
  const smaller = [a * factor, b * factor, shift[0], c * factor, d * factor, shift[1]];
  return sample(shrink(inside, columns, rows), smaller, width, height, border);
}

// Bilinear, without averaging.
export function sample(from, matrix, width, height, border = "replicate") {
  const [a, b, tx, c, d, ty] = invert(matrix), made = picture(width, height), { data } = from, to = made.data;
  const inside = border === "reflect" ? reflect : clamp;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const sx = a * x + b * y + tx, sy = c * x + d * y + ty, left = Math.floor(sx), top = Math.floor(sy);
      const fx = sx - left, fy = sy - top;
      const x0 = inside(left, from.width), x1 = inside(left + 1, from.width);
      const y0 = from.width * inside(top, from.height), y1 = from.width * inside(top + 1, from.height);
      const [i, j, k, l] = [4 * (y0 + x0), 4 * (y0 + x1), 4 * (y1 + x0), 4 * (y1 + x1)];
      const [wi, wj, wk, wl] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
      to[at] = wi * data[i] + wj * data[j] + wk * data[k] + wl * data[l];
      to[at + 1] = wi * data[i + 1] + wj * data[j + 1] + wk * data[k + 1] + wl * data[l + 1];
      to[at + 2] = wi * data[i + 2] + wj * data[j + 2] + wk * data[k + 2] + wl * data[l + 2];
      to[at + 3] = 255;
    }
  }
  return made;
}

const clamp = (i, count) => (i < 0 ? 0 : i >= count ? count - 1 : i);

// Mirrored at the middle of the outermost pixel, which does not come twice.
function reflect(i, count) {
  if (count === 1) return 0;
  const round = 2 * (count - 1), place = ((i % round) + round) % round;
  return place < count ? place : round - place;
}
