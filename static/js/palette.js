// The palette: the server searches, arrows choose, Enter follows the link.
const dialog = () => document.getElementById("palette");
const options = () => [...dialog().querySelectorAll("[role=option]")];

const select = (option) => {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  const input = dialog().querySelector("input");
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
};

const onKey = (event) => {
  if (event.key === "Escape") { // a search field would clear itself first
    event.preventDefault();
    dialog().close();
  }
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (all.length) select(all[(at + (event.key === "ArrowDown" ? 1 : all.length - 1) + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) % all.length]);
  } else if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    all[Math.max(0, at)]?.click();
  }
};

export const start = () => {
  const palette = dialog();
  if (!palette) return;
  palette.addEventListener("keydown", onKey);
  palette.addEventListener("submit", (event) => event.preventDefault());
  palette.addEventListener("click", (event) => { if (event.target.closest("[role=option]")) palette.close(); });
  palette.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    const input = palette.querySelector("input");
    input.focus();
    input.select();
    input.dispatchEvent(new CustomEvent("palette:open"));
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.target.closest?.("#palette")) select(options()[0]);
  });
};
