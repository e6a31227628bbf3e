// Long work that ended, as templates in #ended-work: each is said once in this browser, when its reader is there, and
// not on the page that shows its result. [data-read-by]: opening this link marks a result as read at that address.
import { isShown, show } from "./toast.js";

const KEY = "ended", KEPT = 50, PAUSE = 1000;
const known = () => { try { return JSON.parse(localStorage.getItem(KEY)) ?? []; } catch { return []; } };

/** Whether this browser has said it before; from now on it has. */
export const said = (id) => {
  const ids = known();
  if (ids.includes(id)) return true;
  try { localStorage.setItem(KEY, JSON.stringify([id, ...ids].slice(0, KEPT))); } catch { /* said again elsewhere */ }
  return false;
};

const isHere = (path) => location.pathname === path || location.pathname.startsWith(`${path}/`);
const shows = (template) => ["/work", template.dataset.shown].some((path) => path && isHere(path));

const look = () => {
  if (!document.hasFocus()) return; // a notification of the browser says it, or this, when the reader is back
  const news = [...document.querySelectorAll("#ended-work template")].filter((one) => !known().includes(one.id));
  if (news.length && isShown()) { setTimeout(look, PAUSE); return; } // an Undo may stand there
  const [newest] = news.filter((one) => !said(one.id) && !shows(one));
  if (newest) show({ content: newest.content.cloneNode(true), kind: newest.dataset.kind });
};

const read = (event) => {
  const link = event.target.closest?.("[data-read-by]");
  if (link) navigator.sendBeacon(link.dataset.readBy);
};

export const start = () => {
  addEventListener("focus", look);
  document.addEventListener("click", read);
  document.addEventListener("auxclick", (event) => { if (event.button === 1) read(event); });
};

export const attach = look;
