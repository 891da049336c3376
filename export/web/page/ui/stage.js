// The picture: edited, as it came, or both with a line between them.

import { $, chosen } from "./dom.js";
import { drawMark } from "./mark.js";

const canvas = $("picture"), ink = canvas.getContext("2d", { alpha: false });
let last = null, split = 0.5, mark = "";

export const nameMark = (words) => { mark = words; };
export const mirrored = () => $("mirror").checked;
export const shown = () => last;

// Shows a frame before and after; both are kept until the next one comes.
export function show(before, edited) {
  if (last && last.edited !== edited) {
    last.before.close();
    last.edited.close();
  }
  last = { before, edited };
  canvas.dataset.frames = 1 + Number(canvas.dataset.frames || 0);
  refresh();
}

export function clear() {
  last?.before.close();
  last?.edited.close();
  last = null;
}

// Draws what is looked at, with the mark on what is edited; also into the canvas of a snapshot.
export function compose(sheet, pen) {
  const { before, edited } = last, { width, height } = edited, view = chosen("view");
  if (sheet.width !== width || sheet.height !== height) Object.assign(sheet, { width, height });
  pen.save();
  if (mirrored()) pen.setTransform(-1, 0, 0, 1, width, 0);
  pen.drawImage(view === "before" ? before : edited, 0, 0);
  pen.restore();
  if (view !== "before") drawMark(pen, mark, width, height);
  if (view !== "both") return;
  const cut = Math.round(split * width);
  pen.save();
  pen.beginPath();
  pen.rect(0, 0, cut, height);
  pen.clip();
  if (mirrored()) pen.setTransform(-1, 0, 0, 1, width, 0);
  pen.drawImage(before, 0, 0);
  pen.restore();
}

function refresh() {
  const both = chosen("view") === "both";
  for (const id of ["line", "divider", "left", "right"]) $(id).hidden = !both || !last;
  if (!last) return;
  compose(canvas, ink);
  $("stage").style.setProperty("--ratio", canvas.width / canvas.height);
}

function divide(share) {
  split = Math.min(1, Math.max(0, share));
  $("divider").value = 100 * split;
  $("line").style.left = `${100 * split}%`;
  refresh();
}

export function listenToStage() {
  $("views").onchange = $("mirror").onchange = refresh;
  $("divider").oninput = () => divide($("divider").value / 100);
  const drag = (event) => {
    const box = canvas.getBoundingClientRect();
    if ($("line").hasPointerCapture(event.pointerId)) divide((event.clientX - box.left) / box.width);
  };
  $("line").onpointerdown = (event) => {
    $("line").setPointerCapture(event.pointerId);
    $("divider").focus({ focusVisible: false });
    event.preventDefault();
  };
  $("line").onpointermove = drag;
  $("full").hidden = !document.fullscreenEnabled;  // as on an iPhone
  $("full").onclick = () => (document.fullscreenElement ? document.exitFullscreen() : $("frame").requestFullscreen());
  divide(split);
}
