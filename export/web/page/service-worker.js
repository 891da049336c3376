// Answers from the network, and from what was kept of it where there is none. The two headers that it adds to
// every answer let the page share memory between threads, which a static host cannot say itself.

const KEPT = "edgegan-page";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event, ours = request.url.startsWith(self.registration.scope);
  if (request.method === "GET" && ours) event.respondWith(answer(request));
});

async function answer(request) {
  const kept = await caches.open(KEPT), key = request.url.split("?")[0];
  let reply;
  try {
    reply = await fetch(request);
    if (reply.status === 200) await kept.put(key, reply.clone());
  } catch (error) {
    reply = await kept.match(key);
    if (!reply) throw error;
  }
  const headers = new Headers(reply.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(reply.body, { status: reply.status, statusText: reply.statusText, headers });
}
