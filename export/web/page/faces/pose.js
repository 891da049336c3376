// Whether a face stands so that it can be edited, as `faces/landmarks.py` says, and why not.

export const USUAL = { roll: 45, yaw: 0.45, below: 0.15, upright: -0.07 };
// For a face that is edited already: at the limit an edit would come and go.
export const WIDER = { roll: 55, yaw: 0.6, below: 0.08, upright: -0.12 };

const LYING = "lies on its side or upside down", TURNED = "is turned to the side", JUMBLED = "is too small or too unclear";

// Why the face is turned too far, or no face at all; null if it looks at the camera, more or less.
export function refusePose({ left_eye: left, right_eye: right, points, upright }, limits = USUAL) {
  const across = [right[0] - left[0], right[1] - left[1]], distance = Math.hypot(...across);
  if (distance < 1) return JUMBLED;
  if (Math.abs((Math.atan2(across[1], across[0]) * 180) / Math.PI) > limits.roll) return LYING;
  if (upright !== null && upright < limits.upright) return LYING;
  if (points.length < 2) return null;
  const along = across.map((value) => value / distance), down = [-along[1], along[0]];
  const middle = [0, 1].map((axis) => (left[axis] + right[axis]) / 2);
  const dot = (a, b) => (a[0] * b[0] + a[1] * b[1]) / distance;
  const [nose, mouth] = points.map((place) => [place[0] - middle[0], place[1] - middle[1]]);
  if (Math.abs(dot(nose, along)) > limits.yaw) return TURNED;
  const further = dot([mouth[0] - nose[0], mouth[1] - nose[1]], down);
  return Math.min(dot(nose, down), further) < limits.below ? JUMBLED : null;
}
