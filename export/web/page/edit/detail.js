// How far the frame's own detail goes with an edit: it follows the edit as the crop's detail does (`_measure_detail` of
// `edit/blending.py`), so that strands stay sharp under a new hair colour, and go with what is taken away.

import { grey } from "../picture/picture.js";

const STAYS = 12, GOES = 48;  // grey levels of a change that leaves the frame's detail alone, or scales it by the gain
const REACH = 1 / 32;  // of the crop's shorter side: the radius of the window in which a gain is measured
const NOISE = 2;  // grey levels: where the crop itself varies by less, nothing says that detail is kept
const MOST = 1.25;

export const smoothstep = (x) => {
  const t = x < 0 ? 0 : x > 1 ? 1 : x;
  return t * t * (3 - 2 * t);
};

// For each pixel of the crop the share of the frame's detail that goes; below 0 where it is raised.
export function goneDetail(before, after) {
  const { width, height } = before, gone = changed(before, after);
  const [guide, result] = [before, after].map((crop) => Float64Array.from(grey(crop).data, Math.round));  // whole levels, as OpenCV has
  const times = (a, b) => a.map((value, i) => value * b[i]);
  const average = (values) => boxed(values, width, height, Math.max(1, Math.round(REACH * Math.min(width, height))));
  const mean = average(guide), other = average(result), both = average(times(guide, result)), square = average(times(guide, guide));
  for (let i = 0; i < gone.length; i++) {
    const variance = Math.max(square[i] - mean[i] * mean[i], 0);
    const gain = (both[i] - mean[i] * other[i]) / (variance + NOISE * NOISE);
    gone[i] *= 1 - Math.min(Math.max(gain, 0), MOST);
  }
  return gone;
}

// From 0 to 1, by the largest change of a colour; one pixel more on each side, where an outline's detail lies.
function changed(before, after) {
  const { width, height } = before, largest = new Float32Array(width * height);
  for (let i = 0, at = 0; i < largest.length; i++, at += 4) {
    for (let c = at; c < at + 3; c++) largest[i] = Math.max(largest[i], Math.abs(after.data[c] - before.data[c]));
  }
  const soft = around(around(largest, width, height, (one, middle, other) => Math.max(one, middle, other)), width, height,
    (one, middle, other) => 0.25 * one + 0.5 * middle + 0.25 * other);
  for (let i = 0; i < soft.length; i++) soft[i] = smoothstep((soft[i] - STAYS) / (GOES - STAYS));
  return soft;
}

// The mean of a square window, which is mirrored at the edges.
function boxed(values, width, height, radius) {
  const rows = new Float64Array(values.length), made = new Float64Array(values.length), count = 2 * radius + 1;
  const inside = (at, length) => (length === 1 ? 0 : at < 0 ? -at : at >= length ? 2 * (length - 1) - at : at);
  const slide = (from, to, length, step, start) => {
    let sum = 0;
    for (let k = -radius; k <= radius; k++) sum += from[start + step * inside(k, length)];
    for (let k = 0; k < length; k++) {
      to[start + step * k] = sum / count;
      sum += from[start + step * inside(k + radius + 1, length)] - from[start + step * inside(k - radius, length)];
    }
  };
  for (let y = 0; y < height; y++) slide(values, rows, width, 1, y * width);
  for (let x = 0; x < width; x++) slide(rows, made, height, width, x);
  return made;
}

// A window of three pixels, along the rows and then along the columns, which is mirrored at the edges.
function around(values, width, height, work) {
  const rows = new Float32Array(values.length), made = new Float32Array(values.length);
  const [right, down] = [width > 1 ? 1 : 0, height > 1 ? width : 0];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) rows[i] = work(values[x ? i - 1 : i + right], values[i], values[x < width - 1 ? i + 1 : i - right]);
  }
  for (let y = 0, i = 0; y < height; y++) {
    const up = y ? -width : down, low = y < height - 1 ? width : -down;
    for (let x = 0; x < width; x++, i++) made[i] = work(rows[i + up], rows[i], rows[i + low]);
  }
  return made;
}
