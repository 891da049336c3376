// Four floats a pixel at twice the size, by cubic convolution with a = -0.75, edges going on.

const NEAR = cubic(0.25), FAR = cubic(0.75);

export function enlargeSmoothly(data, width, height) {
  const wide = new Float32Array(8 * width * height), fine = new Float32Array(16 * width * height);
  for (let y = 0; y < height; y++) {
    const line = 4 * y * width;
    for (let x = 0; x < 2 * width; x++) {
      const [first, weights] = taps(x), to = 8 * y * width + 4 * x;
      for (let k = 0; k < 4; k++) {
        const from = line + 4 * Math.min(width - 1, Math.max(0, first + k)), weight = weights[k];
        for (let c = 0; c < 4; c++) wide[to + c] += weight * data[from + c];
      }
    }
  }
  const stride = 8 * width;
  for (let y = 0; y < 2 * height; y++) {
    const [first, weights] = taps(y), to = y * stride;
    for (let k = 0; k < 4; k++) {
      const from = stride * Math.min(height - 1, Math.max(0, first + k)), weight = weights[k];
      for (let i = 0; i < stride; i++) fine[to + i] += weight * wide[from + i];
    }
  }
  return { data: fine, width: 2 * width, height: 2 * height };
}

// The first of four pixels that an enlarged one is made of, and their weights: it lies at (i + 0.5) / 2 - 0.5.
function taps(i) {
  const half = i >> 1;
  return i % 2 ? [half - 1, NEAR] : [half - 2, FAR];
}

function cubic(t) {
  const a = -0.75;
  const inner = (x) => ((a + 2) * x - (a + 3)) * x * x + 1, outer = (x) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [outer(1 + t), inner(t), inner(1 - t), outer(2 - t)];
}
