// What somebody decides about changed while they looked: it is marked, and for a moment nothing is sent.
const PAUSE = 1000; // ms: a key that was meant for what stood there before
const changes = new Map(); // by the id of a row: { substance, names, at }
let before = new Map();

const all = () => document.querySelectorAll("[id][data-substance]");
const say = (sentence) => document.getElementById("alert-region")?.replaceChildren(sentence);
const marksOf = (substance) => substance.split(" ").filter(Boolean);

const remember = () => { before = new Map([...all()].map((row) => [row.id, row.dataset.substance])); };

const mark = (row, names) => {
  if (row.querySelector(":scope > .need-changed")) return;
  const line = Object.assign(document.createElement("p"), { className: "notice need-changed", textContent: `Changed while you looked: ${names.join(", ")}. Look again.` });
  line.dataset.tone = "warn";
  (row.querySelector(":scope > .need-answers") ?? row.lastElementChild)?.before(line);
};

const compare = () => {
  for (const row of all()) {
    const { id, dataset: { substance } } = row;
    const known = marksOf(before.get(id) || substance);
    const other = marksOf(substance).filter((one) => !known.includes(one)).map((one) => one.split(":")[0]);
    if (other.length) {
      const names = [...new Set([...(changes.get(id)?.names ?? []), ...other])];
      changes.set(id, { names, at: performance.now() });
      say(`Changed while you looked: ${names.join(", ")}.`);
      document.dispatchEvent(new CustomEvent("seen:changed", { detail: row }));
    }
    if (changes.has(id)) mark(row, changes.get(id).names);
  }
};

const pause = (event) => {
  const form = event.target;
  const row = form.closest?.("[data-substance]") ?? document.getElementById(form.dataset?.answer ?? form.dataset?.decide ?? "");
  const at = row && changes.get(row.id)?.at;
  if (!at || performance.now() - at > PAUSE) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  say("This changed just now, and nothing was sent. Look again.");
};

export const start = () => {
  document.addEventListener("htmx:before:swap", remember);
  document.addEventListener("htmx:after:swap", compare);
  document.addEventListener("submit", pause, true);
};
