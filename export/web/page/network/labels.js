// What a face already is: labels from the model's classifier, steady over a video, as `edit/labels.py`.

import { difference } from "../picture/picture.js";
import { resize } from "../picture/resize.js";
import { decide } from "./condition.js";
import { dimensions, toTensor } from "./tensors.js";

const NEW_SHARE = 0.25;  // of a fresh estimate in the smoothed label
// A new face is estimated in its first 8 frames, then in every 25th while nothing changes, and else in every fifth.
const SETTLE = 8, EVERY = 25, SOON = 5;
const SKETCH = 16;  // pixels along each side of the picture by which a person is known again
const SOMEONE_ELSE = 25;  // mean change of levels between two crops of different people

export const memory = () => ({ label: {}, frames: 0, due: 0, sketch: null });

export class Labels {
  // Without a classifier (`card` and `run` null) every label is the condition's default.
  constructor(condition, card, run) {
    Object.assign(this, { condition, card, run });
  }

  // How likely each attribute is, from 0 to 1.
  async estimate(crop) {
    const { names } = this.condition;
    if (!this.card) return Object.fromEntries(names.map((name, i) => [name, this.condition.default[i]]));
    const [height, width] = this.card.size.hw, [input] = this.card.inputs, [output] = this.card.outputs;
    const fitting = crop.width === width && crop.height === height ? crop : resize(crop, width, height);
    const given = { [input.name]: { data: toTensor(fitting, input), dims: dimensions(input, fitting) } };
    const { data } = (await this.run(given))[output.name], [low, high] = output.value_range ?? [null, null];
    const logits = low !== 0 || high !== 1;  // the card would say so of probabilities
    const found = this.card.condition.names.map((name, i) => [name, logits ? 1 / (1 + Math.exp(-data[i])) : data[i]]);
    return Object.fromEntries(found.filter(([name]) => names.includes(name)));
  }

  async current(crop) {
    return decide(this.condition, await this.estimate(crop));
  }

  // Smoothed over the frames in which the face was seen; another person has labels of their own.
  async follow(known, crop) {
    const sketch = resize(crop, SKETCH, SKETCH);
    if (known.sketch && difference(sketch, known.sketch) > SOMEONE_ELSE) Object.assign(known, memory());
    if (known.frames >= known.due) {
      const fresh = await this.estimate(crop), share = Math.max(NEW_SHARE, 1 / (known.frames + 1));
      for (const [name, value] of Object.entries(fresh)) {
        known.label[name] = value + (1 - share) * ((known.label[name] ?? value) - value);
      }
      const [one, other] = [decide(this.condition, fresh), decide(this.condition, known.label)];
      const settled = this.condition.names.every((name) => one[name] === other[name]);
      known.due = known.frames + (known.frames < SETTLE ? 1 : settled ? EVERY : SOON);
    }
    Object.assign(known, { frames: known.frames + 1, sketch });
    return decide(this.condition, known.label);
  }
}
