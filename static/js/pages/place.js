// Alt and the arrows move the focused card: within its column, past the one that is next to it here, and to the next
// column. They send the card's own move form, as a drag does.
import * as moves from "../moves.js";
const CARDS = ":scope > .card";

const move = (card, key) => {
  const list = card.closest("[data-sortable]");
  if (!list || card.hasAttribute("data-fixed")) return false;
  const lists = [...document.querySelectorAll(".card-list[data-sortable]")];
  const across = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const status = (across ? lists[lists.indexOf(list) + across] : list)?.dataset.sortable;
  const all = [...list.querySelectorAll(CARDS)];
  const next = across ? null : all[all.indexOf(card) + (key === "ArrowDown" ? 1 : -1)];
  if (!status || (!across && !next)) return true;
  const beside = across ? {} : { [key === "ArrowUp" ? "before_task_id" : "after_task_id"]: next.dataset.task };
  moves.move(card, { status, ...beside });
  return true;
};

export const start = () => document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !event.key.startsWith("Arrow")) return;
  const card = event.target.closest?.(".card");
  if (!card || event.target.matches("input:not([type=checkbox]), textarea, select") || event.repeat) return;
  if (move(card, event.key)) event.preventDefault();
});
