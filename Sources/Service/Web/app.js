// The search page in the browser. The server makes every list and every page of a call, and this
// program puts them in place without a reload. So there is one maker of rows, and without this
// program the page works, too.

import { attend } from "./box.js";
import { follow } from "./live.js";

const results = document.getElementById("results");
const form = document.getElementById("filter");
const drawer = document.getElementById("drawer");
const help = document.getElementById("help");
const failure = document.getElementById("failure");
const newCalls = document.getElementById("new-calls");
const live = document.getElementById("live");
const said = document.getElementById("said");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

// The page's address without the call that stands open.
function listOf(address) {
  const url = new URL(address, location.href);
  url.searchParams.delete("open");
  return url;
}

async function page(url, signal) {
  const answer = await fetch(url, { headers: { Accept: "text/html" }, signal });
  const text = await answer.text();
  const read = new DOMParser().parseFromString(text, "text/html");
  // Whoever is signed out gets the page to sign in at; who signs out now is on the way to another.
  if (answer.status === 401 && !("leaving" in document.body.dataset)) location.reload();
  return read;
}

document.addEventListener("submit", (event) => {
  if (event.target.method === "post") document.body.dataset.leaving = "";
});
addEventListener("pageshow", () => { delete document.body.dataset.leaving; });

// Lists

let asking = null;
let shown = listOf(location.href).href;

// While somebody goes on typing, the box keeps what they type.
async function load(url, keepsFocus) {
  asking?.abort();
  const mine = (asking = new AbortController());
  const place = calls.place;
  results.setAttribute("aria-busy", "true");
  failure.hidden = true;
  try {
    const read = await page(url, mine.signal);
    const fresh = read.getElementById("results");
    if (!fresh) throw new Error("no list");
    const hadFocus = results.contains(document.activeElement);
    results.replaceChildren(...fresh.childNodes);
    if (hadFocus) results.focus({ preventScroll: true });
    const asked = read.getElementById("filter");
    for (const field of form.elements) {
      if (field.name && !(keepsFocus && field === document.activeElement)) field.value = asked.elements[field.name]?.value ?? field.value;
    }
    shown = url.href;
    calls.follow(shown, place);
    count(!!document.getElementById("count"));
    watch();
    return true;
  } catch (error) {
    if (error.name !== "AbortError") failure.hidden = false;
    return false;
  } finally {
    if (asking === mine) results.removeAttribute("aria-busy");
  }
}

// The number of calls comes after the rows, which do not wait for it.
let counting = null;
async function count(isThere) {
  if (isThere) return;
  counting?.abort();
  const mine = (counting = new AbortController());
  const place = document.getElementById("counts");
  if (!place) return;
  const timer = setTimeout(() => {
    if (!place.querySelector("#count")) place.textContent = place.dataset.counting ?? "";
  }, 400);
  try {
    const url = new URL("./count", location.href);
    url.search = new URL(shown).search;
    url.searchParams.delete("after");
    const read = await page(url, mine.signal);
    const fresh = read.getElementById("counts");
    // An answer without it is a notice. What says that calls are being counted must go.
    if (!fresh) throw new Error("no count");
    if (place.innerHTML !== fresh.innerHTML) place.replaceChildren(...fresh.childNodes);
  } catch {
    if (!mine.signal.aborted && !place.querySelector("#count")) place.textContent = "";
  } finally {
    clearTimeout(timer);
  }
}

function inZone(url) {
  if (zone) url.searchParams.set("zone", zone);
  return url;
}

async function go(address, keepsFocus) {
  const url = inZone(listOf(address));
  history.pushState(null, "", url);
  await load(url, keepsFocus);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const url = new URL(form.action);
  for (const [name, value] of new FormData(form)) if (value) url.searchParams.set(name, value);
  go(url, true);
});

for (const name of ["from", "until", "direction", "status"]) {
  form.elements[name].addEventListener("change", () => form.requestSubmit());
}

