// Saves what is looked at as a PNG file that says what it is.

import { changes } from "./attributes.js";
import { chosen, element, tell } from "./dom.js";
import { withTexts } from "./provenance.js";
import { compose, mirrored, shown } from "./stage.js";

export async function snapshot({ origin, card }) {
  if (!shown()) return;
  const sheet = element("canvas"), view = chosen("view");
  compose(sheet, sheet.getContext("2d", { alpha: false }));
  const png = await new Promise((done) => sheet.toBlob(done, "image/png"));
  if (!png) return tell("The picture is too large for this browser to save.");
  const settings = JSON.stringify({ model: card.name, view, mirror: mirrored(), ...changes() });
  const texts = view === "before" ? {} : { "XML:com.adobe.xmp": origin.xmp, Software: origin.tool, edgegan: settings };
  const href = URL.createObjectURL(await withTexts(png, texts));
  const now = new Date().toISOString().replace(/[-:]|\..*/g, "").replace("T", "-");
  element("a", "", { href, download: `edgegan-${now}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
}
