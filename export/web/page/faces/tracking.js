// Faces over time: who is who, where each one is now, how strongly its edit shows; as `faces/tracking.py` does.

import { iou } from "./candidates.js";
import { Flow } from "./flow.js";
import { move } from "./motion.js";
import { refusePose, USUAL, WIDER } from "./pose.js";
import { OneEuro } from "./smoothing.js";
import { holds } from "./tiles.js";

const HOLD_S = 0.2, FADE_S = 0.3, APPEAR_S = 0.2;
const FORGET_S = 1;  // a face that comes back later is somebody new
const SAME_FACE = 0.3;  // IoU of a face's boxes
const MIN_CUTOFF_HZ = 0.25, BETA = 0.5;  // of corrections; beta adds Hz for each face size a second

// The places of a face: the corners of its box, the eyes, then the other points.
const placesOf = ({ box: [x, y, width, height], left_eye, right_eye, points }) =>
  [[x, y], [x + width, y + height], left_eye, right_eye, ...points];

const faceAt = ([[x0, y0], [x1, y1], left, right, ...points], { score }) =>
  ({ box: [x0, y0, x1 - x0, y1 - y0], score, left_eye: left, right_eye: right, points, upright: null });

class Track {
  constructor(face, sudden, now) {
    const refusal = refusePose(face);
    Object.assign(this, { face, sudden, refusal, seenAt: now, places: placesOf(face) });
    Object.assign(this, { strength: 0, sightings: 1, accepted: !refusal, contraryAt: Infinity, lostAt: Infinity });
    this.smoother = new OneEuro(MIN_CUTOFF_HZ, BETA);
    this.smoother.next(this.places.flat(), 1);
  }

  put(places) {
    this.places = places;
    this.face = faceAt(places, this.face);
  }
}

// Follows the faces of one video.
export class Tracker {
  constructor() {
    Object.assign(this, { flow: new Flow(), tracks: [], now: null, fresh: true, refusals: [] });
  }

  // The faces to paint in this frame. `reduced` is a smaller copy of it; `sighting` what a search of it found, as
  // {faces, tiles, small}, or null between searches.
  follow(reduced, frame, now, sighting) {
    const passed = this.now === null ? 0 : now - this.now;
    this.now = now;
    this.carry(reduced, frame);
    if (sighting) this.correct(sighting);
    this.tracks = this.tracks.filter((track) => now - track.lostAt <= FORGET_S);
    const here = this.tracks.filter((track) => now - track.lostAt <= HOLD_S);
    this.refusals = here.flatMap((track) => track.refusal ?? []);
    for (const track of this.tracks) {
      const chosen = here.includes(track) && track.accepted && !track.refusal;
      if (track.sudden) [track.strength, track.sudden] = [Number(chosen), false];
      else if (!chosen) track.strength = Math.max(0, track.strength - passed / FADE_S);
      else if (track.sightings > 1) track.strength = Math.min(1, track.strength + passed / APPEAR_S);
    }
    return this.tracks.filter((track) => track.strength > 0);
  }

  // Whether a search is due at once: nothing is known of this scene yet.
  get blank() {
    return this.fresh;
  }

  // Moves every face as the picture around it moved.
  carry(reduced, frame) {
    if (!this.flow.see(reduced, frame)) [this.tracks, this.fresh] = [[], true];  // a cut
    for (const track of this.tracks) {
      const motion = this.flow.motion(track.places);
      if (!motion) continue;
      track.put(track.places.map((place) => move(motion, place)));
      track.smoother.value = track.places.flat();
    }
  }

  // Gives each detection to the face it overlaps most, the closest pairs first; what is left is new.
  correct({ faces, tiles, small }) {
    const found = new Set(faces), free = new Set(this.tracks);
    const pairs = this.tracks.flatMap((track) => faces.map((face) => ({ track, face, overlap: iou(track.places, placesOf(face)) })));
    for (const { track, face, overlap } of pairs.sort((a, b) => b.overlap - a.overlap)) {
      if (overlap < SAME_FACE || !found.has(face) || !free.has(track)) continue;
      found.delete(face);
      free.delete(track);
      this.judge(track, face);
      this.see(track, placesOf(face));
    }
    for (const track of free) {
      const { box } = track.face, lookedAt = Math.max(box[2], box[3]) >= small || tiles.some((tile) => holds(tile, box));
      if (lookedAt) track.lostAt = Math.min(track.lostAt, this.now);
    }
    for (const face of found) this.tracks.push(new Track(face, this.fresh, this.now));
    this.fresh = false;
  }

  see(track, places) {
    const [[x0, y0], [x1, y1]] = track.places, size = Math.sqrt(Math.max(1, (x1 - x0) * (y1 - y0)));
    const flat = track.smoother.next(places.flat(), Math.max(1e-3, this.now - track.seenAt), size);
    track.put(places.map((_, i) => [flat[2 * i], flat[2 * i + 1]]));
    Object.assign(track, { sightings: track.sightings + 1, seenAt: this.now, lostAt: Infinity });
  }

  // Leaves a face alone from now on, or no more, when what it was seen as has lasted.
  judge(track, face) {
    const painted = !track.refusal, refusal = refusePose(face, painted ? WIDER : USUAL);
    if (painted === !refusal) return Object.assign(track, { refusal, contraryAt: Infinity });
    track.contraryAt = Math.min(track.contraryAt, this.now);
    if (this.now - track.contraryAt < HOLD_S) return track;
    return Object.assign(track, { refusal, contraryAt: Infinity, accepted: track.accepted || !refusal });
  }
}
