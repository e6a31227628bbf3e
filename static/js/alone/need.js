// The page of one need, which stands without the shell: keys, words that are wanted, what changed meanwhile, a lost line.
import * as draft from "../draft.js";
import * as forms from "../forms.js";
import * as guard from "../guard.js";
import * as live from "../live.js";
import * as looking from "../looking.js";
import * as seen from "../seen.js";
import * as shortcuts from "../shortcuts.js";
import * as time from "../time.js";
import { write } from "../copy.js";

const modules = [time, forms, seen, guard, draft, shortcuts, live, looking];
const alert = (...said) => document.getElementById("alert-region")?.replaceChildren(...said);
const note = (form) => form.querySelector(".need-write");
let chosen = null; // the button whose words are being written

const stress = (button) => { // the answer whose words are written, and no other
  for (const one of button.form.querySelectorAll("[data-kind=primary]")) delete one.dataset.kind;
  button.dataset.kind = "primary";
};

const ask = (button) => { // words that are required are asked for here, before anything is sent
  const place = note(button.form);
  const field = place.querySelector("textarea");
  const label = button.dataset.noteLabel;
  if (chosen === button && place.open) field.setAttribute("aria-invalid", "true");
  place.open = true;
  place.querySelector("summary span").textContent = label;
  field.setAttribute("aria-label", label);
  stress(button);
  chosen = button;
  field.focus();
};

const onClick = (event) => {
  alert();
  const copied = event.target.closest?.("[data-copy-text]");
  if (copied) write(copied.dataset.copyText).then(() => { copied.querySelector("span").textContent = "Copied"; });
  const button = event.target.closest?.("button[data-note=required]");
  if (!button || note(button.form).querySelector("textarea").value.trim()) return;
  event.preventDefault();
  ask(button);
};

const onKey = (event) => { // Ctrl Enter gives the answer whose words these are
  const field = event.target.closest?.(".need-write textarea");
  if (!field || event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  event.preventDefault();
  const only = field.form.querySelectorAll("button[data-note=required]");
  const button = chosen?.isConnected ? chosen : only.length === 1 ? only[0] : null;
  if (button) button.click();
};

const onSwap = (event) => { // what became of the answer is read first
  if (event.target.id !== "page") {
    if (chosen?.isConnected && note(chosen.form)?.open) stress(chosen);
    return;
  }
  chosen = null;
  scrollTo(0, 0);
  document.querySelector("[data-land]")?.focus({ preventScroll: true });
};

const onLost = (event) => {
  if (!event.target.matches?.("form.need-answers") && event.target.id !== "page") return;
  alert("Not sent: this device is offline, or the server does not answer. Nothing was decided, and what you wrote is kept.");
};

const attach = (root) => {
  for (const module of modules) module.attach?.(root);
  for (const field of document.querySelectorAll(".need-write textarea")) if (field.value) field.closest("details").open = true;
};

const start = () => {
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("input", (event) => { if (event.target.matches?.(".need-write textarea")) event.target.removeAttribute("aria-invalid"); });
  document.addEventListener("htmx:after:swap", onSwap);
  document.addEventListener("htmx:error", onLost);
  document.addEventListener("resync", () => location.reload());
  addEventListener("online", () => alert());
  for (const module of modules) module.start?.();
  attach(document.body);
  document.addEventListener("htmx:after:process", (event) => attach(event.target));
  navigator.serviceWorker?.register("/service-worker.js").catch(() => {}); // not over plain HTTP
};

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
