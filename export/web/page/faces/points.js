// A point followed from one grey picture to the next: Lucas and Kanade's method on a pyramid (Bouguet, 2001).

const LEVELS = 4, HALF = 7;  // a window of 15x15 pixels
const TURNS = 30, NEAR = 0.01;  // a point stands still when a turn moves it less
const FLAT = 0.1;  // the least eigenvalue, in squared levels for each pixel of the window, of what can be followed

export function pyramidOf(picture) {
  const levels = [picture];
  while (levels.length < LEVELS && Math.min(levels.at(-1).width, levels.at(-1).height) > 2 * HALF + 1) levels.push(reduce(levels.at(-1)));
  return levels;
}

// Where the point lies in the second picture; null where it cannot be followed. Pixel indices.
export function trackPoint(before, after, [x, y]) {
  let dx = 0, dy = 0;
  const size = 2 * HALF + 1, patch = new Float32Array(size * size), gx = new Float32Array(size * size), gy = new Float32Array(size * size);
  for (let level = before.length - 1; level >= 0; level--) {
    const one = before[level], other = after[level], scale = 2 ** -level, px = x * scale, py = y * scale;
    const { across, down } = slopesOf(one);
    let xx = 0, xy = 0, yy = 0;
    for (let j = -HALF, i = 0; j <= HALF; j++) {
      for (let k = -HALF; k <= HALF; k++, i++) {
        patch[i] = at(one.data, one, px + k, py + j);
        gx[i] = at(across, one, px + k, py + j);
        gy[i] = at(down, one, px + k, py + j);
        xx += gx[i] * gx[i];
        xy += gx[i] * gy[i];
        yy += gy[i] * gy[i];
      }
    }
    const det = xx * yy - xy * xy, least = (xx + yy - Math.hypot(xx - yy, 2 * xy)) / 2;
    dx *= 2;
    dy *= 2;
    if (least / (size * size) < FLAT || det < 1e-9) {
      if (level === 0) return null;
      continue;
    }
    for (let turn = 0; turn < TURNS; turn++) {
      let ex = 0, ey = 0;
      for (let j = -HALF, i = 0; j <= HALF; j++) {
        for (let k = -HALF; k <= HALF; k++, i++) {
          const error = patch[i] - at(other.data, other, px + dx + k, py + dy + j);
          ex += error * gx[i];
          ey += error * gy[i];
        }
      }
      const mx = (yy * ex - xy * ey) / det, my = (xx * ey - xy * ex) / det;
      dx += mx;
      dy += my;
      if (Math.hypot(mx, my) < NEAR) break;
    }
  }
  const there = [x + dx, y + dy], { width, height } = after[0];
  return there[0] >= 0 && there[1] >= 0 && there[0] < width && there[1] < height ? there : null;
}

// Scharr's derivatives in levels a pixel, which care little about the direction; kept with the level.
function slopesOf(level) {
  if (level.slopes) return level.slopes;
  const { data, width, height } = level, across = new Float32Array(data.length), down = new Float32Array(data.length);
  for (let y = 0, i = 0; y < height; y++) {
    const above = y ? -width : 0, below = y < height - 1 ? width : 0;
    for (let x = 0; x < width; x++, i++) {
      const left = x ? i - 1 : i, right = x < width - 1 ? i + 1 : i;
      const [a, b, c, d] = [data[left + above], data[right + above], data[left + below], data[right + below]];
      across[i] = (3 * (b - a) + 10 * (data[right] - data[left]) + 3 * (d - c)) / 32;
      down[i] = (3 * (c - a) + 10 * (data[i + below] - data[i + above]) + 3 * (d - b)) / 32;
    }
  }
  return (level.slopes = { across, down });
}

// Bilinear, edges going on.
function at(data, { width, height }, x, y) {
  const sx = x < 0 ? 0 : x > width - 1 ? width - 1 : x, sy = y < 0 ? 0 : y > height - 1 ? height - 1 : y;
  const left = Math.floor(sx), top = Math.floor(sy), fx = sx - left, fy = sy - top, i = top * width + left;
  const right = left + 1 < width ? i + 1 : i, down = top + 1 < height ? width : 0;
  const above = data[i] + fx * (data[right] - data[i]), below = data[i + down] + fx * (data[right + down] - data[i + down]);
  return above + fy * (below - above);
}

// Half of the size, after a Gaussian of five pixels.
function reduce({ data, width, height }) {
  const wide = (width + 1) >> 1, tall = (height + 1) >> 1, weights = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16];
  const inside = (i, count) => (i < 0 ? Math.min(-i, count - 1) : i >= count ? Math.max(0, 2 * count - 2 - i) : i);
  const rows = new Float32Array(wide * height), made = new Float32Array(wide * tall);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < wide; x++) {
      for (let k = 0; k < 5; k++) rows[y * wide + x] += weights[k] * data[y * width + inside(2 * x + k - 2, width)];
    }
  }
  for (let y = 0; y < tall; y++) {
    for (let k = 0; k < 5; k++) {
      const line = wide * inside(2 * y + k - 2, height);
      for (let x = 0; x < wide; x++) made[y * wide + x] += weights[k] * rows[line + x];
    }
  }
  return { data: made, width: wide, height: tall };
}
