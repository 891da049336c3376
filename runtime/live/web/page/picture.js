// The picture: what comes is drawn, divided in the split view, and asks on a click which face is meant.

import { hello, link, notify, say } from "./connection.js";
import { $, chosen, visible } from "./dom.js";

const canvas = $("picture"), ink = canvas.getContext("2d", { alpha: false });
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HOW = matchMedia("(pointer: coarse)").matches ? "Tap" : "Click";

let last = null, view = null, split = 0.5, aim = [0.5, 0.5];

// One message of the WebSocket: the length of a JSON text, the text, a JPEG. -> what the text says
export async function receive(data) {
  const length = new DataView(data).getUint32(0);
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }));
  await visible();  // whoever does not look asks for no more
  if (about.camera === chosen("camera")) paint(bitmap, bitmap.width, bitmap.height, about.view);
  else bitmap.close();
  if (about.camera === "device") say({ type: "shown" });
  if (about.held_s) link("wait", [`camera away for ${about.held_s.toFixed(0)} s`, about.held_why].filter(Boolean).join(": "));
  else if ($("link").dataset.state !== "good") link("good", "live");
  return about;
}

// An ImageBitmap, which is kept until the next one comes, or a video.
export function paint(picture, wide, height, how) {
  if (last?.picture !== picture) last?.picture.close?.();
  last = { picture, wide, height };
  const width = how === "both" ? wide / 2 : wide;
  if (canvas.width !== width || canvas.height !== height) {
    Object.assign(canvas, { width, height });
    $("sheet").style.setProperty("--ratio", width / height);
  }
  if (view !== how) {
    view = how;
    for (const id of ["divider", "line", "left", "right"]) $(id).hidden = view !== "both";
    divide(split);
  }
  draw();
  canvas.dataset.frames = 1 + Number(canvas.dataset.frames || 0);
  if (!$("notice").hidden) notify("");
}

function draw() {
  const { picture, height } = last, { width } = canvas;
  if (view === "both") {  // the original lies on the left, the edited one on the right
    const cut = Math.round(split * width);
    if (cut > 0) ink.drawImage(picture, 0, 0, cut, height, 0, 0, cut, height);
    if (cut < width) ink.drawImage(picture, width + cut, 0, width - cut, height, cut, 0, width - cut, height);
  } else {
    ink.drawImage(picture, 0, 0, width, height);
  }
}

function divide(share) {
  split = Math.min(1, Math.max(0, share));
  $("divider").value = 100 * split;
  $("line").style.left = `${100 * split}%`;
}

function moveDivider(share) {
  divide(share);
  if (last) draw();  // a stream that stands still shows it too
}

// Where in the picture, (x, y) from 0 to 1.
function place({ clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  return [(clientX - box.left) / box.width, (clientY - box.top) / box.height].map((each) => Math.min(1, Math.max(0, each)));
}

function aimAt(at) {
  aim = at;
  $("aim").style.left = `${100 * at[0]}%`;
  $("aim").style.top = `${100 * at[1]}%`;
}

function choose(at) {
  if (!hello.faces) return;
  aimAt(at);
  $("aim").classList.remove("chosen");
  void $("aim").offsetWidth;  // so that the ring shows again
  $("aim").classList.add("chosen");
  say({ type: "click", at });
}

// Which faces are edited, in words; `click` is the place last chosen, or null.
export function showWho(click) {
  $("who").hidden = $("aim").hidden = !hello.faces;
  $("sheet").dataset.faces = Boolean(hello.faces);
  $("everyone").hidden = !click;
  $("who-words").textContent = click ? "Only the chosen face is edited." : `${HOW} a face in the picture to edit it alone.`;
}

export function listen() {
  canvas.onclick = (event) => choose(place(event));
  $("aim").onclick = () => choose(aim);
  $("aim").onkeydown = (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    aimAt(aim.map((each, i) => Math.min(1, Math.max(0, each + 0.04 * step[i]))));
  };
  $("everyone").onclick = () => {
    say({ type: "click" });
    $("aim").focus();  // this button goes
  };
  $("divider").oninput = () => moveDivider($("divider").value / 100);
  $("line").onpointerdown = (event) => {
    $("line").setPointerCapture(event.pointerId);
    $("divider").focus({ focusVisible: false });
    event.preventDefault();
  };
  $("line").onpointermove = (event) => {
    if ($("line").hasPointerCapture(event.pointerId)) moveDivider(place(event)[0]);
  };
}
