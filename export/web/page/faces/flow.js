// How the picture moves from frame to frame: sparse optical flow on a reduced grey copy, as `faces/flow.py` has it.
// Faces are carried by flow and only corrected by detection, which jitters.

import { difference, grey } from "../picture/picture.js";
import { shrink } from "../picture/resize.js";
import { fitMotion } from "./motion.js";
import { pyramidOf, trackPoint } from "./points.js";

const SHORT_SIDE = 180;  // of the reduced copy, in pixels
const GRID = 5;  // points along each side of a box that are followed
const SKETCH = [32, 18];  // in which two scenes differ, while a pan does not
const CUT = 30;  // mean change of its levels from one scene to another
const FEWEST = 6;  // points that have to agree on a motion
const STRONGEST_ZOOM = 1.3;  // of one face from frame to frame; more is a mistake

export class Flow {
  constructor() {
    this.before = this.now = null;
  }

  // Takes the next frame, already reduced, and the frame's own size; false if it shows another scene than the last.
  see(reduced, frame) {
    const scale = Math.min(1, SHORT_SIDE / Math.min(reduced.width, reduced.height));
    const small = shrink(reduced, Math.max(1, Math.round(reduced.width * scale)), Math.max(1, Math.round(reduced.height * scale)));
    this.before = this.now;
    this.now = {
      levels: pyramidOf(grey(small)),
      sketch: shrink(small, Math.min(SKETCH[0], small.width), Math.min(SKETCH[1], small.height)),
      ratio: [small.width / frame.width, small.height / frame.height],
      width: small.width,
      height: small.height,
    };
    if (!this.before || this.before.width !== small.width || this.before.height !== small.height) {
      this.before = null;
      return false;
    }
    return difference(this.before.sketch, this.now.sketch) < CUT;
  }

  // How a box, its upper left and lower right place, moved since the last frame; null where the pictures do not show it.
  motion([[x0, y0], [x1, y1]]) {
    if (!this.before) return null;
    const { ratio, width, height } = this.now, from = [], to = [];
    let inside = 0;
    for (let j = 0; j < GRID; j++) {
      for (let i = 0; i < GRID; i++) {
        const place = [x0 + ((i + 0.5) / GRID) * (x1 - x0), y0 + ((j + 0.5) / GRID) * (y1 - y0)];
        const point = place.map((value, axis) => value * ratio[axis] - 0.5);
        if (point[0] < 0 || point[1] < 0 || point[0] >= width || point[1] >= height) continue;
        inside += 1;
        const found = trackPoint(this.before.levels, this.now.levels, point);
        if (!found) continue;
        from.push(place);
        to.push(found.map((value, axis) => (value + 0.5) / ratio[axis]));
      }
    }
    if (to.length < FEWEST) return null;
    const fit = fitMotion(from, to, 1 / Math.min(...ratio));
    if (!fit || fit.agree < Math.max(FEWEST, 0.5 * inside)) return null;
    const zoom = Math.hypot(fit.motion[0], fit.motion[3]);
    return zoom > 1 / STRONGEST_ZOOM && zoom < STRONGEST_ZOOM ? fit.motion : null;
  }
}
