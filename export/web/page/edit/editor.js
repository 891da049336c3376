// A frame's way through an edit: faces, crops, labels, network, and what changed back into the frame.

import { FaceFinder } from "../faces/finder.js";
import { refusePose } from "../faces/pose.js";
import { Sweep, smallSide } from "../faces/tiles.js";
import { Tracker } from "../faces/tracking.js";
import { Labels, memory } from "../network/labels.js";
import { Network } from "../network/network.js";
import { countHalvings, halve } from "../picture/resize.js";
import { cropFace, cropWhole, workSize } from "./align.js";
import { blend, faceFeather } from "./blending.js";

const LEAST_SIDE = 160;  // pixels of what is searched in a video
const SEARCH_SHARE = 0.3;  // of the time that goes into frames

export class Editor {
  // `card` and `classifier` are model cards, the second null where there is none; `run` runs models by their role.
  constructor(card, classifier, run) {
    Object.assign(this, { card, network: new Network(card, run.model) });
    this.labels = new Labels(card.condition, classifier, classifier && run.classifier);
    this.finder = card.faces ? new FaceFinder(run.faces) : null;
    this.reset();
  }

  // Forgets the faces seen so far: another video begins.
  reset() {
    Object.assign(this, { tracker: new Tracker(), sweep: new Sweep(), memories: new WeakMap(), searchDue: -Infinity, kept: null });
  }

  // Edits the frame in place. `seconds` is when it was taken; null for a picture that stands alone, in which what was
  // found is kept for the next edit of the picture of the same `key`.
  // -> {faces: how many were edited, refusals: why others were not}
  async edit(frame, changes, seconds = null, key = null) {
    if (key === null || this.kept?.key !== key) this.kept = { key, found: await this.extract(frame, seconds) };
    const { patches, refusals } = this.kept.found;
    const asked = !this.card.condition.names.length || Object.keys(changes).length > 0;
    const edited = [];
    if (asked) for (const patch of patches) edited.push(await this.network.edit(patch.crop, patch.label, changes));
    edited.forEach((after, i) => this.paste(frame, patches[i], after));
    return { faces: patches.length, refusals };
  }

  async extract(frame, seconds) {
    if (!this.finder) {
      const cut = cropWhole(frame, workSize(frame, this.card.size));
      return { patches: [{ ...cut, face: null, label: await this.labels.current(cut.crop) }], refusals: [] };
    }
    const { tracks, refusals } = seconds === null ? await this.look(frame) : await this.follow(frame, seconds), patches = [];
    for (const track of tracks) {
      const cut = cropFace(frame, track.face, this.card);
      if (!this.memories.has(track)) this.memories.set(track, memory());
      patches.push({ ...cut, ...track, label: await this.labels.follow(this.memories.get(track), cut.crop) });
    }
    return { patches, refusals };
  }

  // The faces of a picture that stands alone.
  async look(frame) {
    const seen = (await this.finder.find(frame)).map((face) => ({ face, strength: 1, refusal: refusePose(face) }));
    return { tracks: seen.filter(({ refusal }) => !refusal), refusals: seen.flatMap(({ refusal }) => refusal ?? []) };
  }

  // The faces of a frame of a video: searched on a smaller copy when it is time, and carried along between.
  async follow(frame, seconds) {
    const times = countHalvings(Math.min(frame.width, frame.height), LEAST_SIDE), small = halve(frame, times), factor = 1 << times;
    let sighting = null;
    if (this.tracker.blank || seconds >= this.searchDue) {
      const began = performance.now(), tiles = this.sweep.take(small);
      const faces = (await this.finder.find(small, tiles)).map((face) => enlarge(face, factor));
      const there = tiles.map(({ x, y, side }) => ({ x: factor * x, y: factor * y, side: factor * side }));
      sighting = { faces, tiles: there, small: factor * smallSide(small) };
      this.searchDue = seconds + (performance.now() - began) / 1000 / SEARCH_SHARE;
    }
    return { tracks: this.tracker.follow(small, frame, seconds, sighting), refusals: this.tracker.refusals };
  }

  paste(frame, { crop, matrix, face, strength }, after) {
    if (!face) return blend(frame, crop, after, matrix, null);
    const mask = faceFeather(crop, this.card.alignment.margin, face, matrix);
    return blend(frame, crop, after, matrix, mask.map((share) => share * strength));
  }
}

// A face of a reduced frame, as it lies in the frame itself.
function enlarge(face, factor) {
  const there = ([x, y]) => [x * factor, y * factor], { left_eye, right_eye } = face;
  return {
    ...face, box: face.box.map((value) => value * factor), left_eye: there(left_eye), right_eye: there(right_eye),
    points: face.points.map(there),
  };
}
