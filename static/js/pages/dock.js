// A phone: the answers of the current row under both thumbs. The buttons belong to the row's form.
import { icon } from "./later.js";
import { current, focus, step, waits } from "./rows.js";

const narrow = matchMedia("(width < 48rem)");
const dock = () => document.getElementById("dock");

const control = (label, glyph, act) => {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "icon-btn" });
  button.setAttribute("aria-label", label);
  button.append(icon(glyph));
  button.addEventListener("click", act);
  return button;
};

const bare = (node) => {
  const copy = node.cloneNode(true);
  for (const one of [copy, ...copy.querySelectorAll("*")]) for (const name of ["id", "data-key", "hidden"]) one.removeAttribute(name);
  for (const key of copy.querySelectorAll(".answer kbd")) key.remove();
  return copy;
};

const answers = (list) => {
  const copy = bare(list);
  for (const answer of copy.querySelectorAll(".answer")) {
    const does = answer.querySelector(".answer-does");
    if (!does || !answer.querySelector(".btn")) continue;
    answer.querySelector(".btn").append(Object.assign(document.createElement("small"), { textContent: does.textContent }));
    does.remove();
  }
  const likely = copy.querySelector("[data-recommended]")?.closest(".answer");
  if (likely) copy.append(likely); // under the right thumb
  return copy;
};

const fill = () => {
  const place = dock();
  const row = current();
  if (!place) return;
  if (!narrow.matches || !row || !waits(row)) return place.replaceChildren();
  const head = Object.assign(document.createElement("div"), { className: "dock-head" });
  head.append(
    Object.assign(document.createElement("span"), { textContent: row.querySelector(".need-ask").textContent.trim() }),
    control("Snooze or more", "clock", () => row.querySelector("[data-need-menu]").click()),
    control("Before", "chevron-up", () => step(-1)),
    control("Next", "chevron-down", () => step(1)),
  );
  const lists = [...row.querySelectorAll(".options, .answers:not([hidden])")].filter((list) => list.childElementCount).map((list) => list.matches(".options") ? bare(list) : answers(list));
  place.replaceChildren(head, ...lists, bare(row.querySelector(".need-else")));
};

export const start = () => {
  document.addEventListener("needs:current", fill);
  narrow.addEventListener("change", fill);
  document.addEventListener("click", (event) => { if (event.target.closest?.("#dock") && document.activeElement === document.body) focus(current()); });
  fill();
};
