// New calls, as they end. The service sends their rows, made as those of the list, for the list's
// own filter. So this program only puts them in their places.

const most = 500;
const silence = 45_000;

// The events of a stream (HTML standard, "Server-sent events").
async function* events(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = { name: "message", id: null, data: "" };
      for (const line of text.slice(0, end).split("\n")) {
        const [, name, content] = /^([a-z]*): ?(.*)$/s.exec(line) ?? [];
        if (name === "event") event.name = content;
        if (name === "id") event.id = content;
        if (name === "data") event.data += content;
      }
      text = text.slice(end + 2);
      yield event;
    }
  }
}

const pause = (time, signal) => new Promise((done) => {
  const timer = setTimeout(done, time);
  signal.addEventListener("abort", () => { clearTimeout(timer); done(); });
});

// The row before which a row stands in the list, the latest first; null at the end.
function follower(table, start, id) {
  for (const row of table.querySelectorAll("tr[data-id]")) {
    const other = Number(row.dataset.start);
    if (other < start || (other === start && Number(row.dataset.id) < id)) return row;
  }
  return null;
}

function remove(row) {
  const day = row.parentElement;
  row.remove();
  if (!day.querySelector("tr[data-id]")) day.remove();
}

// Puts a row in its place. One that lies behind all that are loaded comes with the next page.
function put(table, row, day, isNew) {
  const id = Number(row.dataset.id);
  const old = table.querySelector(`tr[data-id="${id}"]`);
  if (old?.dataset.start === row.dataset.start) {
    const kept = ["current", "new"].filter((name) => old.classList.contains(name));
    old.classList.remove("current", "new");
    if (!old.classList.length) old.removeAttribute("class");
    if (old.outerHTML.trim() === row.outerHTML.trim()) {
      old.classList.add(...kept);
      return;
    }
    const hasFocus = old.contains(document.activeElement);
    row.classList.add(...kept);
    old.replaceWith(row);
    if (hasFocus) row.querySelector("a").focus({ preventScroll: true });
  } else {
    if (old) remove(old);
    const next = follower(table, Number(row.dataset.start), id);
    if (!next && document.getElementById("next")) return;
    const same = [...table.tBodies].find((other) => other.dataset.day === day.dataset.day);
    if (same) {
      if (next?.parentElement === same) next.before(row); else same.append(row);
    } else {
      const fresh = day.cloneNode(false);
      fresh.append(day.rows[0].cloneNode(true), row);
      if (next) next.parentElement.before(fresh); else table.append(fresh);
    }
  }
  if (isNew) {
    row.classList.add("new");
    setTimeout(() => row.classList.remove("new"), 4000);
  }
}

// Keeps a list that grows all day short. Whatever goes comes again with the next page.
function shorten(table) {
  const next = document.getElementById("next");
  const rows = table.querySelectorAll("tr[data-id]");
  if (!next || rows.length <= most) return;
  for (const row of [...rows].slice(most)) remove(row);
  const url = new URL(next.href);
  url.searchParams.set("after", `${rows[most - 1].dataset.start}_${rows[most - 1].dataset.id}`);
  next.href = url;
}

function parse(text) {
  const holder = document.createElement("template");
  holder.innerHTML = `<table>${text}</table>`;
  const day = holder.content.querySelector("tbody");
  return { day, row: day.querySelector("tr[data-id]") };
}