async function more(link) {
  if (link.getAttribute("aria-busy") === "true") return;
  link.setAttribute("aria-busy", "true");
  failure.hidden = true;
  try {
    const asked = link.href;
    const read = await page(asked);
    // An answer without a list is a notice, not the end of the list. The link stays, to try again.
    if (!read.getElementById("results")) throw new Error("no list");
    const table = document.getElementById("calls");
    if (!table?.isConnected || !link.isConnected) return;
    // The list was shortened meanwhile, and this page would leave a hole in it.
    if (link.href !== asked) {
      link.removeAttribute("aria-busy");
      watch();
      return;
    }
    // A call that has come to the list by itself meanwhile may be on the next page, too.
    for (const row of read.querySelectorAll("#calls tr[data-id]")) {
      if (table.querySelector(`tr[data-id="${row.dataset.id}"]`)) row.remove();
    }
    for (const day of [...(read.getElementById("calls")?.tBodies ?? [])]) {
      if (!day.querySelector("tr[data-id]")) continue;
      const last = table.tBodies[table.tBodies.length - 1];
      if (last.dataset.day === day.dataset.day) {
        day.querySelector(".day").remove();
        last.append(...day.rows);
      } else {
        table.append(day);
      }
    }
    const next = read.getElementById("next");
    if (next) link.replaceWith(next); else link.parentElement.remove();
    watch();
  } catch {
    failure.hidden = false;
    link.removeAttribute("aria-busy");
  }
}

// More calls come when the end of the list comes into view.
const end = new IntersectionObserver((seen) => {
  const next = document.getElementById("next");
  if (next && seen.some((one) => one.isIntersecting)) more(next);
});
function watch() {
  end.disconnect();
  const next = document.getElementById("next");
  if (next) end.observe(next);
}

// One call

let opening = null;

async function open(address, isNew) {
  // A slower answer for another call must not take this one's place.
  opening?.abort();
  const mine = (opening = new AbortController());
  const id = new URL(address, location.href).pathname.split("/").pop();
  if (isNew) {
    const url = new URL(location.href);
    url.searchParams.set("open", id);
    history.pushState({ drawer: true }, "", url);
  }
  try {
    const read = await page(inZone(new URL(`./calls/${encodeURIComponent(id)}`, location.href)), mine.signal);
    const call = read.querySelector("article.call") ?? read.querySelector(".notice");
    // The page of a call is one level below this one.
    for (const part of call.querySelectorAll("[href^='../'], [src^='../']")) {
      for (const name of ["href", "src"]) {
        const value = part.getAttribute(name);
        if (value) part.setAttribute(name, value.replace(/^\.\.\//, "./"));
      }
    }
    const shut = document.createElement("button");
    shut.className = "shut";
    shut.textContent = drawer.dataset.close;
    shut.addEventListener("click", () => drawer.close());
    drawer.replaceChildren(shut, call);
    if (!drawer.open) drawer.showModal();
  } catch (error) {
    if (error.name !== "AbortError") failure.hidden = false;
  }
}

let isLeaving = false;
drawer.addEventListener("close", () => {
  drawer.replaceChildren();
  results.querySelector(".current a")?.focus({ preventScroll: true });
  // Whoever leaves by the history may be opening the next call already.
  if (!isLeaving) opening?.abort();
  if (isLeaving || !new URL(location.href).searchParams.has("open")) return;
  if (history.state?.drawer) history.back(); else history.replaceState(null, "", listOf(location.href));
});

drawer.addEventListener("click", (event) => {
  if (event.target === drawer) drawer.close();
});

function showOpen() {
  const id = new URL(location.href).searchParams.get("open");
  if (id && /^[0-9]+$/.test(id)) open(`./calls/${id}`, false);
}

addEventListener("popstate", async () => {
  opening?.abort();
  isLeaving = true;
  if (drawer.open) drawer.close();
  // The event of closing comes later than this one.
  setTimeout(() => { isLeaving = false; });
  const url = listOf(location.href);
  if (url.href !== shown) await load(url);
  showOpen();
});

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a");
  if (link?.id === "next") {
    event.preventDefault();
    more(link);
  } else if (link?.matches("#results .range, #results .chip, #results .empty a, #results .summary > a, #drawer dd a, .home")) {
    event.preventDefault();
    if (drawer.open) { isLeaving = true; drawer.close(); setTimeout(() => { isLeaving = false; }); }
    go(link.href);
  } else if (!link || link.matches("#calls td.time a")) {
    const row = event.target.closest("#calls tr[data-id]");
    if (!row || String(getSelection()) !== "") return;
    event.preventDefault();
    choose(row);
    open(row.querySelector("a").href, true);
  }
});

