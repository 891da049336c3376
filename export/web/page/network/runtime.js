// ONNX Runtime in this tab: on the graphics card where it computes rightly, else on the processor.

import { expect, fetchBytes } from "./download.js";
import { checkPairs, pairFiles } from "./golden.js";

const FOLDER = "onnxruntime/";
const BUILDS = {
  webgpu: { script: "ort.jspi.min.mjs", glue: "ort-wasm-simd-threaded.jspi.mjs", binary: "ort-wasm-simd-threaded.jspi.wasm.gz" },
  wasm: { script: "ort.wasm.min.mjs", glue: "ort-wasm-simd-threaded.mjs", binary: "ort-wasm-simd-threaded.wasm.gz" },
};
const MOST_THREADS = 4;

// Opens the model and its helpers. -> {backend, threads, psnr, run: {model, classifier, faces}, notes}
export async function openRuntime(site, { backend = "auto", threads = 0 }, tell) {
  if (typeof WebAssembly !== "object") {
    throw new Error("This browser has no WebAssembly, or it is turned off. Every current browser has it: please update, or turn it on.");
  }
  const notes = [], wanted = backend === "auto" ? ["webgpu", "wasm"] : [backend];
  for (const name of wanted) {
    if (!BUILDS[name]) throw new Error(`There is no backend "${name}": ?backend=webgpu or ?backend=wasm.`);
    const why = name === "webgpu" ? await missingForGpu(backend === "webgpu") : "";
    if (why) {
      notes.push(`WebGPU is not used: ${why}.`);
      continue;
    }
    try {
      return { ...(await open(site, name, threads, (...progress) => tell(name, ...progress))), notes };
    } catch (error) {
      notes.push(`${name}: ${error.message}`);
      if (name === wanted.at(-1)) throw new Error(notes.join(" "));
    }
  }
  throw new Error(notes.join(" "));
}

// Why WebGPU cannot be used here, in words; "" where it can. A slow stand-in for a graphics card has to be asked for.
async function missingForGpu(asked) {
  if (!("gpu" in navigator)) return "this browser does not offer it to this page";
  if (!("Suspending" in WebAssembly)) return "this browser lacks WebAssembly's promise integration";
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (!adapter) return "this machine has no graphics card for it";
  return adapter.info?.isFallbackAdapter && !asked ? "there is only a slow stand-in for a graphics card" : "";
}

async function open(site, backend, threads, tell) {
  const { script, glue, binary } = BUILDS[backend];
  expect(site, [FOLDER + binary, ...Object.values(site.models).map(({ file }) => file), ...pairFiles(site)]);
  const ort = await import(new URL(FOLDER + script, site.base).href);
  ort.env.wasm.wasmPaths = { mjs: new URL(FOLDER + glue, site.base).href };
  ort.env.wasm.wasmBinary = await unpack(await fetchBytes(site, FOLDER + binary, tell));
  ort.env.wasm.numThreads = self.crossOriginIsolated ? threads || Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
  ort.env.logLevel = "error";
  const tensors = ({ data, dims }) => new ort.Tensor("float32", data, dims);
  const run = {}, providers = { model: backend, classifier: backend, faces: "wasm" };
  for (const [role, { file }] of Object.entries(site.models)) {
    const bytes = await fetchBytes(site, file, tell);
    const session = await ort.InferenceSession.create(bytes, { executionProviders: [providers[role]], graphOptimizationLevel: "all" });
    run[role] = async (inputs) => session.run(Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, tensors(tensor)])));
  }
  tell("Checking the model against its reference");
  const psnr = await checkPairs(site, run, backend, tell);
  return { backend, threads: ort.env.wasm.numThreads, psnr, run };
}

// The runtime's file, which is packed to be small; a server may have unpacked it on the way.
async function unpack(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.buffer;
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
