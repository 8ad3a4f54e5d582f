// The search box: suggestions while somebody types, and terms that go by one key.

// Where the terms of a text begin and end. Quotation marks hold words together.
function terms(text) {
  return [...text.matchAll(/(?:"[^"]*"?|[^\s"])+/g)].map((found) => [found.index, found.index + found[0].length]);
}

// - search: searches for what stands in the box
export function attend(input, search) {
  const list = document.createElement("ul");
  list.id = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.dataset.suggestions);
  list.hidden = true;
  input.after(list);
  for (const [name, value] of [
    ["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id],
  ]) input.setAttribute(name, value);

  let chosen = -1;
  let asking = null;
  let timer = null;

  function choose(place) {
    // An answer that came now would take the choice away.
    clearTimeout(timer);
    asking?.abort();
    const options = [...list.children];
    chosen = options.length ? (place + options.length + 1) % (options.length + 1) : -1;
    if (chosen === options.length) chosen = -1;
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === chosen)));
    if (chosen < 0) {
      input.removeAttribute("aria-activedescendant");
    } else {
      input.setAttribute("aria-activedescendant", options[chosen].id);
      options[chosen].scrollIntoView({ block: "nearest" });
    }
  }

  function close() {
    clearTimeout(timer);
    asking?.abort();
    list.hidden = true;
    list.replaceChildren();
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  // The term in which the caret stands at the end; an empty one where none has begun.
  function current() {
    const caret = input.selectionEnd;
    const [start, end] = terms(input.value).find(([from, to]) => from < caret && caret <= to) ?? [caret, caret];
    return caret === end ? { start, end, text: input.value.slice(start, end) } : null;
  }

  async function ask() {
    const term = current();
    if (!term) return close();
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`./suggestions?term=${encodeURIComponent(term.text)}`, { signal: asking.signal });
      if (!answer.ok) return close();
      const found = (await answer.json()).filter((one) => one.term !== term.text);
      if (document.activeElement !== input) return close();
      list.replaceChildren(...found.map((one, number) => {
        const option = document.createElement("li");
        option.id = `suggestion-${number}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        const [name, meaning] = [document.createElement("bdi"), document.createElement("span")];
        [name.textContent, meaning.textContent] = [one.term, one.meaning];
        option.append(name, meaning);
        option.dataset.term = one.term;
        return option;
      }));
      chosen = -1;
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(!!found.length));
      input.removeAttribute("aria-activedescendant");
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  }

  function later() {
    clearTimeout(timer);
    // What is being asked for is no longer what stands in the box.
    asking?.abort();
    timer = setTimeout(ask, 80);
  }

  function accept(option) {
    const { start, end } = current() ?? { start: input.value.length, end: input.value.length };
    const isOperator = option.dataset.term.endsWith(":");
    const rest = input.value.slice(end).trimStart();
    const head = input.value.slice(0, start) + option.dataset.term + (isOperator ? "" : " ");
    input.value = head + rest;
    input.setSelectionRange(head.length, head.length);
    close();
    if (isOperator) ask(); else search();
  }

  input.addEventListener("input", () => { if (current()?.text) later(); else close(); });
  input.addEventListener("blur", close);
  input.form.addEventListener("submit", close);
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("li");
    if (option) accept(option);
  });

  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const isOpen = !list.hidden;
    switch (event.key) {
      case "ArrowDown":
        if (isOpen) choose(chosen + 1); else ask();
        break;
      case "ArrowUp":
        if (!isOpen) return;
        choose(chosen - 1);
        break;
      case "Enter":
      case "Tab":
        if (!isOpen || chosen < 0) return;
        accept(list.children[chosen]);
        break;
      case "Escape":
        if (!isOpen) return;
        close();
        break;
      case "Backspace": {
        if (input.selectionStart !== 0 || input.selectionEnd !== 0 || !input.value) return;
        const last = terms(input.value).at(-1);
        input.value = last ? input.value.slice(0, last[0]).trimEnd() : "";
        input.setSelectionRange(0, 0);
        search();
        break;
      }
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
}
