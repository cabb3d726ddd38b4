// Keeps the patrol's page and the public keys for when there is no network. VERSION, the line above, changes with them.
// For phones of 2019 and later: nothing newer is called here, in verify.js or in style.css without another way.
const PAGE = "/patrouille";
const KEPT = [PAGE, "/static/style.css", "/static/verify.js", "/.well-known/jwks.json"];
const PATIENCE_MS = 3000;

addEventListener("install", (event) => event.waitUntil(keep()));
addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (KEPT.includes(pathname)) event.respondWith(freshOrKept(event.request, pathname));
  // An act's own page is never kept: its state is that of now, or is not told.
  else if (/^\/v\/[\w-]+$/.test(pathname)) event.respondWith(freshOrKept(event.request, PAGE));
});

async function keep() {
  const cache = await caches.open(VERSION);
  await cache.addAll(KEPT.map((path) => new Request(path, { cache: "reload" })));
  await skipWaiting();
}

async function forgetOthers() {
  for (const name of await caches.keys()) if (name !== VERSION) await caches.delete(name);
  await clients.claim();
}

async function freshOrKept(request, kept) {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), PATIENCE_MS);
  try {
    const response = await fetch(request, { signal: control.signal });
    if (response.status >= 500) throw new Error(response.statusText);
    const { pathname } = new URL(request.url);
    if (response.ok && pathname === kept) await (await caches.open(VERSION)).put(pathname, response.clone());
    return response;
  } catch (error) {
    const found = await caches.match(kept);
    if (found) return asKept(found);
    throw error;
  } finally {
    clearTimeout(timer); // once its page begins to come, a slow network is still one
  }
}

// The page must know whether the keys it is given are those of now.
async function asKept(found) {
  const headers = new Headers(found.headers);
  headers.set("X-Kept", "yes");
  return new Response(await found.arrayBuffer(), { status: found.status, headers });
}
