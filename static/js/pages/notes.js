// The words of an answer: the field opens in the row, Escape closes it and keeps what was written.
import { write } from "../copy.js";
import { focus, isField, nextOf } from "./rows.js";

const formOf = (button) => button.form ?? document.getElementById(button.getAttribute("form"));
export const openNotes = () => [...document.querySelectorAll(".need-write:not([hidden])")];

const close = (place, { focusRow = true } = {}) => {
  place.hidden = true;
  place.querySelector("textarea").disabled = true;
  const row = place.closest(".need");
  if (focusRow) row ? focus(row) : place.closest(".peek")?.querySelector("[data-key=r], .btn")?.focus();
  document.dispatchEvent(new CustomEvent("needs:note"));
};

const open = (form, button) => {
  const place = form.querySelector(".need-write");
  const send = place.querySelector("[data-note-send]");
  for (const other of openNotes()) if (other !== place) close(other, { focusRow: false });
  place.querySelector("[data-note-title]").textContent = button.dataset.noteLabel;
  send.value = button.value;
  send.querySelector("span").textContent = button.dataset.keyLabel;
  place.hidden = false;
  const field = place.querySelector("textarea");
  field.disabled = false;
  field.focus();
  place.scrollIntoView({ block: "nearest" });
  document.dispatchEvent(new CustomEvent("needs:note"));
};

const copy = async (button, isByKey) => { // its row stays until the command was run; by a key the focus goes on
  await write(button.dataset.copyText);
  button.querySelector("span").textContent = "Copied";
  document.getElementById("status-region")?.replaceChildren("Copied");
  const row = button.closest("#queue .need");
  if (row && isByKey) focus(nextOf(row.id) ?? row);
};

const onClick = (event) => {
  const button = event.target.closest?.("button[data-note=required]");
  if (button && !button.hasAttribute("data-note-send")) {
    event.preventDefault();
    return open(formOf(button), button);
  }
  const cancel = event.target.closest?.("[data-note-close]");
  if (cancel) close(cancel.closest(".need-write"));
  const command = event.target.closest?.("button[data-copy-text]");
  if (command) copy(command, event.detail === 0);
};

const onKey = (event) => {
  const place = isField(event.target) && event.target.closest?.(".need-write");
  if (!place || event.isComposing) return;
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    close(place);
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    place.querySelector("[data-note-send]").click();
  }
};

const onSent = (event) => {
  const form = event.target;
  if (!form.matches?.("form[data-answer]") || event.detail.ctx.response?.status !== 204) return;
  const place = form.querySelector(".need-write");
  if (!place) return;
  place.querySelector("textarea").value = "";
  place.removeAttribute("hx-morph-skip");
  if (!place.hidden) close(place, { focusRow: false });
};

const refuseEmpty = (event) => { // words that are required are asked for here, before anything is sent
  const field = event.target.closest?.(".need-write")?.querySelector("textarea") ?? event.target.querySelector?.(".need-write:not([hidden]) textarea");
  if (!event.submitter?.hasAttribute("data-note-send") || !field || field.value.trim()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  field.setAttribute("aria-invalid", "true");
  document.getElementById("alert-region")?.replaceChildren("Write what should change first.");
  field.focus();
};

export const start = () => {
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("submit", refuseEmpty, true);
  document.addEventListener("input", (event) => { if (event.target.matches?.(".need-write textarea")) event.target.removeAttribute("aria-invalid"); });
  document.addEventListener("htmx:finally:request", onSent);
};
