// PNG files that say that a model had a hand in them: the IPTC digital source type as XMP, as the runtime writes it.

const HEAD_END = 8 + 25;  // the signature and the first chunk

// The PNG file with texts, keyword -> words, before its pixels.
export async function withTexts(png, texts) {
  const bytes = new Uint8Array(await png.arrayBuffer()), chunks = Object.entries(texts).map(([keyword, words]) => textChunk(keyword, words));
  return new Blob([bytes.subarray(0, HEAD_END), ...chunks, bytes.subarray(HEAD_END)], { type: "image/png" });
}

// An iTXt chunk, UTF-8 and not packed.
function textChunk(keyword, words) {
  const body = new TextEncoder().encode(`iTXt${keyword}\0\0\0\0\0${words}`), chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(4 + body.length, crc(body));
  return chunk;
}

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return ~value >>> 0;
}
