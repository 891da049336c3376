// What the detector suspects: {points, score}, where points are two corners and then the marks of a face.

const OVERLAP = 0.3;  // boxes that overlap more (IoU) are the same face
const WITHIN = 0.5;  // of a small face's area that lies in a known one: it is a part of that

const shared = ([[ax, ay], [bx, by]], [[cx, cy], [dx, dy]]) =>
  Math.max(0, Math.min(bx, dx) - Math.max(ax, cx)) * Math.max(0, Math.min(by, dy) - Math.max(ay, cy));
const area = ([[ax, ay], [bx, by]]) => (bx - ax) * (by - ay);

// Intersection over union of two boxes, each the first two of its points.
export function iou(one, other) {
  const both = shared(one, other);
  return both / Math.max(1e-9, area(one) + area(other) - both);
}

// One entry for each face: the mean of its candidates, weighted by score, which jitters less than the best one.
export function merge(candidates) {
  let rest = [...candidates].sort((a, b) => b.score - a.score);
  const merged = [];
  while (rest.length) {
    const [best] = rest, same = rest.filter((each) => iou(best.points, each.points) > OVERLAP);
    const sum = same.reduce((total, each) => total + each.score, 0);
    const points = best.points.map((_, k) =>
      [0, 1].map((axis) => same.reduce((total, each) => total + (each.score / sum) * each.points[k][axis], 0)));
    merged.push({ points, score: best.score });
    rest = rest.filter((each) => !same.includes(each));
  }
  return merged;
}

// Whether a face reaches an edge of the tile that is none of the frame, so that another tile shows it better.
export function isCut({ points: [[x0, y0], [x1, y1]] }, tile, frame) {
  const right = tile.x + tile.side, bottom = tile.y + tile.side;
  return (tile.x > 0 && x0 < tile.x) || (tile.y > 0 && y0 < tile.y) ||
    (right < frame.width && x1 > right) || (bottom < frame.height && y1 > bottom);
}

// Whether a face lies, mostly, in one that is known.
export function isPart({ points }, known) {
  return known.some(({ box: [x, y, width, height] }) =>
    shared(points, [[x, y], [x + width, y + height]]) > WITHIN * area(points));
}
