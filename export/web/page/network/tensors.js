// Pictures to tensors and back, as `model/image.py`; every constant comes from the card's tensor.

import { picture } from "../picture/picture.js";

// Where each colour of a picture lies in a tensor of `count` pixels: [offset of the first, step], red, green, blue.
function lanes({ colour, layout }, count) {
  const order = colour === "BGR" ? [2, 1, 0] : colour === "GRAY" ? [0, 0, 0] : [0, 1, 2], channels = colour === "GRAY" ? 1 : 3;
  return order.map((channel) => (layout === "NCHW" ? [channel * count, 1] : [channel, channels]));
}

// float32, batch of one, in the layout, colour order and range of `spec`.
export function toTensor({ data, width, height }, spec) {
  const count = width * height, [low, high] = spec.value_range, scale = (high - low) / 255;
  if (spec.colour === "GRAY") {
    const grey = new Float32Array(count);
    for (let i = 0; i < count; i++) grey[i] = (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) * scale + low;
    return grey;
  }
  const values = new Float32Array(3 * count);
  lanes(spec, count).forEach(([offset, step], channel) => {
    for (let i = 0; i < count; i++) values[offset + step * i] = data[4 * i + channel] * scale + low;
  });
  return values;
}

export function toPicture(values, spec, width, height) {
  const made = picture(width, height), count = width * height, [low, high] = spec.value_range, scale = 255 / (high - low);
  lanes(spec, count).forEach(([offset, step], channel) => {
    for (let i = 0; i < count; i++) made.data[4 * i + channel] = (values[offset + step * i] - low) * scale;
  });
  for (let i = 3; i < made.data.length; i += 4) made.data[i] = 255;
  return made;
}

export const imageSpec = (specs) => specs.find(({ layout }) => layout !== "NC");

export const dimensions = ({ layout, colour }, { width, height }) => {
  const channels = colour === "GRAY" ? 1 : 3;
  return layout === "NCHW" ? [1, channels, height, width] : [1, height, width, channels];
};
