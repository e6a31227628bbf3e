// [data-copy]: copies the text of the named element, or of the code block it stands in.
const textFor = (button) => {
  const target = button.dataset.copy ? document.querySelector(button.dataset.copy) : button.closest(".copy-block")?.querySelector("code");
  return target?.value ?? target?.textContent ?? "";
};

export const write = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // plain http on a local network has no clipboard
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
};

const say = (button, word) => {
  const label = button.querySelector("span") ?? button;
  const before = (button.dataset.label ??= label.textContent);
  label.textContent = word;
  document.getElementById("status-region")?.replaceChildren(word);
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { label.textContent = before; }, 2000);
};

export const start = () => {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await write(textFor(button));
      say(button, "Copied");
    } catch {
      say(button, "Press Ctrl C");
      const code = button.closest(".copy-block")?.querySelector("code");
      if (code) getSelection().selectAllChildren(code);
    }
  });
};
