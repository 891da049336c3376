// The statistics.

import { $, chosen, element, words } from "./dom.js";

export function showFigures(now) {
  $("model").textContent = $("model").title = [now.model, now.backend, now.device, now.precision].filter(Boolean).join(" · ");
  const lost = Object.values(now.dropped).reduce((sum, count) => sum + count, 0);
  const pairs = [["in", `${now.fps_in.toFixed(1)} fps`], ["out", `${now.fps_out.toFixed(1)} fps`], ["age", `${now.age_ms} ms`],
    ["dropped", lost], ["visitors", now.visitors]];
  const { editMs } = $("picture").dataset;
  if (editMs && chosen("camera") === "own") pairs.push(["your picture", `${editMs} ms`]);
  $("figures").replaceChildren(...pairs.map(([name, value]) => {
    const pair = element("div", "");
    pair.append(element("dt", name), element("dd", value));
    return pair;
  }));
  table("stages", now.stages, (ms) => ms.toFixed(1));
  table("drops", now.dropped, String);
}

function table(id, values, text) {
  $(id).replaceChildren(...Object.entries(values).map(([name, value]) => {
    const line = element("tr", "");
    for (const cell of [words(name), text(value)]) line.insertCell().textContent = cell;
    return line;
  }));
  $(id).parentElement.hidden = !Object.keys(values).length;
}
