// The search for small faces: which parts of a frame are looked at apart, and when.

const LEAST_SIDE = 128;  // pixels of a tile: the detector sees no more of a smaller one
const OVERLAP = 1 / 3;  // of a tile's side that the next one sees again
const EACH = 2;  // tiles of a frame in a video
const MOST_SQUARES = 6;  // of a frame in which the first look found nothing

// Squares of half the frame's shorter side, {x, y, side}; none for small frames.
export function tilesOf({ width, height }) {
  const side = Math.floor(Math.min(width, height) / 2), found = [];
  if (side < LEAST_SIDE) return found;
  for (const y of starts(height, side)) for (const x of starts(width, side)) found.push({ x, y, side });
  return found;
}

// Squares along the longer side that overlap by a third or more, {x, y, width, height}.
export function squaresOf({ width, height }) {
  const side = Math.min(width, height), room = Math.max(width, height) - side;
  const count = Math.min(MOST_SQUARES, 1 + Math.ceil(room / ((side * 2) / 3)));
  return Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * room) / Math.max(1, count - 1));
    return { x: width > height ? start : 0, y: width > height ? 0 : start, width: side, height: side };
  });
}

// Faces that are smaller, in pixels, are only found in tiles.
export const smallSide = ({ width, height }) => Math.max(width, height) / 4;

export const holds = ({ x, y, side }, [left, top, width, height]) =>
  x <= left && y <= top && left + width <= x + side && top + height <= y + side;

// The tiles of each frame of a video: two of each, in turn.
export class Sweep {
  constructor() {
    this.next = 0;
  }

  take(frame) {
    const tiles = tilesOf(frame);
    if (tiles.length <= EACH) return tiles;
    const taken = Array.from({ length: EACH }, (_, i) => tiles[(this.next + i) % tiles.length]);
    this.next = (this.next + EACH) % tiles.length;
    return taken;
  }
}

function starts(length, side) {
  const count = 1 + Math.ceil((length - side) / (side * (1 - OVERLAP)));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - side)) / Math.max(1, count - 1)));
}
