// One toast at a time for 8 s; its Undo can be pressed by Z for ten minutes, unless another toast came. Sources: a "toast" event (HX-Trigger), <template data-toast>, a refused request.
let timer;
const refused = new WeakMap(); // why, of requests that were refused

const region = () => document.getElementById("toasts");

export const isShown = () => region()?.matches(":popover-open") ?? false;

const hide = (keeps = false) => {
  clearTimeout(timer);
  const toasts = region();
  if (toasts?.matches(":popover-open")) toasts.hidePopover();
  keeps ? timer = setTimeout(hide, 592_000) : toasts?.replaceChildren(); // until then Z takes back what it said
};

const wait = () => {
  clearTimeout(timer);
  timer = setTimeout(() => region()?.matches(":hover, :focus-within") ? wait() : hide(true), 8000);
};

const undoForm = ({ action, fields = {}, label = "Undo" }) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action });
  form.setAttribute("hx-post", action);
  form.setAttribute("hx-swap", "none");
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  const button = Object.assign(document.createElement("button"), { className: "btn", textContent: label });
  button.dataset.key = "z";
  button.append(document.createElement("kbd"));
  button.lastChild.dataset.word = "Z";
  button.lastChild.setAttribute("aria-hidden", "true");
  form.append(button);
  return form;
};

export const show = ({ message, undo, kind = "done", content }) => {
  const toasts = region();
  const template = document.getElementById("toast-template");
  if (!toasts || !template || !(message || content)) return;
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.dataset.kind = kind;
  if (kind === "error") {
    const use = toast.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#circle-alert"));
  }
  toast.querySelector("p").append(content ?? message);
  toast.querySelector(".btn-row").append(...toast.querySelectorAll("p > a.btn")); // a button stays in its form
  if (undo) toast.querySelector(".btn-row").append(undoForm(undo));
  hide();
  toasts.append(toast);
  toasts.showPopover();
  window.htmx?.process(toast);
  document.getElementById(kind === "error" ? "alert-region" : "status-region")?.replaceChildren(toast.querySelector("p").textContent);
  wait();
};

/** The sentence of an answer that refused: [data-reason] of an error page, the reasons of a form, or plain text. */
export const reason = (ctx) => {
  const text = ctx.text ?? "";
  const found = new DOMParser().parseFromString(text, "text/html").querySelector("[data-reason]");
  const words = ({ textContent }) => textContent.trim().replace(/\s+/g, " ");
  if (found) return [...found.querySelectorAll("li")].map(words).join(" ") || words(found);
  const plain = ctx.response?.headers?.get("content-type")?.startsWith("text/plain");
  return plain && text.length < 300 ? text : "That did not work. Nothing was changed.";
};

/** Say a refusal where it happened, until the next attempt there. False when nothing of it can be seen. */
const PLACES = ".card, .fact, .step, .linked, .row, .approval, .agent-row, .reach-line";
const sayThere = (form, message) => {
  const near = document.getElementById(form.dataset.at ?? "") ?? form.closest?.(PLACES) ?? form;
  const place = near.isConnected ? near : document.getElementById(near.id); // the answer may have brought it anew
  if (!place?.matches(`form, ${PLACES}`) || !place.checkVisibility() || form.closest("#toasts, dialog, .page-header")) return false;
  const box = place.getBoundingClientRect();
  if (box.bottom < 0 || box.top > innerHeight) return false;
  place.append(Object.assign(document.createElement("p"), { className: "refusal", textContent: message }));
  document.getElementById("alert-region")?.replaceChildren(message);
  return true;
};

const isPage = (ctx) => /^\s*<!doctype/i.test(ctx.text ?? "");

export const start = () => {
  document.addEventListener("toast", (event) => show(event.detail));
  document.addEventListener("click", (event) => { if (event.target.closest("[data-toast-close]")) hide(); });
  document.addEventListener("htmx:after:request", (event) => { if (event.target.closest?.("#toasts")) hide(); });
  document.addEventListener("htmx:before:swap", (event) => { // an error page never lands inside a region
    const { ctx } = event.detail;
    if (ctx.response?.status >= 400 && isPage(ctx)) event.preventDefault();
  });
  document.addEventListener("htmx:before:request", (event) => {
    if (event.target.closest?.("#live, #filters, #away")) return;
    for (const said of document.querySelectorAll(".refusal")) if (!said.closest("[hx-morph-skip]") || said.parentNode.contains(event.target)) said.remove(); // what is not saved says so
  });
  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement.closest?.("#live, #palette, #away")) return;
    if (!isPage(ctx) && ctx.text?.includes("data-auto-open")) return; // a dialog offers the alternatives
    if (!isPage(ctx) && ctx.swap !== "none") return;
    refused.set(ctx, reason(ctx));
  });
  document.addEventListener("htmx:finally:request", (event) => { // after the response was swapped in
    const { ctx } = event.detail;
    const message = refused.get(ctx);
    if (message && !sayThere(ctx.sourceElement, message)) show({ message, kind: "error" });
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.response || event.target.closest?.("#live, #palette, #away")) return;
    show({ message: "The server cannot be reached. Nothing was changed.", kind: "error" });
  });
};

export const attach = (root) => {
  for (const template of root.querySelectorAll("template[data-toast]")) {
    const undo = template.dataset.undo ? { action: template.dataset.undo } : undefined;
    show({ content: template.content.cloneNode(true), undo, kind: template.dataset.toast || "done" });
    template.remove();
  }
};