// Keys

function choose(row) {
  results.querySelector(".current")?.classList.remove("current");
  row.classList.add("current");
  row.querySelector("a").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const rows = [...results.querySelectorAll("tr[data-id]")];
  const place = rows.findIndex((row) => row.classList.contains("current"));
  const row = rows[Math.max(0, place + by)];
  if (row) choose(row); else { const next = document.getElementById("next"); if (next) more(next); }
}

// The number of the other side: of the caller, where the call came from outside.
async function copy() {
  const row = results.querySelector("tr.current");
  const side = row?.querySelector(row.querySelector(".inbound") ? ".caller" : ".callee");
  const number = (side?.querySelector(".number") ?? side?.querySelector(".name"))?.textContent;
  if (!number) return;
  try {
    await navigator.clipboard.writeText(number);
  } catch {
    // Browsers have no clipboard for pages without TLS.
    const field = document.createElement("textarea");
    field.value = number;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    row.querySelector("a").focus({ preventScroll: true });
  }
  say("copied", number);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || drawer.open || help.open) return;
  if (event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") {
      // Escape would empty the box.
      event.preventDefault();
      event.target.blur();
    }
    return;
  }
  switch (event.key) {
    case "/": form.elements.q.focus(); form.elements.q.select(); break;
    case "j": step(1); break;
    case "k": step(-1); break;
    case "x": copy(); break;
    case "p": calls.toggle(); break;
    case "?": help.showModal(); break;
    case "Backspace":
    case "Delete": {
      const chip = event.target.closest?.(".chip");
      if (!chip) return;
      const place = [...results.querySelectorAll(".chip")].indexOf(chip);
      go(chip.href).then(() => {
        const left = results.querySelectorAll(".chip");
        (left[Math.min(place, left.length - 1)] ?? form.elements.q).focus();
      });
      break;
    }
    default: return;
  }
  event.preventDefault();
});

const helpButton = document.getElementById("help-button");
helpButton.hidden = false;
helpButton.addEventListener("click", () => help.showModal());

// What is said shows for a while; that new calls do not come, until they do.
let saying = null;
function say(what, text = "") {
  clearTimeout(saying);
  said.textContent = `${said.dataset[what]} ${text}`.trim();
  said.classList.remove("hidden");
  if (what !== "lost" && what !== "ended") saying = setTimeout(() => said.classList.add("hidden"), 2500);
}

let recount = null;
const calls = follow({
  button: live, newCalls, page, say,
  table: () => document.getElementById("calls"),
  reload: () => {
    const url = new URL(shown);
    url.searchParams.delete("after");
    return url.href === shown ? load(url, true) : go(url, true);
  },
  changed: () => { recount ??= setTimeout(() => { recount = null; count(); }, 1500); },
});

attend(form.elements.q, () => form.requestSubmit());

// Times are shown in the browser's zone.
if (zone && document.getElementById("zone")?.textContent !== zone && !new URL(location.href).searchParams.has("zone")) {
  const url = inZone(new URL(location.href));
  history.replaceState(history.state, "", url);
  load(listOf(url));
} else {
  calls.follow(shown, null);
  count(!!document.getElementById("count"));
  watch();
}
showOpen();
