// The side panel: opening pushes the task's own URL; Esc, Close and Back empty it again.
import { follow, tools } from "./dress.js";
const panel = () => document.getElementById("panel");
const LOOK = ["show", "comments", "comment"];
let board = null; // the address to return to
let opener = null; // the link that was followed, and where it led
let opened = "";
let marked = ""; // the card of the open task

const inside = (path) => {
  const base = panel()?.dataset.panelBase;
  const [place, query] = path.split("?");
  return base && (place.startsWith(`${base}/tasks/`) || (place === base && new URLSearchParams(query).has("panel")));
};

const mark = () => {
  const open = document.getElementById(panel()?.querySelector("[data-panel-task]")?.dataset.panelTask ?? "");
  for (const card of document.querySelectorAll("[data-task][data-state=open]")) if (card !== open) delete card.dataset.state;
  const isNew = open && open.id !== marked; // a card that only changed scrolls nothing
  marked = open?.id ?? "";
  if (open) open.dataset.state = "open";
  const columns = document.getElementById("columns"); // those that stay open beside the task: its own, and the one in the address
  if (columns) columns.dataset.open = `${new URLSearchParams(location.search).get("open") ?? ""} ${open?.closest(".column")?.id.slice(7) ?? ""}`.trim();
  if (isNew) open.scrollIntoView({ block: "nearest", inline: "nearest" });
};

// The rail of a folded column opens it in place.
const unfold = (event) => {
  const rail = event.target.closest(".column-rail");
  if (!rail || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const here = new URL(location.href);
  here.searchParams.set("open", new URL(rail.href).searchParams.get("open"));
  history.replaceState(history.state, "", here);
  mark();
  const column = rail.closest(".column");
  column.scrollIntoView({ block: "nearest", inline: "nearest" });
  column.querySelector("[data-nav-item], .column-add > summary")?.focus({ preventScroll: true });
};

// The stream's address names the open panel, so that only open panels are rendered.
const subscribe = () => {
  const live = document.getElementById("live");
  if (!live || !panel()?.dataset.panelBase) return;
  const article = panel().querySelector("[data-seq]");
  const { panelTask, panelStream } = article?.dataset ?? {};
  const wanted = new URLSearchParams(panelStream ?? (panelTask ? { panel: panelTask.replace("task-", "task:") } : ""));
  const look = panelTask && article.querySelector("[data-look]")?.dataset.look; // which part of its timeline
  for (const [name, value] of new URLSearchParams(look ?? "")) wanted.set(name, value);
  const url = new URL(live.getAttribute("hx-sse:connect"), location.href);
  const open = url.searchParams.get("panel") ?? "";
  const own = [...url.searchParams].filter(([name]) => name === "panel" || LOOK.includes(name) || name.startsWith(`${open}_`));
  if (new URLSearchParams(own).toString() === wanted.toString()) return;
  const heard = Number(live._htmx?.sse?.lastEventId || url.searchParams.get("after"));
  const read = article ? Number(article.dataset.seq) : heard;
  url.searchParams.set("after", Math.min(heard, read));
  for (const [name] of own) url.searchParams.delete(name); // of the panel before
  for (const [name, value] of wanted) url.searchParams.set(name, value);
  const next = live.cloneNode(false);
  next.removeAttribute("data-htmx-powered");
  next.setAttribute("hx-sse:connect", url.pathname + url.search);
  htmx.swap({ text: next.outerHTML, target: live, swap: "outerHTML", sourceElement: document.body });
};

const empty = () => {
  const card = document.getElementById(panel().querySelector("[data-panel-task]")?.dataset.panelTask ?? "");
  panel().replaceChildren();
  mark();
  subscribe();
  const isThere = opener?.isConnected && opener.getAttribute("href") === opened && opener.checkVisibility();
  (isThere ? opener : card?.querySelector("[data-panel-link]"))?.focus({ preventScroll: true });
};

const close = (event) => {
  const link = event.target.closest("[data-panel-close]");
  if (!link || !panel()?.childElementCount) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!document.querySelector(".card, [data-panel-link]")) return; // alone on its page: follow the link
  event.preventDefault();
  const target = board ?? link.getAttribute("href");
  history.pushState({ htmx: true }, "", target);
  empty();
};

export const start = () => {
  document.addEventListener("click", (event) => {
    close(event);
    unfold(event);
    const link = event.target.closest("[data-panel-link]");
    if (!link) return;
    [opener, opened] = [link, link.getAttribute("href")];
    if (!inside(location.pathname + location.search)) board = location.pathname + location.search;
    follow(event, link);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { target } = event.detail.ctx;
    subscribe();
    if (target !== panel() && target !== "#panel") return mark();
    mark();
    panel().scrollTop = 0;
    panel().querySelector("[data-panel-title]")?.focus({ preventScroll: true });
  });
  document.addEventListener("htmx:before:history:restore", (event) => {
    const { path } = event.detail;
    const base = panel()?.dataset.panelBase;
    if (!base || (!inside(path) && path.split("?")[0] !== base)) return;
    event.preventDefault();
    if (!inside(path)) empty();
    else htmx.ajax("GET", path, { target: "#panel", select: "#panel > *", swap: "innerHTML" });
  });
};

export const attach = () => {
  if (!panel()?.childElementCount) return;
  mark();
  if (panel().querySelector("[data-panel-task]")) tools();
};
