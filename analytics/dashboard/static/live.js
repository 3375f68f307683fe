// Keeps an open page up to date. Without it every page works, as it was when it was asked for.
"use strict";

// ---------------------------------------------------------------- times, by the rules of formats.py

const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

function relative(moment, now) {
  const seconds = (now - moment) / 1000, size = Math.abs(seconds);
  if (size >= 30 * 86400) return moment.toISOString().slice(0, 10);
  if (size < 2) return "just now";
  const [unit, length] = units.find(([, length]) => Math.trunc(size) >= length);
  const text = `${Math.trunc(Math.trunc(size) / length)} ${unit}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

function tick() {
  const now = new Date();
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = relative(new Date(time.dateTime), now);
    if (time.textContent !== text) time.textContent = text;
  }
}

// ---------------------------------------------------------------- follow: make one tree like another

function isSame(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset?.key || "" : "";
}

// Nodes that stay are kept, so focus, selection, scrolling and opened details stay, too.
function follow(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  const keyed = new Map([...old.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = keyOf(wanted), known = key ? keyed.get(key) : place;
    keyed.delete(key); // of two with one key the second is another
    if (known && isSame(known, wanted)) {
      if (known === place) place = place.nextSibling;
      else old.insertBefore(known, place);
      follow(known, wanted);
    } else {
      old.insertBefore(document.importNode(wanted, true), place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

// ---------------------------------------------------------------- refresh

let shown = null, heard = null; // versions of the tables: on the page, and the newest that was told of
let busy = false, again = 0, refreshedAt = Date.now();

async function refresh() {
  if (busy || paused) return;
  busy = true;
  clearTimeout(again);
  const slow = setTimeout(() => document.body.setAttribute("aria-busy", "true"), 400);
  let wait = 3000;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (answer.type === "opaqueredirect") return location.reload();
    if (answer.status === 404) return location.reload(); // erased or pruned: the page that says so follows nothing
    if (!answer.ok) return say("away");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const region of document.querySelectorAll("[data-live]")) {
      const other = fresh.getElementById(region.id);
      if (other) follow(region, other);
    }
    shown = answer.headers.get("X-Runledger-Version") ?? heard;
    refreshedAt = Date.now();
    wait = 1000;
    tick();
    document.dispatchEvent(new CustomEvent("runledger:refreshed"));
  } catch {
    say("lost");
  } finally {
    clearTimeout(slow);
    document.body.removeAttribute("aria-busy");
    busy = false;
    // What takes long to draw is drawn seldom: what came may be older than what was told of.
    if (heard !== shown) again = setTimeout(refresh, wait);
  }
}

// ---------------------------------------------------------------- notices

const freshness = document.getElementById("freshness");
let notice = { state: freshness?.dataset.state, as_of: freshness?.dataset.asOf };
let paused = false, announced = "current";

function say(state, as_of) {
  notice = { state, as_of: as_of ?? notice.as_of };
  showFreshness();
}

function showFreshness() {
  if (!freshness) return;
  const behind = notice.as_of ? relative(new Date(notice.as_of), new Date()).replace(" ago", "") : "";
  const words = paused ? "Paused" : {
    current: "Live",
    behind: `Behind by ${behind}`,
    unknown: "No watermark yet",
    away: "Database away, trying again",
    lost: "Connection lost, trying again",
  }[notice.state];
  freshness.dataset.state = notice.state;
  const place = freshness.querySelector("[data-words]");
  if (words && place.textContent !== words) place.textContent = words;
  const asOf = notice.as_of ? `Complete up to ${notice.as_of.slice(0, 19).replace("T", " ")} UTC. ` : "";
  const offer = paused ? "Press to go on." : "Press to pause.";
  freshness.title = asOf + offer;
  freshness.querySelector("[data-offer]").textContent = ` ${offer}`;
  // Read out what became of it, not each second how it is.
  const state = paused ? "paused" : notice.state;
  if (state !== announced) {
    announced = state;
    document.getElementById("announced").textContent = words ?? "";
  }
}

function offerPause() {
  if (!freshness) return;
  freshness.disabled = false;
  freshness.addEventListener("click", () => {
    paused = !paused;
    freshness.toggleAttribute("data-paused", paused);
    showFreshness();
    if (!paused) refresh();
  });
}

function hear(told) {
  const cameBack = notice.state === "away" || notice.state === "lost";
  say(told.state, told.as_of);
  if (told.state === "away") return;
  heard = String(told.version);
  if (!paused && (heard !== shown || cameBack)) refresh();
}

// Browsers open six connections to a server: one tab listens and tells the others.
const channel = "BroadcastChannel" in window ? new BroadcastChannel("runledger-live") : null;
channel?.addEventListener("message", (event) => hear(event.data));

function listen(done) {
  const source = new EventSource("/live");
  source.onmessage = (event) => {
    const told = JSON.parse(event.data);
    hear(told);
    channel?.postMessage(told);
  };
  source.onerror = () => {
    say("lost");
    if (source.readyState === EventSource.CLOSED) {
      source.close();
      refresh(); // who is logged out is led to the login page
      setTimeout(() => { done(); start(); }, 5000);
    }
  };
}

function start() {
  if (channel && navigator.locks) navigator.locks.request("runledger-live", () => new Promise(listen));
  else listen(() => {});
}

// ---------------------------------------------------------------- the page itself

const themes = ["system", "light", "dark"];

function offerThemes() {
  const button = document.getElementById("theme");
  if (!button) return;
  const root = document.documentElement;
  const name = () => root.dataset.theme ?? "system";
  const label = () => {
    button.setAttribute("aria-label", `Colours: ${name()}`);
    button.title = `Colours: ${name()}`;
  };
  button.hidden = false;
  label();
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(name()) + 1) % themes.length];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    try { localStorage.setItem("runledger-theme", next); } catch { /* for this page alone, then */ }
    label();
  });
}

function focusSearch(event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.querySelector("[data-search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select?.();
}

offerThemes();
document.addEventListener("keydown", focusSearch);
document.querySelector('.places [aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "center" });
tick();
setInterval(() => { tick(); showFreshness(); }, 1000);

const main = document.getElementById("content");
const retry = Number(main?.dataset.retrySeconds);
if (retry) setInterval(async () => {
  try { if ((await fetch(location.href)).ok) location.reload(); } catch { /* not yet */ }
}, retry * 1000);

// What changes without an event: an agent grows quiet, a day begins.
const patience = Number(main?.dataset.refreshSeconds ?? 30);
if (document.querySelector("[data-live]")) setInterval(() => {
  if (!paused && !document.hidden && Date.now() - refreshedAt >= patience * 1000) refresh();
}, 1000);
// A page that says what went wrong has nothing to follow.
if ("follow" in document.body.dataset && (freshness || document.querySelector("[data-live]"))) {
  offerPause();
  start();
}
