// The editor, in a thread of its own, so that the page stays quick while it works.

import { Editor } from "./edit/editor.js";
import { openRuntime } from "./network/runtime.js";

let editor = null, sheet = null;

const heard = {
  async open({ site, options }) {
    const tell = (backend, what, done = 0, of = 0) => postMessage({ type: "progress", backend, what, done, of });
    const { run, ...about } = await openRuntime(site, options, tell);
    editor = new Editor(site.card, site.classifier, run);
    postMessage({ type: "ready", ...about });
  },

  reset() {
    editor?.reset();
  },

  // Answers with the frame as it was and as it is now, and how long it took.
  async frame({ bitmap, changes, seconds, key, turn }) {
    const { width, height } = bitmap, began = performance.now();
    if (sheet?.canvas.width !== width || sheet.canvas.height !== height) {
      sheet = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    }
    sheet.drawImage(bitmap, 0, 0);
    const frame = sheet.getImageData(0, 0, width, height);
    const found = await editor.edit(frame, changes, seconds, key);
    sheet.putImageData(frame, 0, 0);
    const edited = await createImageBitmap(sheet.canvas);
    const message = { type: "frame", before: bitmap, edited, turn, ...found, ms: performance.now() - began };
    postMessage(message, [bitmap, edited]);
  },
};

// One after the other: an edit waits for the network, and frames must not overtake.
let line = Promise.resolve();
onmessage = ({ data }) => {
  line = line.then(() => heard[data.type](data)).catch((error) => postMessage({ type: "error", words: error.message, during: data.type }));
};
