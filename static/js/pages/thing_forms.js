// A slug or key that is blank follows the name as it is typed; a colour is previewed; patterns are for some types.
const slug = (text, joint) => text.toLowerCase().replace(/[^a-z0-9]+/g, joint).replace(/^[-_]+|[-_]+$/g, "");

const follow = (name) => {
  for (const field of document.querySelectorAll(`[data-slug-of="${name.id}"]`)) {
    const made = slug(name.value, field.name === "slug" ? "-" : "_");
    if (field.name === "slug") field.placeholder = made;
    else if (!field.dataset.own) field.value = made;
  }
};

const preview = (form) => {
  const colour = form.querySelector("[data-colour]");
  if (!colour) return;
  for (const circle of form.querySelectorAll("[data-preview] circle")) circle.setAttribute("fill", colour.value);
  for (const word of form.querySelectorAll("[data-preview] .truncate")) word.textContent = form.elements.name.value || "Preview";
};

const types = (form) => {
  const pattern = form.querySelector(".pattern");
  if (pattern) pattern.hidden = !form.dataset.typedField.split(" ").includes(form.elements.field_type.value);
};

const changed = (event) => {
  const form = event.target.form;
  if (!form) return;
  if (event.target.dataset.slugOf) event.target.dataset.own = event.target.value ? "true" : "";
  if (event.target.id) follow(event.target);
  preview(form);
  if (form.dataset.typedField) types(form);
};

// A long list of boxes shows those lines that have what is typed. It sends them all.
const narrow = (field) => {
  const wanted = field.value.trim().toLowerCase();
  const lines = [...field.closest("fieldset").querySelectorAll(".check")];
  for (const line of lines) line.hidden = !line.querySelector("label").textContent.toLowerCase().includes(wanted);
  const shown = lines.filter((line) => !line.hidden).length;
  document.getElementById(field.getAttribute("aria-describedby")).textContent = wanted ? `${shown} of ${lines.length} shown` : "";
};

export const start = () => {
  document.addEventListener("input", (event) => event.target.matches("[data-narrow-lines]") ? narrow(event.target) : changed(event));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-narrow-lines]")) event.preventDefault(); // sends nothing yet
  });
  for (const form of document.querySelectorAll("[data-typed-field]")) types(form);
  for (const field of document.querySelectorAll("[data-slug-of]")) if (field.value) field.dataset.own = "true";
};
