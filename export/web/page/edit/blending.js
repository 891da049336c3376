// Puts what a model changed in a crop back into the frame it was cut from, as `edit/blending.py` does.
// Only the change comes back: where the model changed nothing the frame keeps its own sharp pixels, exactly.

import { apply, region } from "../picture/matrix.js";
import { goneDetail, smoothstep } from "./detail.js";
import { enlargeSmoothly } from "./enlarging.js";

const FINER = 2;  // a change is first enlarged this much smoothly
const ROUND = 4;  // the exponent of a face's mask; its root is two square roots

// Adds to `frame`, in place, what changed from the crop `before` to the crop `after`.
// `mask` is the share of the change that comes back, for each pixel of the crop; null for crops of the whole frame.
export function blend(frame, before, after, matrix, mask) {
  const part = region(matrix, before, frame);
  if (!part) return;
  const fine = enlargeSmoothly(changeOf(before, after, mask), before.width, before.height);
  if (mask) clearRim(fine);
  const busy = whereBusy(fine, !mask), { data, width, height } = fine, pixels = frame.data;
  const there = matrix.map((value, i) => value * FINER + (i % 3 === 2 ? (FINER - 1) / 2 : 0));
  const [x0, y0, x1, y1] = part, add = [0, 0, 0, 1];
  for (let y = y0; y < y1; y++) {
    for (let x = x0, to = 4 * (y * frame.width + x0); x < x1; x++, to += 4) {
      let sx = there[0] * x + there[1] * y + there[2], sy = there[3] * x + there[4] * y + there[5];
      if (!mask) {  // the change of a whole frame goes on beyond the crop's edges
        sx = Math.min(Math.max(sx, 0), width - 1);
        sy = Math.min(Math.max(sy, 0), height - 1);
      }
      const left = Math.floor(sx), top = Math.floor(sy);
      if (left < 0 || top < 0 || left >= width || top >= height || !busy[top * width + left]) continue;
      const fx = sx - left, fy = sy - top, i = 4 * (top * width + left);
      const j = left + 1 < width ? i + 4 : i, down = top + 1 < height ? 4 * width : 0;
      for (let c = 0; c < 4; c++) {
        const above = data[i + c] + fx * (data[j + c] - data[i + c]);
        const below = data[i + down + c] + fx * (data[j + down + c] - data[i + down + c]);
        add[c] = above + fy * (below - above);
      }
      pixels[to] = add[3] * pixels[to] + add[0];
      pixels[to + 1] = add[3] * pixels[to + 1] + add[1];
      pixels[to + 2] = add[3] * pixels[to + 2] + add[2];
    }
  }
}

// A mask with round corners about the middle of the face's landmarks; it fades to 0 over `margin` of each side.
export function faceFeather({ width, height }, margin, face, matrix) {
  const places = [face.left_eye, face.right_eye, ...face.points];
  const mean = [0, 1].map((axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length - 0.5);
  const middle = apply(matrix, ...mean).map((value) => value + 0.5);
  const out = (count, at) => {  // how far out each pixel is: 0 in the middle, 1 at the edge on its side
    const centre = Math.min(Math.max(at, 0.3 * count), 0.7 * count);
    return Float64Array.from({ length: count }, (_, i) => {
      const offset = i + 0.5 - centre;
      return (Math.abs(offset) / (offset < 0 ? centre : count - centre)) ** ROUND;
    });
  };
  const across = out(width, middle[0]), down = out(height, middle[1]), mask = new Float32Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      mask[i] = smoothstep((1 - Math.sqrt(Math.sqrt(down[y] + across[x]))) / Math.max(2 * margin, 1e-6));
    }
  }
  return mask;
}

// For each pixel of the crop what to add to the frame, and what to multiply the frame by.
function changeOf(before, after, mask) {
  const count = before.width * before.height, change = new Float32Array(4 * count), gone = goneDetail(before, after);
  for (let i = 0; i < count; i++) {
    const share = mask ? mask[i] : 1, leaves = gone[i] * share;
    for (let c = 4 * i; c < 4 * i + 3; c++) change[c] = (after.data[c] - before.data[c]) * share + before.data[c] * leaves;
    change[4 * i + 3] = 1 - leaves;
  }
  return change;
}

// Nothing may leak out between the last pixels.
function clearRim({ data, width, height }) {
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 4) if (!x || !y || x === width - 1 || y === height - 1) data.set([0, 0, 0, 1], i);
  }
}

// Where a pixel, or its neighbour to the right or below, changes anything: the rest of the frame is passed over.
function whereBusy({ data, width, height }, all) {
  const busy = new Uint8Array(width * height).fill(all ? 1 : 0);
  if (all) return busy;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (data[4 * i] || data[4 * i + 1] || data[4 * i + 2] || data[4 * i + 3] !== 1) {
        busy[i] = 1;
        if (x) busy[i - 1] = 1;
        if (y) busy[i - width] = 1;
        if (x && y) busy[i - width - 1] = 1;
      }
    }
  }
  return busy;
}
