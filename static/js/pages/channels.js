// How somebody is reached: the form saves by itself when a choice changes, and says so. What changes while it is on its
// way is sent after it.
import { install } from "../app.js";

let isUnderway = false, isChanged = false;
const isOurs = (form) => form?.matches?.("form[data-autosave]");
const place = () => document.querySelector("[data-saved]");

const save = (form) => {
  isChanged = isUnderway;
  if (isUnderway) return;
  isUnderway = true;
  place()?.replaceChildren();
  form.requestSubmit();
};

const onChange = ({ target }) => {
  if (!isOurs(target.form) || target.matches("[data-saved-later]") || !target.validity.valid) return;
  if (target.type === "time" && !target.value) return; // half of it is typed
  save(target.form);
};

// What is saved is no change: news may replace it (guard.js looks only at fields inside of a form).
const settle = (form) => {
  for (const field of form.elements) {
    if (field instanceof HTMLSelectElement) for (const option of field.options) option.defaultSelected = option.selected;
    else if (field.type === "checkbox" || field.type === "radio") field.defaultChecked = field.checked;
    else field.defaultValue = field.value;
    field.removeAttribute("hx-morph-skip");
  }
};

// What somebody ticked or chose keeps that although the page says another since: where it was saved, the page is right.
const follow = () => {
  for (const field of isUnderway ? [] : document.querySelector("form[data-autosave]")?.elements ?? []) {
    if (field.hasAttribute("hx-morph-skip")) continue;
    if (field instanceof HTMLSelectElement) for (const option of field.options) option.selected = option.defaultSelected;
    else if (field.type === "checkbox" || field.type === "radio") field.checked = field.defaultChecked;
  }
};

const onAnswer = ({ target, detail }) => {
  if (!isOurs(target)) return;
  isUnderway = false;
  if (isChanged) return void setTimeout(() => save(target));
  if (!(detail.ctx.response?.status < 300)) return;
  settle(target);
  place()?.replaceChildren(document.querySelector("[data-saved-words]").content.cloneNode(true));
};

install({
  start: () => {
    document.addEventListener("change", onChange);
    document.addEventListener("htmx:finally:request", onAnswer);
    document.addEventListener("htmx:after:swap", follow);
  },
});
