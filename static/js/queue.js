// form[data-decide="<row id>"]: when the decision was taken, focus goes to the next row that waits.
const nextOf = (row) => {
  const all = [...document.querySelectorAll("#queue > [data-nav-item]")];
  const waits = (other) => other !== row && other.hasAttribute("data-pending");
  const at = all.indexOf(row);
  return all.slice(at + 1).find(waits) ?? all.slice(0, Math.max(0, at)).findLast(waits) ?? document.getElementById("queue");
};

export const start = () => {
  document.addEventListener("htmx:finally:request", (event) => {
    const form = event.target.closest?.("form[data-decide]");
    const row = form && document.getElementById(form.dataset.decide);
    if (!row?.closest("#queue") || event.detail.ctx.response?.status !== 204) return;
    setTimeout(() => { // after a dialog that closed has given the focus back
      row.removeAttribute("data-pending");
      const next = nextOf(row);
      next?.focus({ preventScroll: true });
      if (next !== document.getElementById("queue")) next?.scrollIntoView({ block: "nearest" });
    });
  });
};
