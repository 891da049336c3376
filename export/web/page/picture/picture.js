// Pictures are {data, width, height}: RGBA bytes, row by row, as a canvas has them. Alpha is never looked at.

export const picture = (width, height) => ({ data: new Uint8ClampedArray(4 * width * height), width, height });

export const copy = ({ data, width, height }) => ({ data: new Uint8ClampedArray(data), width, height });

// A part of a picture, as a picture of its own.
export function cut(from, x, y, width, height) {
  const part = picture(width, height);
  for (let row = 0; row < height; row++) {
    const begin = 4 * ((y + row) * from.width + x);
    part.data.set(from.data.subarray(begin, begin + 4 * width), 4 * row * width);
  }
  return part;
}

export function paste(onto, part, x, y) {
  for (let row = 0; row < part.height; row++) {
    onto.data.set(part.data.subarray(4 * row * part.width, 4 * (row + 1) * part.width), 4 * ((y + row) * onto.width + x));
  }
}

// Left and right exchanged.
export function mirror(from) {
  const { width, height } = from, made = picture(width, height);
  const pixels = new Uint32Array(from.data.buffer, from.data.byteOffset, width * height), to = new Uint32Array(made.data.buffer);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) to[y * width + x] = pixels[y * width + width - 1 - x];
  return made;
}

// Turned by 90 degrees counter-clockwise, `times` times; for squares.
export function turn(from, times) {
  let now = from;
  for (let i = 0; i < times; i++) {
    const { width: side } = now, made = picture(side, side);
    const pixels = new Uint32Array(now.data.buffer, now.data.byteOffset, side * side), to = new Uint32Array(made.data.buffer);
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) to[y * side + x] = pixels[x * side + side - 1 - y];
    now = made;
  }
  return now;
}

// Grey levels as floats, by the weights of ITU-R BT.601.
export function grey({ data, width, height }) {
  const levels = new Float32Array(width * height);
  for (let i = 0; i < levels.length; i++) levels[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
  return { data: levels, width, height };
}

// The mean difference of two pictures in levels, over the three colours.
export function difference(one, other) {
  let sum = 0;
  for (let i = 0; i < one.data.length; i += 4) for (let c = 0; c < 3; c++) sum += Math.abs(one.data[i + c] - other.data[i + c]);
  return sum / (0.75 * one.data.length);
}
