// Cuts an upright crop out of a frame, of a face or of all of it, as `edit/align.py` does.

import { similarity } from "../picture/matrix.js";
import { warp } from "../picture/warp.js";

// The face, turned and scaled so that its eyes lie where the card wants them. -> {crop, matrix}
export function cropFace(frame, face, card) {
  const [height, width] = card.size.hw;
  const to = [card.alignment.left_eye, card.alignment.right_eye].map(([x, y]) => [x * width, y * height]);
  const matrix = similarity([face.left_eye, face.right_eye], to);
  return { crop: warp(frame, matrix, width, height), matrix };
}

// The (height, width) at which a whole frame goes through the network.
export function workSize(frame, { kind, hw, multiple: n, min_hw, max_hw }) {
  if (kind === "fixed") return hw;
  const scale = Math.sqrt((hw[0] * hw[1]) / (frame.height * frame.width));
  return [frame.height, frame.width].map((side, i) => {
    const least = Math.ceil((min_hw?.[i] ?? 1) / n), most = Math.floor((max_hw?.[i] ?? 65536) / n);
    return Math.max(n, n * Math.min(Math.max(Math.round((side * scale) / n), least), most));
  });
}

// The whole frame, its sides shrunk alike, what is left over mirrored. -> {crop, matrix}
export function cropWhole(frame, [height, width]) {
  const scale = Math.min(height / frame.height, width / frame.width);
  const corner = [(width - scale * frame.width) / 2, (height - scale * frame.height) / 2];
  const half = 0.5 * scale - 0.5;  // index i lies at i + 0.5
  const matrix = [scale, 0, corner[0] + half, 0, scale, corner[1] + half];
  return { crop: warp(frame, matrix, width, height, "reflect"), matrix };
}
