// Pictures at other sizes.

import { picture } from "./picture.js";

// Every pixel is the mean of what it covers, also in part; for sizes that are not larger than the picture's.
export function shrink(from, width, height) {
  if (width === from.width && height === from.height) return { ...from, data: new Uint8ClampedArray(from.data) };
  const columns = spans(from.width, width), rows = spans(from.height, height), made = picture(width, height);
  const row = new Float32Array(3 * width), sum = new Float32Array(3 * width), area = (from.width / width) * (from.height / height);
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    for (let k = rows.first[y]; k < rows.first[y + 1] + rows.shared[y]; k++) {
      across(from, k, columns, width, row);
      const share = shareOf(rows, y, k);
      for (let i = 0; i < sum.length; i++) sum[i] += share * row[i];
    }
    for (let x = 0, to = 4 * y * width; x < width; x++, to += 4) {
      for (let c = 0; c < 3; c++) made.data[to + c] = sum[3 * x + c] / area;  // rounds to nearest
      made.data[to + 3] = 255;
    }
  }
  return made;
}

// Bilinear, for sizes that are not smaller than the picture's.
export function enlarge(from, width, height) {
  const made = picture(width, height), { data } = from;
  const at = (i, count, before) => Math.min(before - 1, Math.max(0, ((i + 0.5) * before) / count - 0.5));
  for (let y = 0; y < height; y++) {
    const sy = at(y, height, from.height), y0 = Math.floor(sy), y1 = Math.min(y0 + 1, from.height - 1), fy = sy - y0;
    for (let x = 0; x < width; x++) {
      const sx = at(x, width, from.width), x0 = Math.floor(sx), x1 = Math.min(x0 + 1, from.width - 1), fx = sx - x0;
      const to = 4 * (y * width + x);
      for (let c = 0; c < 4; c++) {
        const up = data[4 * (y0 * from.width + x0) + c] * (1 - fx) + data[4 * (y0 * from.width + x1) + c] * fx;
        const down = data[4 * (y1 * from.width + x0) + c] * (1 - fx) + data[4 * (y1 * from.width + x1) + c] * fx;
        made.data[to + c] = up * (1 - fy) + down * fy;
      }
    }
  }
  return made;
}

export const resize = (from, width, height) =>
  (width <= from.width && height <= from.height ? shrink : enlarge)(from, width, height);

// How often a side can be halved until it would be shorter than `least`.
export function countHalvings(side, least) {
  let times = 0;
  while (side >> (times + 1) >= Math.max(1, least)) times++;
  return times;
}

// The sides halved so many times; rows and columns that do not fill a pixel are left out.
export function halve(from, times) {
  const factor = 1 << times, width = Math.floor(from.width / factor), height = Math.floor(from.height / factor);
  if (!times || !width || !height) return from;
  const made = picture(width, height), { data } = from, area = factor * factor, stride = 4 * from.width;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 4) {
      let red = 0, green = 0, blue = 0;
      for (let j = 0, line = stride * y * factor + 4 * x * factor; j < factor; j++, line += stride) {
        for (let i = line; i < line + 4 * factor; i += 4) {
          red += data[i];
          green += data[i + 1];
          blue += data[i + 2];
        }
      }
      made.data[to] = red / area;
      made.data[to + 1] = green / area;
      made.data[to + 2] = blue / area;
      made.data[to + 3] = 255;
    }
  }
  return made;
}

// Which of `before` pixels each of `now` covers: whole ones from `first`, and how much of the first and the last.
function spans(before, now) {
  const scale = before / now, first = new Int32Array(now + 1), ends = new Float64Array(now + 1), shared = new Uint8Array(now);
  for (let i = 0; i <= now; i++) {
    ends[i] = Math.min(before, i * scale);
    first[i] = Math.floor(ends[i] + 1e-6);
    if (ends[i] - first[i] < 1e-6) ends[i] = first[i];
  }
  for (let i = 0; i < now; i++) shared[i] = ends[i + 1] > first[i + 1] ? 1 : 0;
  return { first, ends, shared };
}

const shareOf = ({ ends }, i, k) => Math.min(k + 1, ends[i + 1]) - Math.max(k, ends[i]);

// One row of a picture, its columns summed.
function across(from, y, columns, width, row) {
  const { data } = from, line = 4 * y * from.width;
  for (let x = 0; x < width; x++) {
    let red = 0, green = 0, blue = 0;
    const last = columns.first[x + 1] + columns.shared[x];
    for (let k = columns.first[x], i = line + 4 * k; k < last; k++, i += 4) {
      const share = k === columns.first[x] || k === last - 1 ? shareOf(columns, x, k) : 1;
      red += share * data[i];
      green += share * data[i + 1];
      blue += share * data[i + 2];
    }
    row[3 * x] = red;
    row[3 * x + 1] = green;
    row[3 * x + 2] = blue;
  }
}
