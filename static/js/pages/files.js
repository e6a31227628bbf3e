// Files of a task: chosen, dropped on the panel or pasted into it; sent one by one with their progress. Only the old request
// object tells how much has left: what htmx uses tells nothing until the answer comes.
import { reason } from "../toast.js";

const form = () => document.querySelector("#panel form[data-attach]");
const words = (size) => size < 1048576 ? `${Math.ceil(size / 1024)} kB` : `${+(size / 1048576).toFixed(1)} MB`;
let queue = Promise.resolve();

const say = (line, sentence) => {
  line.querySelector("progress")?.remove();
  const close = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "Dismiss" });
  close.addEventListener("click", () => line.remove());
  line.append(close, Object.assign(document.createElement("p"), { textContent: sentence, role: "alert" }));
};

const line = (file, list) => {
  const one = document.createElement("li");
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
  bar.setAttribute("aria-label", `Sending ${file.name}`);
  one.append(Object.assign(document.createElement("span"), { textContent: `${file.name}, ${words(file.size)}` }), bar);
  list.append(one);
  return one;
};

const send = (file, action, one) => new Promise((resolve) => {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("file", file, file.name || "pasted.png");
  request.open("POST", action);
  request.setRequestHeader("HX-Request", "true");
  request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) one.querySelector("progress").value = event.loaded / event.total; });
  request.addEventListener("load", () => {
    if (request.status < 300) one.remove(); // the stream brings the file itself
    else say(one, reason({ text: request.responseText, response: { headers: new Headers({ "content-type": request.getResponseHeader("content-type") ?? "" }) } }));
    resolve();
  });
  request.addEventListener("error", () => { say(one, "The server cannot be reached. The file was not sent."); resolve(); });
  request.send(body);
});

const attachAll = (files) => {
  const target = form();
  const list = target?.querySelector("[data-uploads]");
  if (!list) return;
  for (const file of files) {
    const one = line(file, list);
    const limit = Number(target.dataset.limit);
    if (file.size > limit) say(one, `The file has ${words(file.size)}, and ${words(limit)} are allowed.`);
    else queue = queue.then(() => send(file, target.action, one));
  }
  list.lastElementChild?.scrollIntoView({ block: "nearest" });
};

const carries = (event) => event.dataTransfer?.types.includes("Files") && event.target.closest?.("#panel .task") && form();
const mark = (on) => document.querySelector("#panel .task")?.toggleAttribute("data-dropping", on);

export const start = () => {
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("form[data-attach] input[type=file]")) return;
    attachAll([...event.target.files]);
    event.target.value = "";
  });
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // a file that misses the panel does not replace the page
    if (!carries(event)) event.dataTransfer.dropEffect = "none";
    mark(Boolean(carries(event)));
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) mark(false); });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    mark(false);
    if (carries(event)) attachAll([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData?.files ?? []];
    if (!files.length || !form() || event.target.closest?.("dialog")) return;
    event.preventDefault();
    attachAll(files);
  });
};

export const attach = () => { for (const input of document.querySelectorAll("form[data-attach] input[type=file]")) input.multiple = true; };
