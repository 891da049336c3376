// The whole page: it loads the model into a worker, then edits what comes from a camera, a film or a picture.

import { begin, changes, showAttributes } from "./ui/attributes.js";
import { showAbout } from "./ui/about.js";
import { $, complain, element, tell } from "./ui/dom.js";
import { clearFigures, showFrame, showRuntime } from "./ui/figures.js";
import { isolate } from "./ui/isolation.js";
import { snapshot } from "./ui/snapshot.js";
import { editStill, isStill, openFile, startCamera, stop } from "./ui/sources.js";
import { listenToStage, nameMark, show } from "./ui/stage.js";

const PATIENCE_MS = 20000;  // with a graphics card that says nothing while the model is opened
const waiting = [];  // the frames that are in the worker, in order

let site = null, worker = null, front = true, again = "";

// One frame through the worker; resolves when it is shown.
function edit(bitmap, seconds, key) {
  return new Promise((done) => {
    waiting.push(done);
    worker.postMessage({ type: "frame", bitmap, changes: changes(), seconds, key }, [bitmap]);
  });
}

const heard = {
  progress({ what, done, of }) {
    if (of) $("bar").value = done / of;
    else $("bar").removeAttribute("value");
    $("loading-words").textContent = of ? `${what}: ${(done / 1e6).toFixed(1)} of ${(of / 1e6).toFixed(1)} MB` : what;
  },

  ready(about) {
    showRuntime(about);
    $("loading").hidden = true;
    $("welcome").hidden = false;
    document.body.dataset.state = "ready";
    document.body.dataset.backend = about.backend;
  },

  frame(message) {
    show(message.before, message.edited);
    showFrame(message, isStill(), site.card);
    waiting.shift()?.();
  },

  error({ words, during }) {
    if (during === "frame") stop();
    $("loading").hidden = true;
    complain(words);
    if (during !== "frame") document.body.dataset.state = "failed";
    waiting.shift()?.();
  },
};

function enter(mirror) {
  $("welcome").hidden = true;
  $("tools").hidden = false;
  $("mirror").checked = mirror;
  document.body.dataset.state = "editing";
  worker.postMessage({ type: "reset" });
  clearFigures();
  begin(site.card.condition);
}

function useCamera() {
  enter(front);
  return startCamera(edit, front);
}

function useFile(file) {
  enter(false);
  return openFile(file, edit);
}

// A still picture is edited again when something was moved; moves that come while it is edited count together.
async function moved() {
  if (!isStill()) return;
  if (again) return void (again = "wanted");
  do {
    again = "running";
    await editStill(edit);
  } while (again === "wanted");
  again = "";
}

function listen() {
  listenToStage();
  for (const id of ["camera", "camera-again"]) $(id).onclick = useCamera;
  for (const id of ["open", "open-again"]) $(id).onclick = () => $("file").click();
  $("file").onchange = () => {
    if ($("file").files.length) useFile($("file").files[0]);
    $("file").value = "";
  };
  $("turn").onclick = () => {
    front = !front;
    useCamera();
  };
  $("snapshot").onclick = () => snapshot(site);
  document.ondragover = (event) => event.preventDefault();
  document.ondrop = (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file && ["ready", "editing"].includes(document.body.dataset.state)) useFile(file);
  };
  $("turn").hidden = !matchMedia("(pointer: coarse)").matches;
}

async function useSample(address) {
  const reply = await fetch(address).catch(() => null);
  if (!reply?.ok) return tell("This picture cannot be loaded.");
  return useFile(await reply.blob());
}

function showSamples(samples) {
  $("samples").hidden = !samples.length;
  $("samples").append(...samples.map((address, i) => {
    const button = element("button", "", { type: "button", className: "sample", onclick: () => useSample(address) });
    button.setAttribute("aria-label", `Example picture ${i + 1}`);
    button.append(element("img", "", { src: address, alt: "" }));
    return button;
  }));
}

async function load() {
  await isolate();
  listen();
  const base = new URL(".", location.href).href, options = Object.fromEntries(new URLSearchParams(location.search));
  const reply = await fetch("site.json").catch(() => null);
  if (!reply?.ok) throw new Error("site.json cannot be loaded: was the whole folder copied, and is it served by a web server?");
  site = { ...(await reply.json()), base };
  showAbout(site);
  showAttributes(site.card.condition, moved);
  showSamples(site.samples);
  nameMark(site.origin.mark);
  start({ backend: options.backend ?? "auto", threads: Number(options.threads ?? 0) });
}

// Opens the model in a worker. A graphics driver may never answer: then it begins again without it.
function start(options) {
  let watch = 0;
  worker = new Worker("worker.js", { type: "module" });
  worker.onmessage = ({ data }) => {
    clearTimeout(watch);
    if (data.type === "progress" && data.backend === "webgpu" && options.backend === "auto") {
      watch = setTimeout(() => {
        worker.terminate();
        start({ ...options, backend: "wasm" });
      }, PATIENCE_MS);
    }
    heard[data.type](data);
  };
  worker.onerror = (event) => {
    heard.error({ words: `The page's own code cannot run here: ${event.message || "this browser is too old"}.`, during: "open" });
  };
  worker.postMessage({ type: "open", site, options });
}

load().catch((error) => heard.error({ words: error.message, during: "open" }));
