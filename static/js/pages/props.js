// Properties of a task: the browser's calendar beside typed dates, Escape takes back, tags are narrowed by typing.
// The next and the previous task, and the comment that the address names.
import * as dress from "../dress.js";
const step = (event, link) => {
  event.preventDefault();
  const cards = [...document.querySelectorAll("#columns .card [data-panel-link], .grid [data-panel-link]")];
  const open = document.querySelector("#panel [data-panel-task]")?.dataset.panelTask;
  const at = cards.findIndex((link) => link.closest(`[id="${open}"]`) || link.getAttribute("href")?.endsWith(open?.replace("task-", "/tasks/")));
  if (at >= 0) cards[at + Number(link.dataset.panelStep)]?.click();
  else if (!link.hasAttribute("aria-disabled")) dress.open(link); // its card is not on the page
};

const undo = (event) => {
  const field = event.target;
  if (event.key !== "Escape" || !field.matches?.(".prop :is(input, textarea).input") || field.value === field.defaultValue) return;
  field.value = field.defaultValue;
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

const pick = (event) => {
  const typed = event.target.dataset?.pick && document.getElementById(event.target.dataset.pick);
  if (!typed) return;
  event.stopPropagation();
  typed.value = event.target.value;
  typed.form.requestSubmit();
};

// Note or Comment: who chose one writes it, and what was typed in the other goes along.
const write = (event) => {
  const label = event.target.closest(".composer-kind label");
  if (!label || event.target.matches("input")) return;
  setTimeout(() => [...label.closest(".composers").querySelectorAll("textarea")].find((one) => one.checkVisibility())?.focus());
};
const carry = (event) => {
  if (!event.target.matches?.(".composer-kind input")) return;
  const fields = [...event.target.closest(".composers").querySelectorAll("textarea")];
  const [to, from] = fields.sort((one, other) => other.checkVisibility() - one.checkVisibility());
  if (to.value || !from.value) return;
  [to.value, from.value] = [from.value, ""];
  for (const field of fields) field.dispatchEvent(new Event("input", { bubbles: true }));
};

// A field that has the focus keeps what was typed when its saved value comes: `fri` becomes the day, unless somebody writes on.
const sent = new WeakMap();
const fieldIn = (event) => event.target.matches?.(".prop form") && event.target.querySelector(":is(input, textarea).input");
const remember = (event) => {
  const field = fieldIn(event);
  if (field) sent.set(field, field.value);
};
const take = (event) => {
  const field = fieldIn(event);
  if (!field || event.detail.ctx.response?.status >= 300 || sent.get(field) !== field.value) return;
  field.value = field.defaultValue;
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

const narrow = (event) => {
  if (!event.target.matches?.("[data-narrow]")) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const item of event.target.closest(".menu").querySelectorAll(".menu-item")) item.hidden = !item.textContent.toLowerCase().includes(wanted);
};

export const start = () => {
  document.addEventListener("keydown", undo, true);
  document.addEventListener("change", pick, true);
  document.addEventListener("input", narrow);
  document.addEventListener("htmx:before:request", remember);
  document.addEventListener("htmx:finally:request", take);
  document.addEventListener("click", write);
  document.addEventListener("change", carry);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-panel-step]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) step(event, link);
  });
};

let shown = "";
export const attach = () => {
  const linked = document.querySelector("[data-linked]");
  if (!linked || linked.id === shown) return;
  shown = linked.id;
  linked.scrollIntoView({ block: "center" });
};
