// [data-plot="<id of a table>"]: the series of the table, drawn by uPlot in the colours of the theme. The bars that the
// server drew stay until then, and where uPlot did not come.
const HEIGHT = 160;
const plots = new Map(); // the place and its plot

const BARS = "color-mix(in oklab, var(--ink-3) 60%, var(--surface-2))";

const colour = (value) => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = value;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};

const numbers = (table, column) => [...table.tBodies[0].rows].map((row) => {
  const text = row.cells[column].dataset.value;
  return text === "" ? null : Number(text);
});
const words = (table, column) => [...table.tBodies[0].rows].map((row) => row.cells[column].textContent.trim());

const short = (value) => value >= 1000 ? `${Math.round(value / 100) / 10}k` : String(Math.round(value * 100) / 100);
const hours = (value) => value > 0 && value < 1 ? `${Math.round(value * 60)} min` : `${short(value)} h`;

const options = (place, table, width) => {
  const [ink, quiet, line, mark] = ["var(--ink-2)", "var(--ink-3)", "var(--line)", BARS].map(colour);
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const periods = words(table, 0), now = words(table, 1), before = words(table, 2);
  const isBars = place.dataset.plotKind === "bars";
  const axis = { stroke: quiet, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const said = place.querySelector(".plot-said");
  const say = (plot) => {
    const at = plot.cursor.idx;
    said.textContent = at == null ? "" : `${periods[at]}: ${now[at]}${before[at] ? `, before: ${before[at]}` : ""}`;
  };
  return {
    width, height: HEIGHT, legend: { show: false }, padding: [8, 14, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: !isBars } },
    hooks: { setCursor: [say] },
    scales: { x: { time: false, range: (_, least, most) => [least - 0.6, most + 0.6] }, y: { range: (_, __, most) => [0, (most || 1) * 1.08] } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, gap: 6, space: 76, incrs: [1, 2, 3, 4, 7, 14], values: (_, splits) => splits.map((at) => Number.isInteger(at) ? periods[at] ?? "" : "") },
      { ...axis, size: 48, values: (_, splits) => splits.map(place.dataset.plotUnit === "hours" ? hours : short) },
    ],
    series: [
      {},
      isBars
        ? { fill: mark, stroke: mark, width: 0, paths: uPlot.paths.bars({ size: [0.7, 28], radius: 0.15 }), points: { show: false } }
        : { stroke: mark, width: 2, points: { show: false } },
      { stroke: ink, width: 1.25, dash: [4, 3], points: { show: false } },
    ],
  };
};

const draw = (place) => {
  const table = document.getElementById(place.dataset.plot);
  if (!table || !window.uPlot || !place.clientWidth) return;
  plots.get(place)?.destroy();
  place.querySelector("svg")?.remove();
  if (!place.querySelector(".plot-said")) place.append(Object.assign(document.createElement("p"), { className: "plot-said" }));
  place.setAttribute("hx-morph-skip", ""); // news change the table, and the plot reads it again
  plots.set(place, new uPlot(options(place, table, place.clientWidth), dataOf(table), (plot, init) => {
    place.prepend(plot.root);
    init();
  }));
};

const dataOf = (table) => [numbers(table, 1).map((_, at) => at), numbers(table, 1), numbers(table, 2)];

const drawAll = () => { for (const place of document.querySelectorAll("[data-plot]")) draw(place); };

const fit = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const plot = plots.get(target);
    if (plot && plot.width !== target.clientWidth) plot.setSize({ width: target.clientWidth, height: HEIGHT });
  }
});

const refresh = () => {
  for (const [place, plot] of plots) {
    const table = document.getElementById(place.dataset.plot);
    if (place.isConnected && table) plot.setData(dataOf(table));
  }
};

export const start = () => {
  document.addEventListener("htmx:after:swap", refresh);
  new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
};

export const attach = (root) => {
  for (const place of root.querySelectorAll("[data-plot]")) {
    if (plots.has(place)) continue;
    draw(place);
    fit.observe(place);
  }
};
