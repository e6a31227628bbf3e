// What quick add understands, shown while typing: [data-suggest-as=quick] says it in the [data-quick] beside it.
import { offered } from "./suggest.js";
const WORD = /(?<!\S)(?:[@#!]|due:|not before )(?:"[^"]+"|(?<=due:)next [a-z]+|(?<=before )(?:next )?[^\s"]+(?: \d{1,2}:\d\d)?|[^\s"]+)(?!\S)/giu;
const DAYS = "(?:next week|(?:next )?(?:mon|fri|sun)(?:day)?|(?:next )?(?:tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|sat(?:urday)?)|today|tomorrow|\\+?\\d{1,3}[dw]|\\d{4}-\\d\\d-\\d\\d)";
const DAY = new RegExp(`^(?:due:${DAYS}|not before (?:${DAYS}(?: \\d{1,2}:\\d\\d)?|\\d{1,2}:\\d\\d|tonight))$`, "i");

const plain = (text) => text.toLowerCase().replaceAll('"', "");

const understands = (input, word) => DAY.test(word) || offered(input).some(([value]) => plain(value) === plain(word) || (word[0] === "@" && plain(value).split(/[\s-]/)[0] === plain(word)));

const say = (input) => {
  const place = input.form?.querySelector("[data-quick]");
  if (!place) return;
  place.replaceChildren(...(input.value.match(WORD) ?? []).map((word) => {
    const [is, text] = [understands(input, word), word.replaceAll('"', "")];
    return Object.assign(document.createElement("span"), { className: is ? "token" : "faint", textContent: is ? text : `${text} is not known, it stays in the title` });
  }));
};

export const start = () => {
  document.addEventListener("input", (event) => { if (event.target.dataset?.suggestAs === "quick") say(event.target); });
  document.addEventListener("added", ({ target, detail }) => { if (target.elements?.after) target.elements.after.value = detail.id; }); // the next one stands below
  document.addEventListener("toggle", ({ target }) => { if (target.matches?.(".column-add:not([open])")) target.querySelector("[name=after]").value = ""; }, true);
  document.addEventListener("reset", (event) => event.target.querySelector?.("[data-quick]")?.replaceChildren());
};
