// This browser's subscription to pushes: by which key it was made, and by which hash the server knows it.
const LONGEST = 20_000; // a browser without a way to its push service says nothing at all

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));

const isFor = (subscription, key) => {
  const own = new Uint8Array(subscription.options.applicationServerKey ?? []);
  return !own.length || bytes(key).every((byte, place) => byte === own[place]);
};

export const hash = async (text) => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

export const subscribed = async () => (await navigator.serviceWorker?.getRegistration())?.pushManager?.getSubscription() ?? null;

/** Subscribe, also anew where the browser is subscribed to another key. Rejects in the browser's own words, or after a while. */
export const subscribe = async (key) => {
  await navigator.serviceWorker.register("/service-worker.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  const before = await pushManager.getSubscription();
  if (before && !isFor(before, key)) await before.unsubscribe();
  const silence = new Promise((_, reject) => { setTimeout(() => reject(new Error("no answer for 20 seconds")), LONGEST); });
  return Promise.race([pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) }), silence]);
};
