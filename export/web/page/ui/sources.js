// Where pictures come from: the visitor's camera, a film, or a picture. None of them leaves this tab.

import { $, complain, visible } from "./dom.js";

const MOST_PIXELS = 8e6;  // of a still picture; larger ones are reduced
const video = $("film");
let running = 0, stream = null, still = null;  // `running` grows with every start and stop: what belongs to an earlier one ends

export const isStill = () => still !== null;

// Asks for the camera. `edit(bitmap, seconds)` is called with each frame, and resolves when it has been shown.
export async function startCamera(edit, front = true) {
  const turn = stop();
  if (!navigator.mediaDevices?.getUserMedia) {
    return complain("The browser gives no camera to this page: it has to come over https, or from localhost. A picture works here.");
  }
  try {
    const wish = { facingMode: front ? "user" : "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
    const taken = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
    if (turn !== running) return taken.getTracks().forEach((track) => track.stop());
    stream = taken;
    stream.getVideoTracks()[0].onended = () => {
      stop();
      complain("The camera has gone: it was unplugged, or another program took it.");
    };
    video.srcObject = stream;
    await play(edit, turn);
  } catch (error) {
    if (turn !== running) return;
    stop();
    complain(whyNot(error));
  }
}

// A picture or a film that the visitor chose, or an address of the site's own.
export async function openFile(blob, edit) {
  const turn = stop();
  try {
    if (blob.type.startsWith("video/")) {
      video.src = URL.createObjectURL(blob);
      video.loop = true;
      return await play(edit, turn);
    }
    const whole = await createImageBitmap(blob), scale = Math.min(1, Math.sqrt(MOST_PIXELS / (whole.width * whole.height)));
    const size = { resizeWidth: Math.round(whole.width * scale), resizeHeight: Math.round(whole.height * scale), resizeQuality: "high" };
    const fitting = scale < 1 ? await createImageBitmap(whole, size) : whole;
    if (turn !== running) return;
    still = { bitmap: fitting, turn };
    await editStill(edit);
  } catch {
    if (turn === running) complain(`${blob.name || "The file"} cannot be read as a picture or a film by this browser.`);
  }
}

// Edits the still picture again, as when a slider has moved.
export async function editStill(edit) {
  if (still) await edit(await createImageBitmap(still.bitmap), null, still.turn);
}

export function stop() {
  running += 1;
  stream?.getTracks().forEach((track) => track.stop());
  if (video.src.startsWith("blob:")) URL.revokeObjectURL(video.src);
  video.pause();
  video.srcObject = null;
  video.removeAttribute("src");
  still?.bitmap.close();
  stream = still = null;
  complain("");
  return running;
}

async function play(edit, turn) {
  await video.play();
  while (turn === running) {
    await Promise.all([visible(), nextFrame()]);
    if (turn === running && video.videoWidth) await edit(await createImageBitmap(video), performance.now() / 1000, null);
  }
}

const nextFrame = () => new Promise((done) => (video.requestVideoFrameCallback ?? requestAnimationFrame.bind(window)).call(video, done));

function whyNot({ name, message }) {
  return {
    NotAllowedError: "The camera was refused. Allow it in the browser's address bar and try again, or open a picture.",
    NotFoundError: "There is no camera on this device. A picture or a film works as well.",
    NotReadableError: "The camera cannot be read: another program may be using it.",
    OverconstrainedError: "The camera has no picture size that this page can use.",
  }[name] ?? `The camera cannot be used: ${message}`;
}
