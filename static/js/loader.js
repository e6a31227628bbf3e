// A thin bar at the top while something that a person asked for takes longer than a moment: another page, a panel, a
// form. What a page asks for by itself, and what follows each typed letter, is none of it.
const MOMENT = 150;
const LONGEST = 15_000; // a page that never came: what was asked for is a file, or nothing
const running = new Map(); // what is on its way, with the part of the page that waits for it
let timer = null;

const bar = () => document.getElementById("loader");
const isShown = () => bar()?.matches(":popover-open");
const isAsked = (source) => !source?.closest?.("[hidden], #palette, [role=search], [hx-trigger=load]") && !source?.matches?.("input, textarea, select");

const show = () => {
  if (!bar()) return;
  if (!isShown()) bar().showPopover();
  for (const place of running.values()) place?.setAttribute("aria-busy", "true");
};

const begin = (key, place) => {
  running.set(key, place);
  timer ??= setTimeout(show, MOMENT);
  if (isShown()) show();
};

const finish = (key) => {
  running.get(key)?.removeAttribute("aria-busy");
  if (!running.delete(key) || running.size) return;
  clearTimeout(timer);
  timer = null;
  if (isShown()) bar().hidePopover();
};

const leave = (event) => {
  if (event.destination.sameDocument || event.downloadRequest !== null) return;
  begin("page", document.getElementById("main"));
  setTimeout(() => finish("page"), LONGEST);
};

export const start = () => {
  addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (!event.defaultPrevented && isAsked(ctx.sourceElement)) begin(ctx, ctx.swap === "none" || !ctx.target?.id ? null : ctx.target);
  });
  addEventListener("htmx:finally:request", (event) => finish(event.detail.ctx));
  globalThis.navigation?.addEventListener("navigate", leave);
  globalThis.navigation?.addEventListener("navigateerror", () => finish("page"));
  addEventListener("pageshow", () => finish("page")); // from the browser's memory
};
