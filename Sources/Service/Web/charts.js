// The charts above the list. The server draws them; this program fetches them when the rows are
// there, puts them in place, and turns a choice of bars into the form's fields.

const results = document.getElementById("results");
const form = document.getElementById("filter");
const fresh = 60_000;

// What is shown, and for which address. A list that is loaded again brings an empty place.
const body = document.createElement("div");
body.id = "charts-body";
let shown = "";
let shownAt = 0;
let asking = null;

// Whether a part stands open, as somebody last left it.
function isOpen(part, otherwise) {
  try {
    const kept = localStorage.getItem(part);
    return kept ? kept === "open" : otherwise;
  } catch { return otherwise; }
}

function remember(part, open) {
  try { localStorage.setItem(part, open ? "open" : "closed"); } catch { /* It stays as it is for this page. */ }
}

function take() {
  const place = document.getElementById("charts");
  if (!place || place.contains(body) || results.getAttribute("aria-busy") === "true") return;
  const link = place.querySelector("h2 a");
  const address = link.getAttribute("href");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = link.textContent;
  button.setAttribute("aria-controls", body.id);
  link.replaceWith(button);
  place.append(body);
  const set = (open) => {
    button.setAttribute("aria-expanded", String(open));
    body.hidden = !open;
    if (open && (address !== shown || Date.now() - shownAt > fresh)) load(address);
  };
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    remember("charts", open);
    set(open);
  });
  set(isOpen("charts", matchMedia("(min-width: 900px)").matches));
}

async function fetched(address, part, signal) {
  const url = new URL(address, location.href);
  url.searchParams.set("part", part);
  const answer = await fetch(url, { headers: { Accept: "text/html" }, signal });
  // Whoever is signed out gets the page to sign in at.
  if (answer.status === 401 && !("leaving" in document.body.dataset)) location.reload();
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  const content = read.getElementById("charts-content");
  if (!content) throw new Error(read.querySelector("[role=alert]")?.textContent ?? "");
  return content;
}

async function load(address) {
  asking?.abort();
  const mine = (asking = new AbortController());
  const place = document.getElementById("charts");
  body.setAttribute("aria-busy", "true");
  if (!body.firstChild) say(place.dataset.loading);
  try {
    const calls = await fetched(address, "calls", mine.signal);
    // Tables that stand open stay open.
    const open = [...body.querySelectorAll("figure details")].map((table) => table.open);
    body.replaceChildren(calls);
    body.querySelectorAll("figure details").forEach((table, number) => { table.open = open[number] ?? false; });
    shown = address;
    shownAt = Date.now();
    body.querySelectorAll("svg.bars, svg.map").forEach(oneStop);
    body.removeAttribute("aria-busy");
    const who = document.getElementById("charts-who");
    who?.addEventListener("toggle", () => {
      remember("charts-who", who.open);
      if (who.open && !who.asked) {
        who.asked = true;
        put("charts-top", address, mine.signal);
      }
    });
    if (who) who.open = isOpen("charts-who", false);
    if (body.querySelector("#charts-talk[data-pending]")) put("charts-talk", address, mine.signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    shown = "";
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = place.dataset.again;
    again.addEventListener("click", () => load(address));
    say(error.message && !(error instanceof TypeError) ? error.message : place.dataset.failed);
    body.firstChild.append(" ", again);
  } finally {
    if (asking === mine) body.removeAttribute("aria-busy");
  }
}

// Puts a part in place that takes longer.
async function put(id, address, signal) {
  const place = document.getElementById(id);
  if (!place) return;
  try {
    const content = await fetched(address, id.slice("charts-".length), signal);
    const part = content.querySelector(`#${id}`);
    // Otherwise the page would show the word "null".
    if (!part) throw new Error("no part");
    place.replaceWith(part);
  } catch (error) {
    // A list that was loaded meanwhile may have no charts.
    if (error.name !== "AbortError") place.textContent = document.getElementById("charts")?.dataset.failed ?? "";
  }
}

function say(text) {
  const line = document.createElement("p");
  line.className = "nothing";
  line.textContent = text;
  body.replaceChildren(line);
}

// The form asks for what a link leads to.
function follow(address) {
  const wanted = new URL(address, location.href).searchParams;
  for (const field of form.elements) {
    if (field.name && field.name !== "zone") field.value = wanted.get(field.name) ?? "";
  }
  form.requestSubmit();
}

// Several bars are one time, from the first one's start until the last one's end.
function followAll(links) {
  const [first, last] = [links[0], links[links.length - 1]].map((link) => new URL(link.getAttribute("href"), location.href));
  first.searchParams.set("until", last.searchParams.get("until"));
  follow(first.href);
}

body.addEventListener("click", (event) => {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a");
  if (!link) return;
  event.preventDefault();
  if (dragged) return;
  if (link.matches(".by")) load(link.getAttribute("href")); else follow(link.getAttribute("href"));
});

// Drags over bars

let anchor = null;
let dragged = false;

function mark(svg, one, other) {
  const links = [...svg.querySelectorAll("a")];
  const places = [links.indexOf(one), links.indexOf(other)].sort((a, b) => a - b);
  const chosen = places[0] < 0 ? [] : links.slice(places[0], places[1] + 1);
  for (const link of links) link.classList.toggle("chosen", chosen.includes(link));
  return chosen;
}

const marked = (svg) => [...svg.querySelectorAll("a.chosen")];

body.addEventListener("pointerdown", (event) => {
  const link = event.button ? null : event.target.closest("svg.bars a");
  anchor = link && { link, svg: link.closest("svg") };
  dragged = false;
});

// Links would be dragged away as addresses.
body.addEventListener("dragstart", (event) => { if (event.target.closest?.("svg")) event.preventDefault(); });

addEventListener("pointermove", (event) => {
  if (!anchor) return;
  const link = document.elementFromPoint(event.clientX, event.clientY)?.closest("svg.bars a");
  if (!link || link.closest("svg") !== anchor.svg) return;
  if (link !== anchor.link) dragged = true;
  if (dragged) mark(anchor.svg, anchor.link, link);
});

addEventListener("pointerup", () => {
  if (anchor && dragged) {
    const links = marked(anchor.svg);
    if (links.length) followAll(links);
    // The click comes after this event.
    setTimeout(() => { dragged = false; });
  }
  anchor = null;
});

addEventListener("pointercancel", () => {
  if (anchor) mark(anchor.svg);
  anchor = null;
});

// Keys: one stop for each chart, arrows within it.

function oneStop(svg) {
  const links = svg.querySelectorAll("a");
  links.forEach((link, place) => link.setAttribute("tabindex", place === links.length - 1 ? "0" : "-1"));
}

let start = null;

body.addEventListener("keydown", (event) => {
  const link = event.target.closest("svg.bars a, svg.map a");
  if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
  const svg = link.closest("svg");
  const links = [...svg.querySelectorAll("a")];
  const place = links.indexOf(link);
  const target = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: links.length - 1 }[event.key];
  if (event.key === "Enter" && marked(svg).length > 1) {
    event.preventDefault();
    followAll(marked(svg));
  } else if (event.key === "Escape") {
    mark(svg);
  } else if (target !== undefined) {
    event.preventDefault();
    const next = links[Math.max(0, Math.min(links.length - 1, target))];
    link.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
    if (event.shiftKey && svg.matches(".bars")) {
      if (!marked(svg).length) start = link;
      mark(svg, start, next);
    } else {
      mark(svg);
    }
  }
});

new MutationObserver(take).observe(results, { childList: true, attributes: true, attributeFilter: ["aria-busy"] });
take();
