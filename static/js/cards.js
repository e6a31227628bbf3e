// hx-swap="cards": the order of a board's columns, with the cards that changed. A card keeps its node: it is put into its
// place first and changed there, so that focus, an open menu and the text in a field survive. Lists come as
// <ul data-list="list-review" data-order="12 7 3">, by the numbers of the cards from the top.
const has = (card) => card.contains(document.activeElement);

// moveBefore keeps everything that a node holds. Without it, focus and scroll are given back.
export const put = (list, card, before) => {
  if (card.parentElement === list && card.nextElementSibling === before) return;
  if (list.moveBefore && card.isConnected) return list.moveBefore(card, before);
  const focused = has(card) ? document.activeElement : null;
  const scrolled = [...card.querySelectorAll("*")].filter((one) => one.scrollTop).map((one) => [one, one.scrollTop]);
  list.insertBefore(card, before);
  focused?.focus({ preventScroll: true });
  for (const [one, top] of scrolled) one.scrollTop = top;
};

const cardsIn = (list) => [...list.querySelectorAll(":scope > [data-number]")];

// A card that changed is put above the next one that stands in the list already.
const place = (list, order, changed) => {
  for (const [index, card] of [...order.entries()].reverse()) {
    if (!changed.has(card)) continue;
    put(list, card, order.slice(index + 1).find((one) => one.parentElement === list) ?? null);
  }
};

// Every other card is where it belongs, unless something was missed.
const check = (list, order) => {
  let next = null;
  for (const card of order.toReversed()) {
    put(list, card, next);
    next = card;
  }
};

// A card that others make at this moment may be in the order before it comes itself. One that never comes was missed.
let missing = [];
let timer;
const look = (board) => {
  const isThere = (number) => board.querySelector(`[data-number="${CSS.escape(number)}"]`);
  if (missing.every(isThere)) return;
  document.getElementById("live")?.dispatchEvent(new CustomEvent("resync", { bubbles: true }));
};

const swap = (board, fragment, morph) => {
  const lists = [...fragment.querySelectorAll("[data-list]")].map((from) => ({ from, list: document.getElementById(from.dataset.list) }));
  const changed = new Map(); // the node on the page, and the card as it is now
  for (const { from, list } of lists) {
    for (const card of list ? cardsIn(from) : []) {
      const node = document.getElementById(card.id) ?? list.appendChild(card.cloneNode(false));
      changed.set(node, card);
    }
  }
  const known = new Map([...board.querySelectorAll("[data-number]")].map((card) => [card.dataset.number, card]));
  missing = [];
  const orders = new Map();
  for (const { from, list } of lists.filter((one) => one.list)) {
    const numbers = from.dataset.order.split(" ").filter(Boolean);
    orders.set(list, numbers.map((number) => known.get(number)).filter(Boolean));
    missing.push(...numbers.filter((number) => !known.has(number)));
  }
  for (const [list, order] of orders) place(list, order, changed);
  const stays = new Set([...orders.values()].flat());
  for (const list of orders.keys()) for (const card of cardsIn(list)) if (!stays.has(card)) card.remove();
  for (const [list, order] of orders) check(list, order);
  for (const [node, card] of changed) morph(node, card);
  clearTimeout(timer);
  if (missing.length) timer = setTimeout(look, 2000, board);
  return [...changed.keys()];
};

export const start = () => {
  let api;
  htmx.registerExtension("cards", {
    init: (internal) => { api = internal; },
    handle_swap: (style, target, fragment) => style === "cards" && swap(target, fragment, (node, card) => {
      const holder = document.createDocumentFragment();
      holder.append(card);
      api.morph(node, holder, false);
    }),
  });
};

/** Put a card where it was let go. Who lets go at once is faster than the browser tells of what the card is over. */
export const settleUnder = (card, event) => {
  const isDrop = event && event.type !== "dragend" && Number.isFinite(event.clientX); // an Esc ends a drag as well
  const under = isDrop ? document.elementFromPoint(event.clientX, event.clientY) : null;
  const list = under?.closest("[data-sortable]");
  if (!list || list === card.parentElement) return card;
  const over = under.closest(".card:not([data-fixed])");
  if (over) over.before(card);
  else list.append(card);
  return card;
};
