// The live indicator with the health of the server, the queue in title and favicon, and sentences for screen readers (one per 5 s at most).
let state = "idle";
let since = null;
let calm;
let waiting = [];
let lastSpoken = 0;
let retry = 1000;

const TEXT = { live: "Live", reconnecting: "Reconnecting", offline: "Offline", ended: "Signed out", idle: "Not live" };
const clock = () => since.toLocaleTimeString("en-GB", { hour: "numeric", minute: "2-digit" });
const paint = () => { // what fails on the server matters while it is heard
  const reason = state === "live" ? document.querySelector("[data-health]")?.textContent.trim() : "";
  for (const element of document.querySelectorAll("[data-live]")) {
    element.dataset.state = reason ? "degraded" : document.documentElement.dataset.connection;
    element.title = reason;
    element.querySelector("[data-live-text]").textContent = reason ? "Degraded" : state === "offline" ? `Offline since ${clock()}` : TEXT[state];
  }
};

const show = (next) => {
  clearTimeout(calm);
  if (next !== state && (next === "offline" || next === "ended")) since = new Date();
  state = next;
  document.documentElement.dataset.connection = next === "ended" ? "offline" : next;
  paint();
};

const soon = (next, delay) => { clearTimeout(calm); calm = setTimeout(() => show(next), delay); };

export const counts = () => {
  const count = Number(document.querySelector("[data-queue-count]")?.textContent) || 0;
  const bare = document.title.replace(/^\(\d+\) /, "");
  const title = count ? `(${count}) ${bare}` : bare;
  if (document.title !== title) document.title = title;
  navigator.setAppBadge?.(count).catch(() => {}); // of an installed app; 0 takes it away
  const icon = document.querySelector("link[rel=icon]");
  if (!icon) return;
  icon.dataset.plain ??= icon.href;
  const wanted = count ? icon.dataset.alert : icon.dataset.plain;
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
};

const host = () => document.querySelector("[data-away]");

/** Compare the build that the server runs with the one of this page. */
export const runs = (build) => {
  const news = document.getElementById("new-version");
  if (news && build && !host().dataset.away.includes(`/${build}/`) && !news.matches(":popover-open")) news.showPopover();
};

const away = () => { if (host()) import(host().dataset.away); };

const speak = () => {
  if (!waiting.length) return;
  const pause = lastSpoken + 5000 - Date.now();
  if (pause > 0) { setTimeout(speak, pause); return; }
  lastSpoken = Date.now();
  const sentence = waiting.length > 1 ? `${waiting.at(-1)} And ${waiting.length - 1} more.` : waiting[0];
  waiting = [];
  document.getElementById("status-region")?.replaceChildren(sentence);
};

const listen = () => {
  const inbox = document.getElementById("announcements");
  if (!inbox) return;
  new MutationObserver(() => {
    const sentence = inbox.textContent.trim();
    if (!sentence) return;
    inbox.replaceChildren();
    waiting.push(sentence);
    if (waiting.length === 1) speak();
  }).observe(inbox, { childList: true, characterData: true, subtree: true });
};

const again = () => { // the very first connection failed: hx-sse does not retry that one
  const live = document.getElementById("live");
  if (!live || live._htmx?.sse) return;
  retry = Math.min(retry * 2, 10_000);
  setTimeout(() => { if (!live._htmx?.sse && state !== "ended") htmx.process(live, true); }, retry);
};

export const start = () => {
  const on = (name, handler) => document.addEventListener(name, handler);
  on("htmx:sse:after:connection", (event) => {
    retry = 1000;
    if (event.detail.connection.status < 300) show("live");
  });
  on("htmx:sse:before:connection", (event) => { if (event.detail.connection.attempt > 0 && state === "live") soon("reconnecting", 900); });
  on("htmx:sse:error", (event) => {
    if ([401, 403, 404].includes(event.detail.status)) show("ended");
    else if (!navigator.onLine || (event.detail.connection?.attempt ?? 0) > 3) show("offline");
    else soon("reconnecting", 0);
  });
  for (const name of ["htmx:error", "htmx:response:error"]) {
    on(name, (event) => {
      if (event.target.id !== "live") return;
      if ([401, 403, 404].includes(event.detail.ctx?.response?.status)) show("ended");
      else { show("offline"); again(); }
    });
  }
  addEventListener("offline", () => { if (document.getElementById("live")) show("offline"); });
  addEventListener("online", () => {
    if (state === "offline") show("reconnecting");
    document.getElementById("live")?._htmx?.sse?.reader?.cancel(); // one that outlived the cut would never say so
    again();
  });
  on("htmx:after:swap", () => { counts(); if (state !== "idle") paint(); });
  on("build", (event) => runs(event.detail.data));
  on("click", (event) => { if (event.target.closest("[data-reload]")) location.reload(); });
  addEventListener("blur", away, { once: true });
  if (document.hidden) away();
  counts();
  listen();
  setTimeout(() => { // events that came before this module, or an extension that came after htmx
    const live = document.getElementById("live");
    if (live && !live._htmx) htmx.process(live, true);
    else if (state === "idle" && live?._htmx.sse?.status < 300) show("live");
  }, 500);
};
