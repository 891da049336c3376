// What the tab loads from beside the page, and how far it is.

// Says which files will be loaded, so that their progress has an end.
export function expect(site, files) {
  Object.assign(site, { loaded: 0, total: files.reduce((sum, file) => sum + site.sizes[file], 0) });
}

// One file of the site; `tell(what, done, of)` hears how many bytes of all that is expected have come.
export async function fetchBytes(site, file, tell = () => {}) {
  const reply = await fetch(new URL(file, site.base)).catch(() => null);
  if (!reply?.ok) throw new Error(`${file} cannot be loaded (${reply ? reply.status : "no answer"}). Was the whole folder copied?`);
  const parts = [], reader = reply.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    site.loaded = Math.min(site.total, site.loaded + next.value.length);
    tell("Loading the model", site.loaded, site.total);
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
