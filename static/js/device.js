// Whether this browser is a device that takes pushes, as it remembers itself; the number on the icon of an installed app.
const KEY = "push";
let shown;

const host = () => document.querySelector("[data-push]");

/** The key and the endpoint of its subscription, since when, and whose device it is; [] while it is none. */
export const known = () => { try { return (localStorage.getItem(KEY) ?? "").split(" ").filter(Boolean); } catch { return []; } };

export const isDevice = () => known().length > 0;

/** Whether somebody else is signed in than whose device it is. */
export const isAnothers = () => Boolean(known()[3]) && known()[3] !== host().dataset.person;

export const remember = (key, endpoint) => {
  try {
    if (endpoint) localStorage.setItem(KEY, `${key} ${endpoint} ${Date.now()} ${host().dataset.person}`);
    else localStorage.removeItem(KEY);
  } catch { /* it is asked again at the next visit */ }
};

const badge = () => {
  const place = document.querySelector("[data-queue-count]"); // on every page that has a shell
  const count = Number(place?.textContent) || 0;
  if (!place || count === shown) return;
  shown = count;
  const done = count ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.(); // 0 is a dot in some browsers
  done?.catch(() => {}); // nothing is installed
};

// [data-no-device] offers to become one.
export const attach = (root) => { for (const offer of root.querySelectorAll("[data-no-device]")) offer.hidden = isDevice(); };

export const start = () => {
  if (!host()) return;
  navigator.serviceWorker?.register("/service-worker.js").catch(() => {}); // not over plain HTTP
  if (isDevice()) import(host().dataset.push); // looks whether it still is one
  document.addEventListener("htmx:after:swap", badge);
  badge();
};
