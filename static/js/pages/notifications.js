// The list of notifications, and the choice whether this browser notifies.
import { install } from "../app.js";
import { allowed, choose, chosen } from "./alerts.js";

const WORDS = {
  on: "On: this browser notifies you while a tab is open.",
  off: "Not on in this browser.",
  denied: "This browser does not allow it. Allow notifications for this site in the browser's settings, then come back.",
  missing: "This browser has no notifications.",
};

const show = (root = document) => {
  const text = root.querySelector("[data-notify-state]");
  if (!text) return;
  const state = allowed() === "granted" ? (chosen() ? "on" : "off") : allowed() === "default" ? "off" : allowed();
  text.textContent = WORDS[state];
  root.querySelector("[data-notify-on]").hidden = state !== "off";
  root.querySelector("[data-notify-off]").hidden = state !== "on";
};

const onClick = async (event) => {
  const read = event.target.closest("[data-reads]");
  if (read) navigator.sendBeacon("/notifications/readings", new URLSearchParams({ id: read.dataset.reads }));
  const on = event.target.closest("[data-notify-on]");
  if (!on && !event.target.closest("[data-notify-off]")) return;
  await choose(Boolean(on)); // asks the browser's question, on this click only
  show();
  document.querySelector(`[data-notify-${chosen() ? "off" : "on"}]:not([hidden])`)?.focus();
};

install({
  start: () => {
    document.addEventListener("click", onClick);
    document.addEventListener("auxclick", (event) => { if (event.button === 1) onClick(event); });
  },
  attach: (root) => show(root),
});
