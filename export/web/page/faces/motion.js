// The turn, scale and shift on which most of the points agree.

// `near` is how far a point may lie from where the motion puts it, to agree. -> {motion, agree}, or null
export function fitMotion(from, to, near) {
  let best = [];
  for (let i = 0; i < from.length; i++) {
    for (let j = i + 1; j < from.length; j++) {  // few points: every pair may have its say
      const motion = through([from[i], from[j]], [to[i], to[j]]);
      if (!motion) continue;
      const agree = from.flatMap((place, k) => (far(motion, place, to[k]) < near ? [k] : []));
      if (agree.length > best.length) best = agree;
    }
  }
  const motion = best.length > 1 ? through(best.map((k) => from[k]), best.map((k) => to[k])) : null;
  return motion && { motion, agree: best.length };
}

export const move = ([a, b, tx, c, d, ty], [x, y]) => [a * x + b * y + tx, c * x + d * y + ty];

function far(motion, from, to) {
  const [x, y] = move(motion, from);
  return Math.hypot(x - to[0], y - to[1]);
}

// With the least sum of squares, in closed form.
function through(from, to) {
  const mean = (places, axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length;
  const [fx, fy, tx, ty] = [mean(from, 0), mean(from, 1), mean(to, 0), mean(to, 1)];
  let re = 0, im = 0, norm = 0;
  from.forEach(([x, y], k) => {
    const [ux, uy, vx, vy] = [x - fx, y - fy, to[k][0] - tx, to[k][1] - ty];
    re += ux * vx + uy * vy;
    im += ux * vy - uy * vx;
    norm += ux * ux + uy * uy;
  });
  if (norm < 1e-9) return null;
  re /= norm;
  im /= norm;
  return [re, -im, tx - (re * fx - im * fy), im, re, ty - (im * fx + re * fy)];
}
