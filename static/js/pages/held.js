// While somebody writes in the list, its changes wait and their number is shown; everything else on the page goes on.
import { openNotes } from "./notes.js";
import { all, waits } from "./rows.js";

const PARTS = /^#(queue$|needs-|need-|count-)/;
let kept = []; // what came meanwhile, in order: { target, style, html }

const chip = () => document.getElementById("needs-held");
const isWriting = () => openNotes().some((place) => place.closest("#queue"));
const htmlOf = (fragment) => {
  const box = document.createElement("div");
  box.append(fragment.cloneNode(true));
  return box;
};

/** How many rows came, went or changed. */
const number = () => {
  const ids = new Set();
  for (const { target, box } of kept) {
    if (target.startsWith("#need-")) ids.add(target.slice(1));
    const rows = new Set([...box.querySelectorAll(".need[data-pending]")].map((row) => row.id));
    const now = new Set(all().filter(waits).map((row) => row.id));
    for (const id of rows) if (!now.has(id)) ids.add(id);
    if (target === "#queue") for (const id of now) if (!rows.has(id)) ids.add(id);
  }
  return ids.size;
};

const show = () => {
  const button = chip();
  if (!button) return;
  const changes = number();
  button.hidden = changes === 0;
  button.querySelector("span").textContent = `${changes} ${changes === 1 ? "change" : "changes"}`;
  button.title = "They are shown when you have sent or closed your note, or now";
};

// The row in which somebody writes was decided by somebody else: it says so, and nothing of it can be sent.
const tell = () => {
  const place = openNotes().find((one) => one.closest("#queue"));
  const row = place?.closest(".need[data-pending]");
  const news = row && kept.findLast(({ target }) => target === "#queue" || target === `#${row.id}`)?.box;
  const now = news?.querySelector(`[id="${row.id}"]`);
  if (!news || now?.hasAttribute("data-pending")) return;
  for (const button of row.querySelectorAll("button:not([data-note-close])")) button.disabled = true;
  const said = now?.querySelector(".need-outcome span:last-child")?.textContent.trim() ?? "This no longer waits for an answer.";
  place.querySelector("[data-note-title]").textContent = `${said.replace(/[^.!?]$/, "$&.")} Your words were not sent.`;
  document.getElementById("alert-region")?.replaceChildren(said);
};

const hold = (event) => {
  if (!isWriting()) return;
  const { tasks } = event.detail;
  for (const task of [...tasks ?? []]) {
    const target = `#${task.target?.id ?? ""}`; // an element
    if (!PARTS.test(target)) continue;
    if (target === "#queue") kept = [];
    kept.push({ target, style: task.swapSpec?.style ?? "innerMorph", box: htmlOf(task.fragment) });
    tasks.splice(tasks.indexOf(task), 1);
  }
  show();
  tell();
};

const release = () => {
  if (!kept.length) return;
  const text = kept.map(({ target, style, box }) => `<hx-partial hx-target="${target}" hx-swap="${style}">${box.innerHTML}</hx-partial>`).join("");
  kept = [];
  show();
  htmx.swap({ text, target: document.body, swap: "none", sourceElement: document.getElementById("live") ?? document.body });
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
