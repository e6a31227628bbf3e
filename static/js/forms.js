// Small conveniences of forms: [data-focus] puts the focus where its link points, Ctrl Enter sends [data-send].
// What is on its way is not sent twice, however often Enter is pressed, and a decision arrives although its reader leaves the page.
const PATIENCE = 10_000;
const SMALL = 1000; // browsers let 64 KiB in all outlive their page, and refuse what is more
const underway = new WeakSet();
const senders = new WeakMap();

/** The element that sent a request. The event names another one when a live change took that element off the page meanwhile. */
export const senderOf = (event) => senders.get(event.detail?.ctx) ?? event.target;

const begin = (form) => {
  underway.add(form);
  setTimeout(() => underway.delete(form), PATIENCE);
};

const once = (event) => {
  const form = event.target;
  if (form.getAttribute("method") !== "post") return;
  if (underway.has(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  } else if (!form.hasAttribute("hx-post")) { // htmx tells when its own begin and end
    setTimeout(() => { if (!event.defaultPrevented) begin(form); });
    addEventListener("pageshow", () => underway.delete(form), { once: true });
  }
};

const focus = (event) => {
  const link = event.target.closest?.("[data-focus]");
  const field = link && document.querySelector(link.getAttribute("href"));
  if (!field) return;
  event.preventDefault();
  const details = field.closest("details");
  if (details) details.open = true;
  field.focus();
  field.scrollIntoView({ block: "nearest", inline: "nearest" });
};

const send = (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  const form = event.target.closest?.("form[data-send]");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
};

const opened = (event) => { // a quick add that was opened by hand wants a title
  if (event.target.matches?.("details.column-add") && event.target.open && event.target.contains(document.activeElement)) event.target.querySelector(".input").focus();
};

export const start = () => {
  document.addEventListener("submit", once, true);
  document.addEventListener("htmx:before:request", (event) => {
    const { target, detail: { ctx } } = event;
    senders.set(ctx, target);
    if (target.matches?.("form")) begin(target);
    if (target.matches?.("form:has([name=substance])")) ctx.request.keepalive = String(ctx.request.body).length < SMALL;
  });
  document.addEventListener("htmx:finally:request", (event) => underway.delete(senderOf(event)));
  document.addEventListener("click", focus);
  document.addEventListener("keydown", send);
  document.addEventListener("toggle", opened, true);
};
