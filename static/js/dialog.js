// Dialogs and menus. data-dialog-open="id", data-dialog-close, dialog[data-auto-open]; menus are native popovers.
import { senderOf } from "./forms.js";

const open = (dialog) => {
  if (!dialog || dialog.open) return;
  for (const menu of document.querySelectorAll(".menu:popover-open")) menu.hidePopover();
  dialog.showModal();
  (dialog.querySelector("[data-autofocus], [autofocus]") ?? dialog.querySelector(".dialog-body :is(input:not([type=hidden]), textarea, select)"))?.focus();
};

/** Put a menu beside its button: where browsers cannot do it themselves, or do not know the button. */
export const place = (menu, button) => {
  if (!button) return;
  const from = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const below = from.bottom + size.height + 8 < innerHeight;
  const start = menu.dataset.align === "end" ? from.right - size.width : from.left;
  menu.style.top = `${Math.max(8, below ? from.bottom : from.top - size.height - 8)}px`;
  menu.style.left = `${Math.max(8, Math.min(start, innerWidth - size.width - 8))}px`;
};

const walkMenu = (event) => {
  const menu = event.target.closest?.(".menu");
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  const items = [...menu.querySelectorAll(".menu-item")].filter((item) => item.checkVisibility());
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  items.at(next % items.length)?.focus();
  event.preventDefault();
};

export const start = () => {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    if (opener) open(document.getElementById(opener.dataset.dialogOpen));
    if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();
    if (event.target instanceof HTMLDialogElement && outside(event) && !event.target.querySelector("[data-once]")) event.target.close(); // a secret is not lost by a slip
    if (event.target.closest(".menu-item:not([data-stay])")) event.target.closest(".menu")?.hidePopover();
  });
  document.addEventListener("close", (event) => {
    if (event.target.matches?.("#dialogs > dialog")) event.target.remove();
  }, true);
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches?.(".menu") || event.newState !== "open") return;
    if (!CSS.supports("position-area: block-end")) place(event.target, document.querySelector(`[popovertarget="${CSS.escape(event.target.id)}"]`));
    if (document.activeElement?.matches(":focus-visible")) event.target.querySelector(".menu-item")?.focus();
  }, true);
  document.addEventListener("keydown", walkMenu);
  document.addEventListener("htmx:finally:request", (event) => { // a form in a dialog that did its work
    const form = senderOf(event);
    if (form.matches?.("form") && event.detail.ctx.response?.status === 204) form.closest("dialog")?.close();
  });
};

const arrived = new WeakSet(); // elements that took the focus on arrival; they take it only once

const outside = (event) => {
  const box = event.target.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
};

export const attach = (root) => {
  for (const dialog of root.querySelectorAll("dialog[data-auto-open]")) open(dialog);
  if (root.matches("dialog[data-auto-open]")) open(root);
  const wanted = [root, ...root.querySelectorAll("[data-autofocus]")].find((one) => one.matches("[data-autofocus]") && !one.closest("dialog:not([open])"));
  if (!wanted || arrived.has(wanted)) return;
  arrived.add(wanted);
  wanted.focus();
};
