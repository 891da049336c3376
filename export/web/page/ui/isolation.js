// The service worker: it lets the page work offline, and use all of a processor's cores.

const ONCE = "edgegan-isolated";

// Resolves when the page may begin; it may be loaded once more before that. Without service workers all but that works.
export async function isolate() {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  try {
    await navigator.serviceWorker.register("service-worker.js");
    await navigator.serviceWorker.ready;
  } catch {
    return;  // as in some private windows
  }
  if (crossOriginIsolated || sessionStorage.getItem(ONCE)) return;
  sessionStorage.setItem(ONCE, "1");  // a browser that isolates no page is not asked again and again
  location.reload();
  await new Promise(() => {});
}
