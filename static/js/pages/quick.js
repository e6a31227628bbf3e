// What quick add understands, shown while typing: [data-suggest-as=quick] says it in the [data-quick] beside it.
import { offered } from "./suggest.js";
const WORD = /(?<!\S)(?:[@#!]|due:)(?:"[^"]+"|[^\s"]+)(?!\S)/giu;
const DAY = /^due:(?:today|tomorrow|\+?\d{1,3}[dw]|\d{4}-\d\d-\d\d|(?:mon|fri|sun)(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|sat(?:urday)?)$/i;

const plain = (text) => text.toLowerCase().replaceAll('"', "");

const understood = (input) => {
  const words = input.value.match(WORD) ?? [];
  if (!words.length) return [];
  const known = offered(input).map(([value]) => plain(value));
  return words.filter((word) => DAY.test(word) || known.some((one) => one === plain(word) || (word[0] === "@" && one.split(/[\s-]/)[0] === plain(word))));
};

const say = (input) => {
  const place = input.form?.querySelector("[data-quick]");
  if (!place) return;
  const tokens = understood(input).map((word) => Object.assign(document.createElement("span"), { className: "token", textContent: word.replaceAll('"', "") }));
  place.replaceChildren(...tokens);
};

export const start = () => {
  document.addEventListener("input", (event) => { if (event.target.dataset?.suggestAs === "quick") say(event.target); });
  document.addEventListener("reset", (event) => event.target.querySelector?.("[data-quick]")?.replaceChildren());
};
