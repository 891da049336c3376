// One visitor's page: what comes from the device goes to the part that it is for.

import { own } from "./camera.js";
import { connect, hello, link, notify, say } from "./connection.js";
import * as controls from "./controls.js";
import { $, chosen, element } from "./dom.js";
import { showFigures } from "./figures.js";
import * as picture from "./picture.js";

const heard = {
  hello() {
    link("good", "live");
    notify("Waiting for the first picture ...");
    $("cameras").hidden = !hello.own_camera;
    $("walk").hidden = !hello.walk;
    $("title").textContent = hello.walk ? "Directions" : "Attributes";
    say({ type: "view", name: chosen("view") });
    if (chosen("camera") === "own") own.start();
  },
  state: controls.showState,
  figures: showFigures,
  camera: (message) => own.turned(message),
};

async function snapshot() {
  const reply = await fetch(`snapshot.png?visitor=${encodeURIComponent(hello.visitor)}`);
  if (!reply.ok) return controls.tell(await reply.text());
  const href = URL.createObjectURL(await reply.blob());
  const now = new Date().toISOString().replace(/[-:]|\..*/g, "").replace("T", "-");
  element("a", "", { href, download: `edgegan-${now}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
}

$("snapshot").onclick = snapshot;
$("full").hidden = !document.fullscreenEnabled;  // as on an iPhone
$("full").onclick = () => (document.fullscreenElement ? document.exitFullscreen() : $("frame").requestFullscreen());
$("again").onclick = () => location.reload();
$("views").onchange = () => say({ type: "view", name: chosen("view") });
$("road").onchange = () => { own.stop(); own.start(); };
$("camera").onchange = () => {
  if (chosen("camera") === "own") return own.start();
  own.stop();
  say({ type: "camera", name: "device" });
};
controls.listen();
picture.listen();

connect({
  heard: (message) => heard[message.type]?.(message),
  async pictured(data) {
    const about = await picture.receive(data);
    if (about.camera === "own") own.answered(about);
  },
  closed: () => own.stop(),
});
