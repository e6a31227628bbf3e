// What someone is editing stays as it is while the page around it changes: hx-morph-skip on the nearest
// [data-guard] (or on the field itself) from the first change until it is sent, reset or emptied again.
const FIELDS = "input:not([type=hidden]):not([type=search]), textarea, select";

const region = (field) => field.closest("[data-guard]") ?? field;

const changed = (field) => {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field instanceof HTMLSelectElement) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
};

const dirty = (node) => {
  const fields = node.matches(FIELDS) ? [node] : [...node.querySelectorAll(FIELDS)];
  return fields.some((field) => changed(field) || (field === document.activeElement && !field.closest("dialog")));
};

const words = (form) => JSON.stringify([...form.querySelectorAll(FIELDS)].map((field) => field.value));
const onTheWay = new WeakMap(); // what a [data-reset] form held when it was sent
const sent = new WeakSet(); // regions of [data-guard="until-sent"] that wait for news, which may come before the answer

const check = (node) => {
  if (sent.has(node)) return;
  const editing = dirty(node) || node.querySelector?.("[data-editing]") !== null && node.matches("[data-guard]");
  node.toggleAttribute("hx-morph-skip", Boolean(editing));
};

const onField = (event) => {
  if (event.target.matches?.(FIELDS)) check(region(event.target));
};

const onSend = (event) => {
  if (event.target.matches?.("form[data-reset]")) onTheWay.set(event.target, words(event.target));
  const node = event.target.closest?.("[data-guard=until-sent]");
  if (!node) return;
  sent.add(node);
  node.removeAttribute("hx-morph-skip");
};

const release = (event) => {
  const form = event.target;
  if (!form.matches?.("form")) return;
  if (event.type !== "reset" && !(event.detail.ctx.response?.status < 300)) sent.delete(region(form));
  if (event.type === "reset") setTimeout(() => check(region(form)));
  else if (event.detail.ctx.response?.status < 300) {
    if (form.hasAttribute("data-reset") && (onTheWay.get(form) ?? words(form)) === words(form)) form.reset(); // else somebody writes on
    region(form).removeAttribute("hx-morph-skip");
  }
};

export const start = () => {
  document.addEventListener("input", onField);
  document.addEventListener("focusin", onField);
  document.addEventListener("focusout", (event) => setTimeout(() => event.target.isConnected && onField(event)));
  document.addEventListener("reset", release);
  document.addEventListener("htmx:before:request", onSend);
  document.addEventListener("htmx:after:request", release);
  addEventListener("beforeunload", (event) => {
    if ([...document.querySelectorAll("form[data-guard-unload]")].some((form) => [...form.querySelectorAll(FIELDS)].some(changed))) event.preventDefault();
  });
};

export const attach = (root) => {
  const holder = root.closest("[data-guard]");
  if (holder?.querySelector("[data-editing]")) holder.toggleAttribute("hx-morph-skip", true);
};
