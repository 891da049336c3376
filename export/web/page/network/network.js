// The model's part of an edit: a crop and its label in, the edited crop out.

import { vectorsOf } from "./condition.js";
import { dimensions, imageSpec, toPicture, toTensor } from "./tensors.js";

export class Network {
  // `run(inputs)` takes and gives {name: {data, dims}}.
  constructor(card, run) {
    Object.assign(this, { card, run });
    this.image = imageSpec(card.inputs);
    this.label = card.inputs.find((spec) => spec !== this.image);
    this.output = imageSpec(card.outputs);
  }

  // The crop with the changes, through the model as often as `vectorsOf` says.
  async edit(crop, label, changes) {
    let now = crop;
    for (const vector of vectorsOf(this.card.condition, label, changes)) {
      const inputs = { [this.image.name]: { data: toTensor(now, this.image), dims: dimensions(this.image, now) } };
      if (this.label) inputs[this.label.name] = { data: Float32Array.from(vector), dims: [1, vector.length] };
      const { data } = (await this.run(inputs))[this.output.name];
      if (!Number.isFinite(data.reduce((sum, value) => sum + value, 0))) {
        throw new Error("The model gave values that are not numbers. Another browser, or ?backend=wasm, may help.");
      }
      now = toPicture(data, this.output, crop.width, crop.height);
    }
    return now;
  }
}
