// While somebody writes in the list, its changes wait and their number is shown; everything else on the page goes on.
import { openNotes } from "./notes.js";
import { all, waits } from "./rows.js";

let kept = null; // the newest list that came meanwhile

const chip = () => document.getElementById("needs-held");
const isWriting = () => openNotes().some((place) => place.closest("#queue"));

const idsIn = (fragment) => new Set([...fragment.querySelectorAll(".need[data-pending]")].map((row) => row.id));

const show = () => {
  const button = chip();
  if (!button) return;
  const next = kept ? idsIn(kept) : new Set();
  const now = new Set(all().filter(waits).map((row) => row.id));
  const number = kept ? [...next].filter((id) => !now.has(id)).length + [...now].filter((id) => !next.has(id)).length : 0;
  button.hidden = number === 0;
  button.querySelector("span").textContent = `${number} ${number === 1 ? "change" : "changes"}`;
  button.title = "They are shown when you have sent or closed your note, or now";
};

const hold = (event) => {
  if (!isWriting()) return;
  const { tasks } = event.detail;
  for (const task of [...tasks ?? []]) {
    if (task.target !== "#queue" && task.target?.id !== "queue") continue;
    kept = task.fragment;
    tasks.splice(tasks.indexOf(task), 1);
  }
  show();
};

const release = () => {
  if (kept === null) return;
  const box = document.createElement("div");
  box.append(kept.cloneNode(true));
  kept = null;
  show();
  htmx.swap({ text: `<hx-partial hx-target="#queue" hx-swap="innerMorph">${box.innerHTML}</hx-partial>`, target: document.body, swap: "none", sourceElement: document.getElementById("live") ?? document.body });
};

export const start = () => {
  document.addEventListener("htmx:before:swap", hold);
  document.addEventListener("needs:note", () => { if (!isWriting()) release(); });
  document.addEventListener("click", (event) => { // what is written stays as a draft of its row
    if (!event.target.closest?.("#needs-held")) return;
    for (const place of openNotes()) { place.hidden = true; place.querySelector("textarea").disabled = true; }
    release();
  });
};
