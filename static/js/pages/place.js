// Alt and the arrows move the focused card: within its column, past the one that is next to it here, and to the next
// column. They send the card's own move form, as a drag does.
const CARDS = ":scope > .card";

const move = (card, key) => {
  const form = card.querySelector("form[data-move]");
  const list = card.closest("[data-sortable]");
  if (!form || !list) return false;
  const lists = [...document.querySelectorAll("[data-sortable]")];
  const across = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const status = (across ? lists[lists.indexOf(list) + across] : list)?.dataset.sortable;
  const button = status && form.querySelector(`button[name=status][value="${CSS.escape(status)}"]`);
  const all = [...list.querySelectorAll(CARDS)];
  const next = across ? null : all[all.indexOf(card) + (key === "ArrowDown" ? 1 : -1)];
  if (!button || (!across && !next)) return true;
  const { before_task_id: before, after_task_id: after } = form.elements;
  before.value = key === "ArrowUp" ? next.dataset.task : "";
  after.value = key === "ArrowDown" ? next.dataset.task : "";
  form.requestSubmit(button);
  before.value = after.value = "";
  return true;
};

export const start = () => document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !event.key.startsWith("Arrow")) return;
  const card = event.target.closest?.(".card");
  if (!card || event.target.matches("input:not([type=checkbox]), textarea, select") || event.repeat) return;
  if (move(card, event.key)) event.preventDefault();
});
