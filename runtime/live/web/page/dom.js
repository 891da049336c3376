// What every part of the page needs of the document.

export const $ = (id) => document.getElementById(id);
export const words = (name) => name.replaceAll("_", " ");
export const chosen = (name) => document.querySelector(`input[name=${name}]:checked`).value;

export function element(tag, text, more = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, more);
}

// Resolves once somebody looks at this tab.
export function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}
