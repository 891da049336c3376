// Finds faces and their eyes with BlazeFace (short range), as `faces/finder.py` does.
// A face is {box: [x, y, width, height], score, left_eye, right_eye, points, upright}, in pixels of the frame.

import { cut, mirror, paste, picture, turn } from "../picture/picture.js";
import { resize } from "../picture/resize.js";
import { sample } from "../picture/warp.js";
import { isCut, isPart, merge } from "./candidates.js";
import { squaresOf, tilesOf } from "./tiles.js";

const SIDE = 128;  // what the network was made for, in pixels
const GRIDS = [[16, 2], [8, 6]];  // cells along each side, anchors in each cell: 896
const MARKS = 8;  // two corners, two eyes, nose tip, mouth, two ears
const THRESHOLD = 0.6;
const UNSURE = 0.9;  // below this score a head may be upside down
const AROUND = 1.6;  // the side of what a second look sees, in sizes of the face
const CLEAR = 0.75;  // the lowest score of a small face
const FAINT = 0.5;  // the score at which what the second look sees is no face as it stands

export class FaceFinder {
  // `run(inputs)` runs the detector on {image: {data, dims}}.
  constructor(run) {
    this.run = run;
    this.anchors = anchors();
    this.values = new Float32Array(3 * SIDE * SIDE);
  }

  // The faces of the whole frame, best first, then the small ones; `tiles` are searched for those, null for all.
  async find(frame, tiles = null) {
    let found = await this.search(frame, { x: 0, y: 0, width: frame.width, height: frame.height });
    if (!found.length && Math.max(frame.width, frame.height) > 1.2 * Math.min(frame.width, frame.height)) {
      for (const square of squaresOf(frame)) found = found.concat(await this.search(frame, square));
    }
    const faces = merge(found).map(faceOf);
    faces.push(...(await this.findSmall(frame, tiles ?? tilesOf(frame), faces)));
    for (const face of faces) if (face.score < UNSURE) face.upright = await this.lookAgain(frame, face);
    return faces;
  }

  // The faces that lie whole in a tile and are none of those known.
  async findSmall(frame, tiles, known) {
    const kept = [];
    for (const tile of tiles) {
      const part = { x: tile.x, y: tile.y, width: tile.side, height: tile.side };
      for (const each of merge(await this.search(frame, part, true))) {
        if (each.score >= CLEAR && !isCut(each, tile, frame) && !isPart(each, known)) kept.push(each);
      }
    }
    return merge(kept).map(faceOf);
  }

  // How a face scores as it stands, less the best that it scores turned.
  async lookAgain(frame, { box: [x, y, width, height] }) {
    const scale = SIDE / (AROUND * Math.max(width, height, 1));
    const matrix = [scale, 0, SIDE / 2 - scale * (x + width / 2), 0, scale, SIDE / 2 - scale * (y + height / 2)];
    const square = sample(frame, matrix, SIDE, SIDE), best = [];
    for (let times = 0; times < 4; times++) best.push(Math.max(...(await this.forward(turn(square, times))).scores));
    return best[0] >= FAINT ? best[0] - Math.max(...best.slice(1)) : -1;
  }

  // Candidates in a part of the frame; with `onlyIfClear` none, after half of the work, where none is a clear one.
  async search(frame, { x, y, width, height }, onlyIfClear = false) {
    const scale = SIDE / Math.max(width, height);
    const wide = Math.max(1, Math.round(width * scale)), tall = Math.max(1, Math.round(height * scale));
    const left = Math.floor((SIDE - wide) / 2), top = Math.floor((SIDE - tall) / 2);
    const part = x || y || width < frame.width || height < frame.height ? cut(frame, x, y, width, height) : frame;
    const square = picture(SIDE, SIDE);
    paste(square, resize(part, wide, tall), left, top);
    let found = await this.candidates(square);
    if (onlyIfClear && !found.some(({ score }) => score >= CLEAR)) return [];
    // The network tilts the eye line of some faces; it tilts their mirror image the other way.
    found = found.concat((await this.candidates(mirror(square))).map(mirrored));
    return found.map(({ points, score }) => ({
      points: points.map(([px, py]) => [((px - left) * width) / wide + x, ((py - top) * height) / tall + y]),
      score,
    }));
  }

  // Candidates above the threshold, in pixels of the network.
  async candidates(square) {
    const { places, scores } = await this.forward(square), found = [];
    for (let i = 0; i < scores.length; i++) {
      if (scores[i] < THRESHOLD) continue;
      const [ax, ay] = this.anchors[i], at = 2 * MARKS * i, points = [];
      for (let k = 0; k < MARKS; k++) points.push([places[at + 2 * k] + ax, places[at + 2 * k + 1] + ay]);
      const half = [places[at + 2] / 2, places[at + 3] / 2], [cx, cy] = points[0];  // the second is a size, not a place
      points[0] = [cx - half[0], cy - half[1]];
      points[1] = [cx + half[0], cy + half[1]];
      if (half[0] > 0 && half[1] > 0 && points.flat().every(Number.isFinite)) found.push({ points, score: scores[i] });
    }
    return found;
  }

  // What the network makes of a square: places about each anchor, and scores.
  async forward({ data }) {
    const { values } = this, plane = SIDE * SIDE;
    for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) values[c * plane + i] = data[4 * i + c] / 127.5 - 1;
    const { places, scores } = await this.run({ image: { data: values, dims: [1, 3, SIDE, SIDE] } });
    return { places: places.data, scores: Float32Array.from(scores.data, (logit) => 1 / (1 + Math.exp(-logit))) };
  }
}

// The centre of each anchor, in pixels of the network.
function anchors() {
  const rows = [];
  for (const [cells, each] of GRIDS) {
    for (let y = 0; y < cells; y++) {
      for (let x = 0; x < cells; x++) {
        for (let k = 0; k < each; k++) rows.push([((x + 0.5) * SIDE) / cells, ((y + 0.5) * SIDE) / cells]);
      }
    }
  }
  return rows;
}

// A candidate of the mirrored picture, as it lies in the true one: left and right change names.
function mirrored({ points, score }) {
  const flipped = points.map(([x, y]) => [SIDE - x, y]);
  const corners = [[flipped[1][0], flipped[0][1]], [flipped[0][0], flipped[1][1]]];
  return { points: [...corners, flipped[3], flipped[2], flipped[4], flipped[5], flipped[7], flipped[6]], score };
}

function faceOf({ points: [[x0, y0], [x1, y1], left, right, ...points], score }) {
  return { box: [x0, y0, x1 - x0, y1 - y0], score, left_eye: left, right_eye: right, points, upright: null };
}

