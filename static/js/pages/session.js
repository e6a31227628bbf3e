// Search in a session: the server marks what was found; the buttons and Enter go from match to match. What is new is
// followed while its end is in sight; while somebody reads above, the page stands still and a button says so.
import { install } from "../app.js";
const NEAR = 160;
let current = -1;
let wasAtEnd = true;

const newest = () => document.querySelector("[data-newest-turn]");
const isAtEnd = () => !newest() || newest().getBoundingClientRect().bottom < innerHeight + NEAR;
const button = () => document.querySelector("[data-go-newest]");

const follow = () => {
  newest()?.scrollIntoView({ block: "end" });
  if (button()) button().hidden = true;
};

const onSwap = (event) => {
  if (event.type === "htmx:before:swap") wasAtEnd = isAtEnd();
  else if (wasAtEnd) follow();
  else if (button() && !isAtEnd()) button().hidden = false;
};

const matches = () => [...document.querySelectorAll(".turn mark")];

const go = (step) => {
  const found = matches();
  if (!found.length) return;
  current = (current + step + found.length) % found.length;
  for (const one of document.querySelectorAll("mark[data-current]")) delete one.dataset.current;
  const mark = found[current];
  mark.dataset.current = "";
  for (let one = mark.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
  mark.scrollIntoView({ block: "center" });
  const count = document.querySelector("[data-find-count]");
  if (count) count.textContent = `${current + 1} of ${found.length}`;
};

const onClick = (event) => {
  const step = event.target.closest("[data-find-step]");
  if (step) go(Number(step.dataset.findStep));
  if (event.target.closest("[data-go-newest]")) follow();
};

const onSubmit = (event) => { // the same word again: the next match
  const field = event.target.matches("[data-find]") && event.target.querySelector("input");
  if (!field || field.value !== field.defaultValue || !matches().length) return;
  event.preventDefault();
  go(1);
};

const start = () => {
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);
  if (matches().length) go(1);
  if (!newest()) return;
  if (!new URLSearchParams(location.search).size && !isAtEnd()) follow();
  for (const name of ["htmx:before:swap", "htmx:after:swap"]) document.addEventListener(name, onSwap);
  document.addEventListener("scroll", () => { if (button() && isAtEnd()) button().hidden = true; }, { capture: true, passive: true });
};

install({ start });
