// What only an open task needs: its styles and modules come with the first one.
const STYLE = "css/pages/task.css";
let style;
let module;

const styled = () => Boolean(document.querySelector(`link[href$="${STYLE}"]:not([data-late])`));

const dress = () => style ??= new Promise((resolve) => {
  if (styled()) return resolve();
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL(`../${STYLE}`, import.meta.url) });
  link.dataset.late = "";
  link.addEventListener("load", () => { delete link.dataset.late; resolve(); });
  link.addEventListener("error", () => { style = undefined; link.remove(); resolve(); });
  document.head.append(link);
});

export const tools = () => module ??= import(new URL("pages/tools.js", import.meta.url)).catch((error) => {
  module = undefined; // the network was away; the next task may bring it
  if (error instanceof SyntaxError) throw error;
});

/** Open beside the board what a link leads to. */
export const open = (link) => {
  htmx.ajax("GET", link.getAttribute("href"), {
    source: link, target: "#panel", select: "#panel > *", swap: "innerHTML", push: "true", headers: { "HX-Target": "section#panel" },
  });
};

/** The same, when a link is followed. Links say nothing of htmx: boards show hundreds of them. */
export const follow = (event, link) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || link.hasAttribute("hx-get")) return;
  event.preventDefault();
  open(link);
};

export const start = () => {
  for (const sign of ["pointerover", "focusin"]) document.addEventListener(sign, (event) => { if (event.target.closest?.("[data-panel-link][href*='/tasks/']")) dress(); });
  document.addEventListener("htmx:before:swap", (event) => { // never a task without its styles
    const { ctx } = event.detail;
    if (!ctx.text?.includes("data-panel-task") || styled() || ctx.waited) return;
    event.preventDefault();
    ctx.waited = true;
    dress().then(() => htmx.swap(ctx));
  });
};
