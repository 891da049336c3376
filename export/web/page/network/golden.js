// The golden pairs: inputs and what the trained model made of them. A model that does not reproduce them does not run.

import { fetchBytes } from "./download.js";

// Runs every pair of every model. -> the network's lowest PSNR in dB; throws where one is too low.
export async function checkPairs(site, run, backend, tell) {
  let worst = Infinity;
  for (const [role, { pairs, outputs, min_psnr_db }] of Object.entries(site.models)) {
    for (const { input, expected } of pairs) {
      const given = {};
      for (const [name, about] of Object.entries(input)) given[name] = await read(site, about, tell);
      const made = await run[role](given);
      for (const [name, about] of Object.entries(expected)) {
        const [low, high] = outputs[name], db = psnr((await read(site, about, tell)).data, made[name].data, high - low);
        if (role === "model") worst = Math.min(worst, db);
        if (!(db >= min_psnr_db)) {
          throw new Error(`The ${role} does not compute on ${backend} here what it computed when it was exported: ` +
            `${db.toFixed(1)} dB, at least ${min_psnr_db} dB wanted. It is not run.`);
        }
      }
    }
  }
  return worst;
}

// The files of all pairs.
export function pairFiles({ models }) {
  const pairs = Object.values(models).flatMap((model) => model.pairs);
  return pairs.flatMap(({ input, expected }) => [...Object.values(input), ...Object.values(expected)]).map(({ file }) => file);
}

async function read(site, { file, dims }, tell) {
  const bytes = await fetchBytes(site, file, tell);
  return { data: new Float32Array(bytes.buffer), dims };
}

function psnr(wanted, found, range) {
  if (wanted.length !== found.length) return -Infinity;
  let sum = 0;
  for (let i = 0; i < wanted.length; i++) sum += (wanted[i] - found[i]) ** 2;
  return Number.isFinite(sum) ? Math.min(200, 10 * Math.log10((range * range) / (sum / wanted.length))) : -Infinity;
}
