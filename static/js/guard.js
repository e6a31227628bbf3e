// What someone is editing stays as it is while the page around it changes: hx-morph-skip on the nearest
// [data-guard] (or on the field itself) from the first change until it is sent, reset or emptied again.
const FIELDS = "input:not([type=hidden]):not([type=search]), textarea, select";
const CHOICES = "select, [type=checkbox], [type=radio]"; // focus alone does not mean that somebody is writing

const region = (field) => field.closest("[data-guard]") ?? field;
const fieldsOf = (node) => node.matches(FIELDS) ? [node] : [...node.querySelectorAll(FIELDS)];

const changed = (field) => {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field instanceof HTMLSelectElement) return chosen(field).some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
};

// Without a default the browser chooses the first option of a select, which is no change.
const chosen = (select) => {
  const options = [...select.options];
  return options.some((option) => option.defaultSelected) || select.selectedIndex > 0 ? options : [];
};

const writing = (field) => field === document.activeElement && !field.matches(CHOICES) && !field.closest("dialog");
const dirty = (node) => fieldsOf(node).some((field) => changed(field) || writing(field));

const words = (form) => JSON.stringify([...form.querySelectorAll(FIELDS)].map((field) => field.value));
const onTheWay = new WeakMap(); // the values of a [data-reset] form when it was sent
const sent = new WeakSet(); // regions of [data-guard="until-sent"] that wait for news, which may come before the answer

const check = (node) => {
  if (sent.has(node)) return;
  const editing = node.matches("[data-guard]") && node.querySelector("[data-editing]") !== null;
  node.toggleAttribute("hx-morph-skip", editing || dirty(node));
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

// The current values of the fields are the saved ones.
const settle = (form) => {
  for (const field of form.querySelectorAll(FIELDS)) {
    if (field instanceof HTMLSelectElement) for (const option of field.options) option.defaultSelected = option.selected;
    else if (field.matches(CHOICES)) field.defaultChecked = field.checked;
    else field.defaultValue = field.value;
  }
};

const release = (event) => {
  const form = event.target;
  if (!form.matches?.("form")) return;
  const isSaved = event.type === "htmx:after:request" && event.detail.ctx.response?.status < 300;
  if (event.type !== "reset" && !isSaved) sent.delete(region(form));
  if (event.type === "reset") setTimeout(() => check(region(form)));
  else if (isSaved && form.method === "post") {
    if (!form.hasAttribute("data-reset")) settle(form);
    else if ((onTheWay.get(form) ?? words(form)) === words(form)) form.reset(); // else somebody writes on
    region(form).removeAttribute("hx-morph-skip");
  }
};

// A select that somebody used keeps its choice although the page says another. Where a choice is saved at once, the page is right.
const follow = () => {
  for (const select of document.querySelectorAll("form[method=post][hx-trigger] select")) {
    if (!changed(select) || select.closest("[hx-morph-skip]")) continue;
    for (const option of select.options) option.selected = option.defaultSelected;
  }
};

export const start = () => {
  document.addEventListener("input", onField);
  document.addEventListener("focusin", onField);
  document.addEventListener("focusout", (event) => setTimeout(() => event.target.isConnected && onField(event)));
  document.addEventListener("reset", release);
  document.addEventListener("htmx:before:request", onSend);
  document.addEventListener("htmx:after:request", release);
  document.addEventListener("htmx:after:swap", follow);
  addEventListener("beforeunload", (event) => {
    if ([...document.querySelectorAll("form[data-guard-unload]")].some((form) => [...form.querySelectorAll(FIELDS)].some(changed))) event.preventDefault();
  });
};

export const attach = (root) => {
  const guards = [root.closest("[data-guard]"), ...root.querySelectorAll("[data-guard]")];
  for (const guard of guards) if (guard?.querySelector("[data-editing]")) check(guard);
};
