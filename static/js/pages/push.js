// This browser as a device: it becomes one by a press, and at each page it is looked whether it still is one. A browser
// gives up its subscription when it likes; Apple's does it after pushes that showed nothing.
import { install } from "../app.js";
import { isAnothers, isDevice, known, remember } from "../device.js";
import { hash, subscribe, subscribed } from "./subscription.js";

const RENEWALS = "/settings/notifications/devices/renewals";
const WORDS = {
  off: "",
  asking: "Your browser asks whether it may notify you.",
  subscribing: "Asking the push service of your browser.",
  on: "This browser is one of your devices.",
  denied: "This browser does not let this site notify you. Allow notifications in its settings for this site, then come back.",
  insecure: "A browser takes pushes over https only, and this page came over plain http. Open Mission Control by its https address.",
  apple: "On an iPhone or iPad, first add Mission Control to the home screen: the share button, then “Add to Home Screen”. Open it there, and add this device.",
  missing: "This browser takes no pushes. A private window may be why; else be reached by mail or by a chat.",
  another: "This browser has no push service, or it does not answer. In its own words: ",
};
const MINUTE = 60_000; // in which the server may still be about to read what it was told
let trouble = "";

const isApple = () => /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.maxTouchPoints > 1 && /Mac/.test(navigator.platform));
/** Why it cannot be a device, "" when it can. */
const refusal = () => {
  if (!isSecureContext) return "insecure";
  if (!("PushManager" in globalThis && "Notification" in globalThis)) return isApple() && !navigator.standalone ? "apple" : "missing";
  return Notification.permission === "denied" ? "denied" : "";
};

const line = () => document.querySelector("[data-push-state]");

const say = (state) => {
  line().dataset.pushState = state;
  line().textContent = WORDS[state] + (state === "another" ? trouble : "");
  const button = document.querySelector("[data-push-add]");
  button.disabled = false; // a press before this module came would be lost
  button.hidden = !["off", "another"].includes(state);
};

/** Compare this browser with the list of devices; return whether it is one of them. */
const look = async () => {
  if (!line()) return false;
  const subscription = refusal() ? null : await subscribed();
  const mine = subscription && (await hash(subscription.endpoint));
  const marks = [...document.querySelectorAll("[data-push-here]")];
  for (const mark of marks) mark.hidden = mark.dataset.pushHere !== mine;
  const isOne = marks.some((mark) => !mark.hidden);
  if (isOne || !["asking", "subscribing", "another"].includes(line().dataset.pushState)) say(refusal() || (isOne ? "on" : "off"));
  return isOne;
};

const add = async (form) => {
  try {
    say("asking");
    if (await Notification.requestPermission() !== "granted") return say(refusal() || "off");
    say("subscribing");
    const { endpoint, keys } = (await subscribe(form.dataset.pushKey)).toJSON();
    for (const [name, value] of Object.entries({ endpoint, ...keys })) form.elements[name].value = value;
    form.requestSubmit();
  } catch (error) {
    trouble = error.message;
    say("another");
  }
};

const added = (event) => {
  const form = event.target.closest?.("[data-push-key]");
  if (!form) return;
  if (event.detail.ctx.response?.status >= 300) return say("off");
  remember(form.dataset.pushKey, form.elements.endpoint.value);
  htmx.trigger("#live", "resync"); // the list that shows it
};

const leave = async () => {
  remember();
  await (await subscribed())?.unsubscribe();
};

/** Tell the server of another subscription; end that of a device which was removed elsewhere. */
const repair = async () => {
  const [key, before, since] = known();
  if (!key || refusal()) return;
  const subscription = (await subscribed()) ?? (await subscribe(key).catch(() => null));
  if (!subscription) return;
  const { endpoint, keys } = subscription.toJSON();
  if (endpoint === before) {
    if (line() && Date.now() - since > MINUTE && !(await look())) await leave();
  } else if (navigator.sendBeacon(RENEWALS, new URLSearchParams({ endpoint, ...keys, replaces: before }))) {
    remember(key, endpoint);
  }
};

/** At Home everything is in view that notifications said, also on devices that are sent no end of theirs (Apple's). */
const clear = async () => {
  if (!document.querySelector(".home #queue") || !document.hasFocus()) return;
  const registration = await navigator.serviceWorker?.getRegistration();
  for (const one of (await registration?.getNotifications()) ?? []) one.close();
};

/** Whoever signs in next in this browser must not read what was meant for the person before. */
const signOut = async (event) => {
  const form = event.target;
  if (!form.matches?.("form[action='/sign-out']") || !isDevice()) return;
  event.preventDefault();
  await leave().catch(() => {});
  form.submit();
};

install({
  start: () => {
    document.addEventListener("click", (event) => event.target.closest("[data-push-add]") && add(event.target.closest("form")));
    document.addEventListener("htmx:after:request", added);
    document.addEventListener("submit", signOut);
    document.addEventListener("htmx:after:swap", look); // the list of devices
    addEventListener("focus", clear);
    (isAnothers() ? leave : repair)(); // of one whose session ended without a sign-out
    clear();
  },
  attach: look,
});
