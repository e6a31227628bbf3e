// [data-matrix]: arrows move between the cells of access, N, R and W set the one that has the focus.
import { install } from "../app.js";

const VALUES = { n: "none", r: "read", w: "write" };
const SIDE = { ArrowLeft: -1, ArrowRight: 1 };
const LINE = { ArrowUp: -1, ArrowDown: 1 };

const go = (cell, event) => {
  const lines = [...cell.closest("[data-matrix]").querySelectorAll("tbody > tr, :scope > li")];
  const cells = (line) => [...line.querySelectorAll("button")];
  const row = lines.findIndex((line) => line.contains(cell));
  const at = cells(lines[row]).indexOf(cell);
  const next = event.key in SIDE
    ? cells(lines[row])[at + SIDE[event.key]]
    : lines.slice(LINE[event.key] > 0 ? row + 1 : 0, LINE[event.key] > 0 ? undefined : row).map((line) => cells(line)[at]).filter(Boolean).at(LINE[event.key] > 0 ? 0 : -1);
  if (!next) return;
  event.preventDefault();
  next.focus();
};

const onKey = (event) => {
  const cell = event.target.closest?.("[data-matrix] button");
  if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in SIDE || event.key in LINE) return go(cell, event);
  const value = VALUES[event.key.toLowerCase()];
  if (!value || !cell.matches(".access")) return;
  event.preventDefault();
  event.stopPropagation();
  if (cell.dataset.access === value) return;
  cell.value = value;
  cell.click();
};

const start = () => document.addEventListener("keydown", onKey, true);

install({ start });
