// Affine maps as [a, b, tx, c, d, ty]: (x, y) -> (a x + b y + tx, c x + d y + ty), between pixel indices.
// Places in a frame are in pixels where pixel (0, 0) covers the square from (0, 0) to (1, 1): index i lies at i + 0.5.

export const apply = ([a, b, tx, c, d, ty], x, y) => [a * x + b * y + tx, c * x + d * y + ty];

export const determinant = ([a, b, , c, d]) => a * d - b * c;

export function invert(matrix) {
  const [a, b, tx, c, d, ty] = matrix, det = determinant(matrix);
  const [ia, ib, ic, id] = [d / det, -b / det, -c / det, a / det];
  return [ia, ib, -(ia * tx + ib * ty), ic, id, -(ic * tx + id * ty)];
}

// The turn, scale and shift that takes two places in a frame to two places in a crop.
export function similarity([a, b], [c, d]) {
  let [ux, uy] = [b[0] - a[0], b[1] - a[1]];
  if (Math.hypot(ux, uy) <= 1e-3) [ux, uy] = [1e-3, 0];  // eyes in one place would make it infinite
  const [vx, vy] = [d[0] - c[0], d[1] - c[1]], n = ux * ux + uy * uy;
  const re = (vx * ux + vy * uy) / n, im = (vy * ux - vx * uy) / n;
  const shift = [c[0] - (re * a[0] - im * a[1]), c[1] - (im * a[0] + re * a[1])];
  return [re, -im, 0.5 * (re - im) + shift[0] - 0.5, im, re, 0.5 * (im + re) + shift[1] - 0.5];
}

// The part of a frame that a crop covers, its edges included: [x0, y0, x1, y1]; null if it is empty.
export function region(matrix, crop, frame) {
  const back = invert(matrix), xs = [], ys = [];
  for (const x of [-0.5, crop.width - 0.5]) {
    for (const y of [-0.5, crop.height - 0.5]) {
      const [there, down] = apply(back, x, y);
      xs.push(there);
      ys.push(down);
    }
  }
  const x0 = Math.max(Math.floor(Math.min(...xs)) - 2, 0), x1 = Math.min(Math.ceil(Math.max(...xs)) + 3, frame.width);
  const y0 = Math.max(Math.floor(Math.min(...ys)) - 2, 0), y1 = Math.min(Math.ceil(Math.max(...ys)) + 3, frame.height);
  return x1 > x0 && y1 > y0 ? [x0, y0, x1, y1] : null;
}
