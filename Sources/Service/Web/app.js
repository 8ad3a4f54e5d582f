// The search page in the browser. The server makes every list and every page of a call, and this
// program puts them in place without a reload. So there is one maker of rows, and without this
// program the page works, too.

const results = document.getElementById("results");
const form = document.getElementById("filter");
const drawer = document.getElementById("drawer");
const help = document.getElementById("help");
const failure = document.getElementById("failure");
const newCalls = document.getElementById("new-calls");
const live = document.getElementById("live");
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
  // Whoever is signed out gets the page to sign in at.
  if (answer.status === 401) location.reload();
  return read;
}

// Lists

let asking = null;
let shown = listOf(location.href).href;

// While somebody goes on typing, the box keeps what they type.
async function load(url, keepsFocus) {
  asking?.abort();
  const mine = (asking = new AbortController());
  results.setAttribute("aria-busy", "true");
  failure.hidden = true;
  try {
    const read = await page(url, mine.signal);
    const fresh = read.getElementById("results");
    if (!fresh) throw new Error("no list");
    results.replaceChildren(...fresh.childNodes);
    const asked = read.getElementById("filter");
    for (const field of form.elements) {
      if (field.name && !(keepsFocus && field === document.activeElement)) field.value = asked.elements[field.name]?.value ?? field.value;
    }
    shown = url.href;
    newCalls.hidden = true;
    return true;
  } catch (error) {
    if (error.name !== "AbortError") failure.hidden = false;
    return false;
  } finally {
    if (asking === mine) results.removeAttribute("aria-busy");
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
    const read = await page(link.href);
    const table = document.getElementById("calls");
    if (!table?.isConnected || !link.isConnected) return;
    for (const day of [...(read.getElementById("calls")?.tBodies ?? [])]) {
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
  } catch {
    failure.hidden = false;
    link.removeAttribute("aria-busy");
  }
}

// One call

async function open(address, isNew) {
  const id = new URL(address, location.href).pathname.split("/").pop();
  if (isNew) {
    const url = new URL(location.href);
    url.searchParams.set("open", id);
    history.pushState({ drawer: true }, "", url);
  }
  try {
    const read = await page(inZone(new URL(`./calls/${encodeURIComponent(id)}`, location.href)));
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
  } catch {
    failure.hidden = false;
  }
}

let isLeaving = false;
drawer.addEventListener("close", () => {
  drawer.replaceChildren();
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

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || drawer.open || help.open) return;
  if (event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  switch (event.key) {
    case "/": form.elements.q.focus(); form.elements.q.select(); break;
    case "j": step(1); break;
    case "k": step(-1); break;
    case "?": help.showModal(); break;
    default: return;
  }
  event.preventDefault();
});

const helpButton = document.getElementById("help-button");
helpButton.hidden = false;
helpButton.addEventListener("click", () => help.showModal());

// New calls come from the service's stream, if it has one.

let isPaused = false;
function listen() {
  const stream = new EventSource(new URL("./1.0/cdr/stream", location.href));
  stream.addEventListener("open", () => {
    live.hidden = false;
    live.setAttribute("aria-pressed", String(!isPaused));
  });
  stream.addEventListener("error", () => { if (stream.readyState === EventSource.CLOSED) live.hidden = true; });
  let waiting = null;
  const arrive = () => {
    if (isPaused || waiting) return;
    waiting = setTimeout(() => {
      waiting = null;
      const isAtTop = scrollY < 40 && !drawer.open && !results.querySelector(".current");
      const isFirstPage = !new URL(shown).searchParams.has("after");
      if (isAtTop && isFirstPage) load(new URL(shown), true); else newCalls.hidden = false;
    }, 300);
  };
  stream.addEventListener("call_log", arrive);
  // The stream has left calls out; the list has them.
  stream.addEventListener("gap", arrive);
}

live.addEventListener("click", () => {
  isPaused = !isPaused;
  live.setAttribute("aria-pressed", String(!isPaused));
});

newCalls.addEventListener("click", () => {
  const url = new URL(shown);
  url.searchParams.delete("after");
  scrollTo(0, 0);
  if (url.href === shown) load(url); else go(url);
});

// Times are shown in the browser's zone.
if (zone && document.getElementById("zone")?.textContent !== zone && !new URL(location.href).searchParams.has("zone")) {
  const url = inZone(new URL(location.href));
  history.replaceState(history.state, "", url);
  load(listOf(url));
}
showOpen();
listen();
