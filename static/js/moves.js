// Moves of cards. A drag, the keys and the menu send the same form, which is made when it is needed: boards show hundreds
// of cards. All cards share one menu, which is filled for the card whose button is pressed.
import { place } from "./dialog.js";
import { senderOf } from "./forms.js";
let button = null; // whose menu is open
let closed = null; // the button whose menu this press closes

const menu = () => document.getElementById("card-menu");
const cardOf = (element) => element?.closest("[data-task]");

/** Send a move of a card, or another act, by its form. Null while another one of the card is on its way. */
export const move = (card, fields, act = "moves") => {
  const url = card.querySelector(".card-menu")?.getAttribute("formaction").replace(/moves$/, act);
  if (!url || document.querySelector(`form[data-move="${CSS.escape(card.id)}"]`)) return null;
  const form = Object.assign(document.createElement("form"), { method: "post", action: url, hidden: true });
  form.dataset.move = form.dataset.at = card.id;
  form.setAttribute("hx-post", url);
  form.setAttribute("hx-swap", "none");
  const seen = card.querySelector("[name=seen]")?.value; // the id of its task, and what is shown of its code
  if (seen && act === "moves") fields = { ...fields, substance: seen.slice(seen.indexOf(" ") + 1) };
  for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  document.body.append(form);
  htmx.process(form);
  form.requestSubmit();
  return form;
};

const open = (pressed) => {
  button = pressed;
  const card = cardOf(button);
  const status = card.closest("[data-sortable]")?.dataset.sortable ?? card.dataset.status;
  for (const one of menu().querySelectorAll("[name=status]")) one.setAttribute("aria-current", one.value === status);
  menu().querySelector("[name=start]").hidden = status !== "inbox";
  menu().setAttribute("aria-label", button.getAttribute("aria-label"));
  menu().showPopover({ source: button });
  place(menu(), button);
};

const act = (item) => {
  const card = document.getElementById(cardOf(button)?.id);
  if (!card) return; // it left the board meanwhile
  if (item.name === "start") htmx.ajax("GET", button.getAttribute("formaction").replace(/moves$/, "start"), { target: "#dialogs", swap: "innerHTML" });
  else if (item.name === "select") card.querySelector(".pick")?.click();
  else if (item.name === "duplicate") move(card, {}, "duplicates");
  else move(card, { [item.name]: item.value });
};

const onClick = (event) => {
  const pressed = event.target.closest(".card-menu");
  if (pressed && menu()) {
    event.preventDefault();
    if (closed !== pressed) open(pressed);
    closed = null;
    return;
  }
  const item = event.target.closest("#card-menu button");
  if (item) act(item);
};

export const start = () => {
  document.addEventListener("pointerdown", (event) => {
    closed = menu()?.matches(":popover-open") && event.target.closest(".card-menu") === button ? button : null;
  }, true);
  document.addEventListener("click", onClick, true);
  document.addEventListener("scroll", () => { if (menu()?.matches(":popover-open") && button.isConnected) place(menu(), button); }, { capture: true, passive: true });
  document.addEventListener("htmx:finally:request", (event) => {
    const form = senderOf(event);
    if (form.matches?.("form[data-move]")) setTimeout(() => form.remove());
  });
};
