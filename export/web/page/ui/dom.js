// What every part of the page needs of the document.

export const $ = (id) => document.getElementById(id);
export const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`)?.value;

export function element(tag, text = "", more = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, more);
}

// Resolves once somebody looks at this tab.
export function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

let silence = 0;

// Words that pass, over the lower edge of the picture.
export function tell(text, milliseconds = 5000) {
  clearTimeout(silence);
  $("said").textContent = text;
  $("said").hidden = !text;
  if (text) silence = setTimeout(() => { $("said").hidden = true; }, milliseconds);
}

// What stops the page, in words, until something else is begun.
export function complain(text) {
  $("trouble-words").textContent = text;
  $("trouble").hidden = !text;
}
