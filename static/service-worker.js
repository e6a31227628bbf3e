// Shows one page when the server cannot be reached. Pages with data are never kept, and nothing but opening a page, and
// what that one page needs, passes through here: streams and requests go their own way. Below: pushes.
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

// A browser, above all Apple's, ends a subscription whose pushes show nothing: each shows something, also one that says
// that nothing waits now. It is shown without a sound and taken away at once.
const UNREADABLE = { title: "Mission Control", body: "Something waits for you.", tag: "unreadable", data: { url: "/" } };

const read = (data) => {
  try {
    return data.json();
  } catch {
    return {};
  }
};

const badge = async (count) => {
  if (count === undefined) return;
  await (count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.()); // 0 shows a dot in some browsers
};

const show = async (sent) => {
  // Where a browser knows `navigate`, a click would open the page without asking us.
  const { title, navigate, actions = [], ...one } = sent.notification ?? UNREADABLE;
  const options = { ...one, icon: ICON, actions: actions.map(({ action, title: label }) => ({ action, title: label })) };
  await self.registration.showNotification(title, options);
  if (one.data?.withdrawn) for (const old of await self.registration.getNotifications({ tag: one.tag })) old.close();
  await badge(sent.app_badge).catch(() => {}); // no icon to write on
};

/** Show a page of ours: in a tab that is at Home or at another need already, which loses nothing by it, else in a new one. */
const bring = async (address) => {
  const { pathname, search } = new URL(address, self.location.origin); // ours, whatever name the message was sent with
  const pages = await self.clients.matchAll({ type: "window" });
  const at = (one) => new URL(one.url).pathname;
  const there = pages.find((one) => at(one) === pathname);
  if (there) return there.focus();
  const page = pages.find((one) => at(one) === "/" || at(one).startsWith("/needs/"));
  if (!page) return self.clients.openWindow(pathname + search);
  await page.focus();
  return page.navigate(pathname + search);
};

const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** Answer by the session of this browser; what is not taken is shown by its page, which says why. */
const answer = async ({ data, tag }, token) => {
  const reply = await post("/api/v1/reach/answers", { token }).catch(() => null);
  const { is_given: isGiven, message } = reply?.ok ? await reply.json() : {};
  if (!isGiven) return bring(data.url);
  return self.registration.showNotification(message, { tag, icon: ICON, silent: true, data: { url: data.url } });
};

const press = ({ action, notification }) => {
  notification.close();
  return action ? answer(notification, action) : bring(notification.data?.url ?? "/");
};

/** Subscribe again where the browser gave up the subscription by itself. */
const renew = async ({ oldSubscription, newSubscription }) => {
  const fresh = newSubscription ?? (await self.registration.pushManager.subscribe(oldSubscription.options));
  const { endpoint, keys } = fresh.toJSON();
  await post("/api/v1/users/me/reach/devices", { kind: "push", endpoint, ...keys, replaces: oldSubscription?.endpoint });
};

self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
self.addEventListener("notificationclick", (event) => event.waitUntil(press(event)));
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));
