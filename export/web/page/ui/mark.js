// The visible mark in the lower right corner of what is edited, as large as the runtime draws it.

const FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

export function drawMark(pen, words, width, height) {
  let tall = Math.min(Math.max(11, Math.round(height * 0.032)), 40);
  const wide = () => {
    pen.font = `${Math.round(0.74 * tall)}px ${FAMILY}`;
    return pen.measureText(words).width;
  };
  pen.save();
  while (tall > 6 && wide() + tall > width) tall -= 1;
  const pad = Math.floor(tall / 3), long = Math.ceil(wide());
  const left = width - long - 2 * pad, top = height - tall - pad;
  pen.fillStyle = "rgb(0 0 0 / 0.667)";
  pen.fillRect(left, top, width - left, height - top);
  pen.fillStyle = "#fff";
  pen.textBaseline = "alphabetic";
  pen.fillText(words, left + pad, top + Math.floor(pad / 2) + Math.round(0.78 * tall));
  pen.restore();
}
