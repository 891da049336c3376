// The controls: what a visitor wants of each attribute. Nothing set means the face's own.

import { $, element } from "./dom.js";

const wanted = new Map();  // attribute -> number from 0 to 1
let moved = () => {};

export const changes = () => Object.fromEntries(wanted);

// Builds them for the condition of a model's card; `onChange` hears of every move.
export function showAttributes({ names, groups }, onChange) {
  moved = onChange;
  const alone = names.filter((name) => !groups.some((group) => group.includes(name)));
  const boxes = [...groups.map(groupBox), ...alone.map((name) => choiceBox(words(name), [name], { off: true }))];
  $("attributes").replaceChildren(...boxes);
  $("panel").hidden = !names.length;
  $("reset").onclick = () => {
    wanted.clear();
    refresh();
  };
  refresh();
}

// Begins with one change, so that the first picture shows what the model does.
export function begin({ names, groups }) {
  if (wanted.size || !names.length) return;
  wanted.set(groups[0]?.[1] ?? names[0], 1);
  refresh();
}

const words = (name) => name.replaceAll("_", " ");

// Names of one group often end alike: that is the group's own name.
function groupBox(group) {
  const ends = group.map((name) => name.split("_").slice(1).join("_")), end = ends[0];
  const alike = end && ends.every((each) => each === end);
  return choiceBox(alike ? words(end) : "One of", group, { short: alike ? end.length + 1 : 0 });
}

function choiceBox(title, names, { off = false, short = 0 }) {
  const box = element("fieldset", "", { className: "attribute" }), choice = element("div", "", { className: "choice" });
  const group = names.join("+"), ids = [["", "As is"], ...(off ? [["0", "Off"], ["1", "On"]] : names.map((name) => [name, words(short ? name.slice(0, -short) : name)]))];
  for (const [value, text] of ids) {
    const label = element("label"), input = element("input", "", { type: "radio", name: group, value });
    input.onchange = () => {
      for (const name of names) wanted.delete(name);
      if (value) wanted.set(off ? names[0] : value, off ? Number(value) : 1);
      refresh();
    };
    label.append(input, element("span", text));
    if (short) label.dataset.swatch = value && text.toLowerCase();
    choice.append(label);
  }
  const strength = element("input", "", { type: "range", min: 0, max: 1, step: 0.01, className: "strength" });
  strength.setAttribute("aria-label", `${title}: how much`);
  strength.oninput = () => {
    for (const name of names) if (wanted.has(name)) wanted.set(name, Number(strength.value));
    refresh();
  };
  box.append(element("legend", title), choice, strength);
  Object.assign(box, { names, off });
  return box;
}

function refresh() {
  for (const box of $("attributes").children) {
    const set = box.names.find((name) => wanted.has(name)), value = wanted.get(set), strength = box.querySelector(".strength");
    for (const input of box.querySelectorAll("input[type=radio]")) {
      input.checked = set === undefined ? input.value === "" : box.off ? input.value === String(Math.round(value)) : input.value === set;
    }
    box.dataset.set = set !== undefined;
    strength.disabled = set === undefined;
    strength.value = value ?? 0;
    strength.style.setProperty("--at", `${100 * (value ?? 0)}%`);
    strength.setAttribute("aria-valuetext", set === undefined ? "as is" : `${Math.round(100 * value)} percent`);
  }
  $("reset").disabled = !wanted.size;
  moved();
}
