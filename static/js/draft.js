// form[data-draft="<key>"]: restore unsent input when the form returns in this tab.
// What others changed since is shown by [data-draft-changed], else noticed when it is sent: by the version that was edited.
import { senderOf } from "./forms.js";

const FIELDS = "textarea, input:not([type]), input[type=text]";
const nameOf = (form) => `draft:${form.dataset.draft}`;
const fieldsOf = (form) => [...form.querySelectorAll(FIELDS)];

const write = (form) => {
  const typed = Object.fromEntries(fieldsOf(form).filter((field) => field.value !== field.defaultValue).map((field) => [field.name, field.value]));
  try {
    if (Object.keys(typed).length) sessionStorage.setItem(nameOf(form), JSON.stringify({ typed, of: form.elements.version?.value }));
    else sessionStorage.removeItem(nameOf(form));
  } catch { /* not kept */ }
};

const forget = (form) => { try { sessionStorage.removeItem(nameOf(form)); } catch { /* was not kept */ } };

const restore = (form) => {
  let kept;
  try { kept = JSON.parse(sessionStorage.getItem(nameOf(form))); } catch { return; }
  let isBack = false;
  for (const field of fieldsOf(form)) {
    const typed = kept?.typed?.[field.name] ?? field.value;
    if (typed === field.value || field.value !== field.defaultValue) continue;
    field.value = typed;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    isBack = true;
  }
  const version = form.elements.version;
  if (!isBack || !kept.of || !version || kept.of === version.value) return;
  const notice = form.querySelector("[data-draft-changed]");
  if (notice) notice.hidden = false;
  else version.value = kept.of;
};

export const start = () => {
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-draft]");
    if (form) write(form);
  });
  document.addEventListener("click", (event) => {
    const form = event.target.closest?.("[data-draft-drop]")?.closest("form[data-draft]");
    if (form) forget(form);
  });
  document.addEventListener("htmx:after:request", (event) => {
    const form = senderOf(event);
    if (form.matches?.("form[data-draft]") && event.detail.ctx.response?.status < 300) forget(form);
  });
};

export const attach = (root) => {
  const forms = [...root.querySelectorAll("form[data-draft]")];
  if (root.matches("form[data-draft]")) forms.push(root);
  for (const form of forms) restore(form);
};