// - page: fetches a list
// - reload: loads the one that is shown
// - changed: says that rows have changed
// - say: says something to people
export function follow({ button, newCalls, table, page, reload, changed, say }) {
  let url = null;
  let place = null;
  let current = null;
  let isPaused = false;
  let isSyncing = false;
  let hasGap = false;
  // What waits, by the call's id: a row, or null for one that has left the list.
  let waiting = new Map();
  let counted = new Set();
  const number = new Intl.NumberFormat(document.documentElement.lang);

  function state(name) {
    const before = button.dataset.state;
    if (before !== name && (before || name !== "live")) say(name === "live" && isPaused ? "paused" : name);
    button.hidden = false;
    button.dataset.state = name;
    button.setAttribute("aria-pressed", String(!isPaused));
    button.title = newCalls.dataset[isPaused ? "resume" : "pause"] ?? "";
  }

  function show() {
    newCalls.hidden = !counted.size && !hasGap;
    newCalls.textContent = counted.size === 1
      ? newCalls.dataset.one : newCalls.dataset.many.replace("#", number.format(counted.size) + (hasGap ? "+" : ""));
  }

  // Rows wait while the reader has paused them, or reads further down.
  const isHeld = () => isPaused || isSyncing || (table()?.getBoundingClientRect().top ?? 0) < -60;

  // Loads the list, once for all that asks for it.
  let isReloading = false;
  function again() {
    if (isReloading) return;
    isReloading = true;
    Promise.resolve(reload()).finally(() => { isReloading = false; });
  }

  function flush(all) {
    const list = table();
    if (hasGap && all) return again();
    if (!list) return counted.size && all ? again() : undefined;
    let hasChanged = false;
    for (const [id, text] of waiting) {
      const old = list.querySelector(`tr[data-id="${id}"]`);
      if (!all && !old && text) continue;
      waiting.delete(id);
      counted.delete(id);
      if (text) {
        const { day, row } = parse(text);
        put(list, row, day, true);
      } else if (old) {
        remove(old);
      }
      hasChanged = true;
    }
    // Rows must not vanish under a reader who is further down.
    if (hasChanged && all) shorten(list);
    if (hasChanged) changed(list);
    show();
  }

  function take(event) {
    if (event.id !== null) place = event.id;
    if (event.name === "gap") hasGap = true;
    if (event.name === "call_log" || event.name === "left") {
      const { id, rows = null } = JSON.parse(event.data);
      waiting.delete(id);
      if (waiting.size >= most) hasGap = true; else waiting.set(id, rows);
      const isShown = table()?.querySelector(`tr[data-id="${id}"]`);
      if (rows && !isShown) counted.add(id);
      if (!rows) counted.delete(id);
    }
    if (isSyncing) return;
    if (isPaused) show(); else flush(!isHeld());
  }

  // What came between the list and its stream.
  async function sync(mine) {
    isSyncing = true;
    try {
      const read = await page(url, mine.signal);
      const [list, fresh] = [table(), read.getElementById("calls")];
      if (mine !== current || !(list || fresh)) return;
      const rows = [...(fresh?.querySelectorAll("tr[data-id]") ?? [])];
      const known = new Set([...(list?.querySelectorAll("tr[data-id]") ?? [])].map((row) => row.dataset.id));
      if (!list || !rows.some((row) => known.has(row.dataset.id))) return again();
      const ids = new Set(rows.map((row) => row.dataset.id));
      const last = rows[rows.length - 1];
      const end = follower(list, Number(last.dataset.start), Number(last.dataset.id));
      for (const row of [...list.querySelectorAll("tr[data-id]")]) {
        if (row === end) break;
        if (!ids.has(row.dataset.id)) remove(row);
      }
      for (const row of rows) put(list, row, row.parentElement, !known.has(row.dataset.id));
      if (rows.some((row) => !known.has(row.dataset.id))) changed(list);
    } finally {
      isSyncing = false;
      if (mine === current) flush(!isHeld());
    }
  }

  async function run(mine) {
    let wait = 500;
    while (mine === current) {
      const call = new AbortController();
      const end = () => call.abort();
      mine.signal.addEventListener("abort", end);
      let timer = setTimeout(end, silence);
      const alive = () => {
        clearTimeout(timer);
        timer = setTimeout(end, silence);
      };
      try {
        const target = new URL("./live", location.href);
        target.search = new URL(url).search;
        const headers = { Accept: "text/event-stream" };
        if (place !== null) headers["Last-Event-ID"] = place;
        const answer = await fetch(target, { headers, signal: call.signal, cache: "no-store" });
        if (mine !== current) return;
        if ([400, 401, 403, 404].includes(answer.status)) return answer.status === 400 ? undefined : state("ended");
        if (!answer.ok) throw new Error(String(answer.status));
        state("live");
        wait = 500;
        if (place === null) sync(mine).catch(() => {});
        for await (const event of events(answer.body, alive)) {
          if (mine !== current) return;
          take(event);
        }
      } catch {
        if (mine === current) state("lost");
      } finally {
        clearTimeout(timer);
        mine.signal.removeEventListener("abort", end);
        call.abort();
      }
      await pause(wait * (1 + Math.random() / 2), mine.signal);
      wait = Math.min(wait * 2, 15_000);
    }
  }

  function stop() {
    current?.abort();
    current = null;
  }

  function begin() {
    stop();
    current = new AbortController();
    run(current);
  }

  function toggle() {
    if (button.hidden) return;
    isPaused = !isPaused;
    button.setAttribute("aria-pressed", String(!isPaused));
    button.title = newCalls.dataset[isPaused ? "resume" : "pause"] ?? "";
    say(isPaused ? "paused" : "live");
    if (!isPaused) flush(!isHeld());
  }

  button.addEventListener("click", toggle);
  newCalls.addEventListener("click", () => {
    const list = table();
    if (list && list.getBoundingClientRect().top < 0) list.parentElement.querySelector(".summary")?.scrollIntoView();
    if (new URL(url).searchParams.has("after")) return again();
    flush(true);
  });
  addEventListener("scroll", () => { if (counted.size && !isHeld()) flush(true); }, { passive: true });

  // A page that nobody sees needs none of the few connections that a browser has.
  let leaving;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(stop, 10_000); else if (!current && url) begin();
  });

  return {
    toggle,
    // The place in the stream that a list has at least which is asked for now.
    get place() { return place; },
    // Follows a list that was loaded. It has what had come when it was asked for.
    follow(address, since) {
      [url, place, hasGap, waiting, counted] = [address, since, false, new Map(), new Set()];
      show();
      // A hidden page begins when it comes into view.
      if (document.hidden) stop(); else begin();
    },
  };
}
