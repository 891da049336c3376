// The sliders: everyone's, or one's own while one's own camera is shown.

import { hello, say } from "./connection.js";
import { $, element, words } from "./dom.js";
import { showWho } from "./picture.js";

const OURS_MS = 500;  // for so long after a touch a slider follows the hand alone, not what comes back
const SAID_MS = 4000;

const moved = new Map();  // sliders pushed since the last message
const HELD = 0;  // no timer's number
const ours = new Map();  // slider -> the timer that gives it back, HELD while a finger is on it
let state = null, silence = 0;

function push(name, value) {
  if (!moved.size) requestAnimationFrame(() => {
    for (const [each, to] of moved) say({ type: "set", name: each, value: to });
    moved.clear();
  });
  moved.set(name, value);
}

// A slider under somebody's hand: others' moves show a moment after it is let go.
function take(name, held = ours.get(name) === HELD) {
  clearTimeout(ours.get(name));
  ours.set(name, held ? HELD : setTimeout(() => {
    ours.delete(name);
    const now = state.sliders.find((slider) => slider.name === name);
    if (now) showSlider(now);
  }, OURS_MS));
}

for (const end of ["pointerup", "pointercancel"]) {  // wherever on the page it ends
  window.addEventListener(end, () => [...ours].forEach(([name, timer]) => timer === HELD && take(name, false)));
}

export function showState(message) {
  state = message;
  const key = JSON.stringify([state.sliders.map(({ name, low, high }) => [name, low, high]), state.groups]);
  if ($("sliders").dataset.key !== key) {
    $("sliders").dataset.key = key;
    build();
  }
  for (const slider of state.sliders) if (!ours.has(slider.name)) showSlider(slider);
  for (const input of document.querySelectorAll("input[name=view]")) {
    input.parentElement.hidden = !state.views.includes(input.value);
  }
  $("views").hidden = state.views.length < 2;
  $("mirror").checked = state.look.mirror;
  $("pause").setAttribute("aria-pressed", state.look.frozen);
  $("how").textContent = hello.walk
    ? "Sliders push the picture along directions that the model knows."
    : "Drag a slider for how much, or press its button for on and off. “As is” leaves the face its own.";
  showPresets();
  showWho(state.look.click);
  tell(state.message);
}

function showPresets() {
  const shown = [...$("presets").children].map((button) => button.dataset.name);
  if (shown.join("\n") !== state.presets.join("\n")) {
    $("presets").replaceChildren(...state.presets.map((name) => {
      const button = element("button", `Preset ${name}`, { type: "button", onclick: () => say({ type: "preset", name }) });
      button.dataset.name = name;
      return button;
    }));
  }
  $("presets").hidden = !state.presets.length;
}

// Words that pass, over the lower edge of the picture.
export function tell(text) {
  if (!text) return;
  $("said").textContent = text;
  $("said").hidden = false;
  clearTimeout(silence);
  silence = setTimeout(() => { $("said").hidden = true; }, SAID_MS);
}

function build() {
  const rows = new Map(state.sliders.map((slider) => [slider.name, row(slider)]));
  const boxes = [];
  for (const names of state.groups) {
    const box = element("fieldset", "", { className: "group" });
    box.append(element("legend", "one at a time"), ...names.filter((name) => rows.has(name)).map((name) => rows.get(name)));
    names.forEach((name) => rows.delete(name));
    boxes.push(box);
  }
  $("sliders").replaceChildren(...boxes, ...rows.values());
}

function row({ name, low, high, rest }) {
  const box = element("div", "", { className: "row" }), id = `slider-${name}`;
  const label = element("label", words(name), { htmlFor: id });
  const chip = element("button", "", { className: "chip", type: "button" });
  const input = element("input", "", { id, type: "range", min: low, max: high, step: (high - low) / 100 });
  box.dataset.name = name;
  chip.onclick = () => {  // round as the key goes: on, as it is
    const now = state.sliders.find((slider) => slider.name === name);
    push(name, now.value === null ? Math.min(1, high) : null);
  };
  input.onpointerdown = () => take(name, true);
  input.oninput = () => {
    take(name);
    push(name, Number(input.value));
    showSlider({ name, low, high, rest, value: Number(input.value) }, true);
  };
  box.append(label, input, chip);
  return box;
}

function showSlider({ name, low, high, rest, value }, own = false) {
  const box = document.querySelector(`.row[data-name="${CSS.escape(name)}"]`);
  const chip = box.querySelector(".chip"), input = box.querySelector("input");
  const set = value !== rest;
  const text = value === null ? "as is" : rest === null && value === 0 ? "off" : rest === null && value === 1 ? "on" : value.toFixed(2);
  if (!own) input.value = value ?? Math.max(low, 0);
  box.dataset.set = set;
  input.style.setProperty("--at", `${(100 * (input.value - low)) / (high - low)}%`);
  input.setAttribute("aria-valuetext", text);
  chip.textContent = text;
  chip.setAttribute("aria-label", `${words(name)}: ${text}. ${set ? "Put back" : "Turn on"}`);
}

export function listen() {
  $("reset").onclick = () => say({ type: "reset" });
  $("mirror").onchange = () => say({ type: "mirror", value: Number($("mirror").checked) });
  for (const button of document.querySelectorAll("[data-key]")) button.onclick = () => say({ type: "press", name: button.dataset.key });
}
