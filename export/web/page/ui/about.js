// What the model is, from its card: what it edits, what it cannot, and whose it is.

import { $, element } from "./dom.js";

export function showAbout({ card, edgegan, onnxruntime_web }) {
  document.title = `edgegan: ${card.domain || card.name}`;
  $("domain").textContent = card.domain ? `A model of ${card.domain}.` : `The model ${card.name}.`;
  const { images, minutes } = card.training, facts = [
    ["Model", [card.name, card.family].join(" · ")],
    ["Edits", card.domain],
    ["Cannot", card.limits],
    ["Size", `${card.size.hw.join(" × ")} pixels`],
    ["Trained", [images && `${images.toLocaleString("en")} pictures`, minutes && `${Math.round(minutes)} minutes`].filter(Boolean).join(", ")],
    ["Licence", card.licence],
    ["Made with", `edgegan ${edgegan}, onnxruntime-web ${onnxruntime_web}`],
  ];
  $("facts").replaceChildren(...facts.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}
