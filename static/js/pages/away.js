// Comes when a window is left: a hidden tab has no stream, so it asks now and then what needs its reader. It keeps title
// and favicon current, and shows the browser's notifications where that was chosen.
import { install } from "../app.js";
import { allowed, chosen } from "./alerts.js";
import { isDevice } from "../device.js";
import { said } from "../ended.js";
import { counts, runs } from "../live.js";

const PAUSE = 30_000;
let known = null;
let timer;

const tell = (title, body, url, tag) => {
  const shown = new Notification(title, { body, tag, icon: document.querySelector("link[rel=apple-touch-icon]")?.href });
  shown.onclick = () => { focus(); location.assign(url); shown.close(); };
};

const tellNews = (news) => {
  if (!chosen() || allowed() !== "granted" || document.hasFocus()) return;
  if (news.newest && news.newest.id !== known.newest?.id && news.unread > known.unread) {
    tell(news.newest.title, news.newest.place, news.newest.url, news.newest.id);
  }
  const { ended } = news;
  if (ended && !said(ended.id)) tell(ended.title, ended.summary, ended.url, ended.id);
  if (news.waiting > known.waiting && !isDevice()) { // a push says what it is
    tell(news.waiting === 1 ? "1 thing waits for you" : `${news.waiting} things wait for you`, "Open Home to see what.", "/", "waiting");
  }
};

const asker = () => document.getElementById("away");
const look = () => asker()?.dispatchEvent(new CustomEvent("look"));

const heard = (event) => {
  const answer = asker()?.querySelector("[data-badge]");
  if (!answer || event.target.closest?.("#away") === null) return;
  const news = JSON.parse(answer.dataset.badge);
  answer.remove();
  counts();
  runs(news.build);
  if (known) tellNews(news);
  known = news;
};

const begin = () => { clearInterval(timer); known = null; look(); timer = setInterval(look, PAUSE); };
const end = () => { clearInterval(timer); };

install({
  start: () => {
    document.addEventListener("htmx:after:swap", heard);
    addEventListener("blur", begin);
    addEventListener("focus", end);
    if (!document.hasFocus()) begin();
  },
});
