// form[data-decide="<row id>"]: when the decision was taken, focus goes to the next row that waits.
import { senderOf } from "./forms.js";

const nextOf = (row) => {
  const all = [...document.querySelectorAll("#queue > [data-nav-item]")];
  const waits = (other) => other !== row && other.hasAttribute("data-pending");
  const at = all.indexOf(row);
  return all.slice(at + 1).find(waits) ?? all.slice(0, Math.max(0, at)).findLast(waits) ?? document.getElementById("queue");
};

const rows = () => [...document.querySelectorAll("#queue > [data-nav-item]")];
let heights = new Map();

// A row decided by another person keeps its space for this visit, so that nothing moves under the pointer.
const measure = (event) => {
  if (event.detail.ctx.sourceElement?.id !== "live") return heights.clear();
  heights = new Map(rows().filter((row) => row.hasAttribute("data-pending")).map((row) => [row.id, row.offsetHeight]));
};
const keepRoom = () => {
  for (const row of rows()) if (!row.hasAttribute("data-pending") && heights.get(row.id) > row.offsetHeight) row.style.minBlockSize = `${heights.get(row.id)}px`;
};

export const start = () => {
  document.addEventListener("htmx:before:swap", measure);
  document.addEventListener("htmx:after:swap", keepRoom);
  document.addEventListener("htmx:finally:request", (event) => {
    const form = senderOf(event).closest?.("form[data-decide]");
    const row = form && document.getElementById(form.dataset.decide);
    if (!row?.closest("#queue") || event.detail.ctx.response?.status !== 204) return;
    setTimeout(() => { // after a dialog that closed has given the focus back
      row.removeAttribute("data-pending");
      const next = nextOf(row);
      next?.focus({ preventScroll: true });
      if (next !== document.getElementById("queue")) next?.scrollIntoView({ block: "nearest" });
    });
  });
};
