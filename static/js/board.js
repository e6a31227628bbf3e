// Drag with SortableJS on [data-sortable] lists. A drop submits the card's own move form; a refusal puts it back.
import { settleUnder } from "./cards.js";
import { senderOf } from "./forms.js";
import { move } from "./moves.js";
let wanted = false; // the library comes when the page has nothing else to do, so that the first drag finds it
let loading;
let release = null; // resolves when the drag and its request are over
let held = null;

const sortable = () => loading ??= new Promise((resolve, reject) => {
  if (window.Sortable) return resolve(window.Sortable);
  const script = document.createElement("script");
  script.src = new URL("../vendor/Sortable.min.js", import.meta.url);
  script.addEventListener("load", () => resolve(window.Sortable));
  script.addEventListener("error", () => {
    loading = undefined; // the network was away; the next try may succeed
    script.remove();
    reject(new Error("SortableJS did not load."));
  });
  document.head.append(script);
});

const hold = () => { held ??= new Promise((resolve) => { release = resolve; }); };
const letGo = () => {
  delete document.documentElement.dataset.dragging;
  const done = release;
  held = release = null;
  done?.();
};

const putBack = (card, origin) => {
  const siblings = [...origin.list.querySelectorAll(":scope > .card")].filter((other) => other !== card);
  origin.list.insertBefore(card, siblings[origin.index] ?? null);
};

const indexOf = (card) => [...card.parentElement.querySelectorAll(":scope > .card")].indexOf(card);

const neighbours = (card) => {
  const before = card.nextElementSibling?.closest(".card")?.dataset.task;
  const after = card.previousElementSibling?.closest(".card")?.dataset.task;
  return before ? { before_task_id: before } : after ? { after_task_id: after } : {};
};

const drop = (card, origin) => {
  if (card.parentElement === origin.list && indexOf(card) === origin.index) return letGo();
  let form = null;
  const settle = (event) => {
    if (senderOf(event) !== form) return;
    document.removeEventListener("htmx:finally:request", settle);
    clearTimeout(timer);
    const status = event.detail?.ctx.response?.status ?? 0;
    if (status < 200 || status >= 300) putBack(card, origin);
    card.querySelector("[data-nav-item]")?.focus({ preventScroll: true });
    letGo();
  };
  document.addEventListener("htmx:finally:request", settle);
  const timer = setTimeout(() => settle({ target: form }), 15_000);
  form = move(card, { status: card.parentElement.dataset.sortable, ...neighbours(card) });
  if (!form) settle({ target: form });
};

const enable = async (list) => {
  if (list.sortable) return;
  list.sortable = true;
  const Sortable = await sortable().catch(() => null);
  if (!Sortable) {
    list.sortable = false;
    return;
  }
  let origin = null;
  Sortable.create(list, {
    group: "board",
    draggable: ".card:not([data-fixed])",
    filter: "button, .menu, .card-ask",
    preventOnFilter: false,
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 160,
    ghostClass: "drag-ghost",
    chosenClass: "drag-chosen",
    dragClass: "drag-active",
    delay: 180,
    delayOnTouchOnly: true,
    touchStartThreshold: 6,
    scrollSensitivity: 60,
    onStart: ({ item }) => {
      origin = { list: item.parentElement, index: indexOf(item) };
      document.documentElement.dataset.dragging = "";
      hold();
    },
    onEnd: ({ item, originalEvent }) => drop(settleUnder(item, originalEvent), origin),
  });
};

// News waits while a card is in the air, then comes in order.
document.addEventListener("htmx:sse:before:message", (event) => { if (held) event.detail.waitUntil(held); });
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (!held || ctx.sourceElement?.closest("#live, form[data-move]")) return;
  event.preventDefault();
  held.then(() => htmx.swap(ctx));
});

export const attach = () => { if (wanted) document.querySelectorAll("[data-sortable]").forEach(enable); };

export const start = () => {
  if (!document.querySelector("[data-sortable]")) return;
  const load = () => {
    wanted = true;
    attach();
  };
  const whenIdle = () => window.requestIdleCallback ? requestIdleCallback(load, { timeout: 2000 }) : setTimeout(load, 200);
  if (document.readyState === "complete") whenIdle();
  else addEventListener("load", whenIdle);
  document.addEventListener("htmx:sse:after:connection", (event) => {
    if (event.detail.connection.status < 300) attach(); // retry a load that failed while offline
  });
};
