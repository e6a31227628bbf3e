// Shows one page when the server cannot be reached. Pages with data are never kept, and nothing but opening a page, and
// what that one page needs, passes through here: streams and requests go their own way.
const NAME = `offline-${BUILD}`;

const prepare = async () => {
  await (await caches.open(NAME)).addAll(FILES);
  await self.skipWaiting();
};

const begin = async () => {
  for (const name of await caches.keys()) if (name !== NAME) await caches.delete(name);
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
};

const open = async (event) => {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(FILES[0])) ?? Response.error();
  }
};

const fetched = async (request) => {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(request)) ?? Response.error();
  }
};

self.addEventListener("install", (event) => event.waitUntil(prepare()));
self.addEventListener("activate", (event) => event.waitUntil(begin()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(open(event));
  else if (FILES.includes(new URL(request.url).pathname)) event.respondWith(fetched(request));
});
