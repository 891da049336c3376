// How fast it goes, where it runs, and what was found.

import { $, element } from "./dom.js";

const SPAN = 30;  // frames over which rates are taken
let times = [], ms = [];

export function clearFigures() {
  times = [];
  ms = [];
}

export function showFrame({ faces, refusals, ms: took }, still, { faces: looksForFaces }) {
  times = [...times, performance.now()].slice(-SPAN);
  ms = [...ms, took].slice(-SPAN);
  const middle = [...ms].sort((a, b) => a - b)[ms.length >> 1], rate = (1000 * (times.length - 1)) / (times.at(-1) - times[0]);
  const pairs = [];
  if (!still && times.length > 5) pairs.push(["frames a second", rate.toFixed(1)]);
  pairs.push(["an edit takes", `${Math.round(middle)} ms`]);
  if (looksForFaces) pairs.push(["faces", refusals.length ? `${faces} edited, ${refusals.length} left alone: one ${refusals[0]}` : faces || "none found"]);
  $("figures").replaceChildren(...pairs.map(([name, value]) => {
    const pair = element("div");
    pair.append(element("dt", name), element("dd", value));
    return pair;
  }));
  $("figures").dataset.rate = still ? "" : rate.toFixed(2);
  $("figures").dataset.ms = middle.toFixed(1);
}

export function showRuntime({ backend, threads, psnr, notes }) {
  const where = backend === "webgpu" ? "graphics card (WebGPU)" : `processor (WebAssembly, ${threads} thread${threads > 1 ? "s" : ""})`;
  $("runtime").textContent = `Runs on this device's ${where}; checked against the trained model: ${psnr.toFixed(0)} dB.`;
  $("runtime").title = notes.join("\n");
}
