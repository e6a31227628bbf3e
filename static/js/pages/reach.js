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

const onAnswer = ({ target, detail }) => {
  if (!isOurs(target)) return;
  isUnderway = false;
  if (isChanged) setTimeout(() => save(target));
  else if (detail.ctx.response?.status < 300) place()?.replaceChildren(document.querySelector("[data-saved-words]").content.cloneNode(true));
};

install({
  start: () => {
    document.addEventListener("change", onChange);
    document.addEventListener("htmx:finally:request", onAnswer);
  },
});
