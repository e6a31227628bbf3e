// form[data-diff]: comments at the lines of a diff, sent as the note of sending back. What was written is kept in this tab
// until it is sent, also when the diff is another one by then: comments at lines that are gone stand at its end.
import { senderOf } from "../forms.js";
const nameOf = (form) => `diff:${form.dataset.diff}`;
const fieldsOf = (form) => [...form.querySelectorAll("textarea")];
const buttonsOf = (place) => [...place.querySelectorAll(".diff-at")];
const buttonOf = (field) => buttonsOf(field.form).find((one) => one.value === field.name);
const sent = new WeakSet();
let writing; // the field with the focus before a swap, and its selection

const keep = (form) => {
  const typed = Object.fromEntries(fieldsOf(form).filter((one) => one.value.trim()).map((one) => [one.name, one.value]));
  const count = Object.keys(typed).filter((name) => name !== "note").length;
  const words = form.querySelector("[data-diff-send] span") ?? form.querySelector("[data-diff-send]").lastChild;
  words.textContent = count ? `Request changes with ${count} ${count === 1 ? "comment" : "comments"}` : "Request changes";
  try {
    if (!sent.has(form)) sessionStorage.setItem(nameOf(form), JSON.stringify(typed));
  } catch { /* not kept */ }
};

const made = (form, name, label) => {
  const place = form.querySelector("[data-line-template]").content.firstElementChild.cloneNode(true);
  const field = Object.assign(place.querySelector("textarea"), { name });
  field.setAttribute("aria-label", label);
  return place;
};

/** Return the field at a line, made where it is not there yet. */
const fieldAt = (form, name) => {
  const known = fieldsOf(form).find((one) => one.name === name);
  if (known) return known;
  const button = buttonsOf(form).find((one) => one.value === name);
  if (!button) {
    const [, , line, ...path] = name.split(":");
    const place = made(form, name, `Comment on ${path.join(":")}`);
    place.prepend(Object.assign(document.createElement("p"), { className: "small", textContent: `${path.join(":")}${line && `:${line}`}, as it was when you wrote` }));
    form.querySelector("[data-line-rest]").append(place);
    return place.querySelector("textarea");
  }
  const place = made(form, name, button.getAttribute("aria-label"));
  const line = button.closest("tr");
  if (line) {
    const row = Object.assign(document.createElement("tr"), { className: "diff-comment" });
    row.append(Object.assign(document.createElement("td"), { colSpan: 3 }));
    row.firstChild.append(place);
    line.after(row);
  } else button.after(place);
  return place.querySelector("textarea");
};

const remove = (field) => {
  const [form, button] = [field.form, buttonOf(field)];
  (field.closest("tr.diff-comment") ?? field.closest(".line-comment")).remove();
  keep(form);
  (button ?? form.elements.note).focus();
};

const onClick = (event) => {
  const form = event.target.closest?.("form[data-diff]");
  const button = event.target.closest?.(".diff-at");
  if (!form) return;
  if (button) event.preventDefault();
  if (button) fieldAt(form, button.value).focus();
  if (event.target.closest("[data-line-remove]")) remove(event.target.closest(".line-comment").querySelector("textarea"));
};

const onKey = (event) => {
  const button = event.target.closest?.("form[data-diff] .diff-at");
  if (button && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const all = buttonsOf(button.form).filter((one) => one.checkVisibility());
    const next = all[all.indexOf(button) + (event.key === "ArrowDown" ? 1 : -1)];
    next?.focus();
  }
  const field = event.target.closest?.("form[data-diff] .line-comment textarea");
  const isSaved = event.key === "Enter" && (event.ctrlKey || event.metaKey); // the comment is kept; only the button sends
  if (!field || !(isSaved || event.key === "Escape") || event.isComposing) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!field.value.trim()) return remove(field);
  (buttonOf(field) ?? field.form.elements.note).focus();
};

const restore = (form) => {
  let typed = {};
  try { typed = JSON.parse(sessionStorage.getItem(nameOf(form))) ?? {}; } catch { /* not kept */ }
  for (const [name, text] of Object.entries(typed)) (name === "note" ? form.elements.note : fieldAt(form, name)).value ||= text;
  keep(form);
  for (const file of form.querySelectorAll(".diff")) buttonsOf(file).forEach((one, place) => { one.tabIndex = place > 1 ? -1 : 0; });
  if (writing?.form !== form.id) return;
  const field = fieldsOf(form).find((one) => one.name === writing.name);
  if (!field || document.activeElement === field) return;
  field.focus();
  field.setSelectionRange(...writing.at);
};

const remember = () => {
  const field = document.activeElement;
  const form = field?.matches?.("form[data-diff] textarea") && field.form;
  writing = form ? { form: form.id, name: field.name, at: [field.selectionStart, field.selectionEnd] } : undefined;
};

export const start = () => {
  document.addEventListener("input", (event) => { const form = event.target.closest?.("form[data-diff]"); if (form) keep(form); });
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("htmx:before:swap", remember);
  document.addEventListener("htmx:after:swap", () => document.querySelectorAll("form[data-diff]").forEach(restore));
  document.addEventListener("htmx:after:request", (event) => {
    const form = senderOf(event);
    if (!form.matches?.("form[data-diff]") || event.detail.ctx.response?.status >= 300) return;
    sent.add(form);
    try { sessionStorage.removeItem(nameOf(form)); } catch { /* was not kept */ }
  });
};

export const attach = (root) => {
  for (const form of document.querySelectorAll("form[data-diff]")) if (root.contains(form)) restore(form);
};
