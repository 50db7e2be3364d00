"use strict";

// What the pages do beyond what they do without a script: suggestions while somebody types into the search
// field, and what people who do not see the page are told when a list grows.

(() => {
  const WAIT_MS = 200;
  const SHOWN = 6;

  const announcement = document.getElementById("announcement");

  /** Tell a screen reader something, without moving the focus. */
  function announce(text) {
    if (announcement) announcement.textContent = text;
  }

  function count(number, one, many) {
    return `${number} ${number === 1 ? one : many}`;
  }

  // The search field: a combobox with a list box, as the ARIA Authoring Practices describe it.

  function suggest(input) {
    const form = input.form;
    const list = document.createElement("div");
    list.id = "suggestions";
    list.className = "suggestions";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    form.append(list);
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": list.id,
      "aria-haspopup": "listbox",
    })) {
      input.setAttribute(name, value);
    }

    let timer = 0;
    let running = null;
    let shownFor = "";
    let active = -1;

    const options = () => [...list.querySelectorAll('[role="option"]')];
    const asked = () => input.value.trim();

    function close() {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function stop() {
      clearTimeout(timer);
      if (running) running.abort();
      running = null;
    }

    function open() {
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }

    function choose(number) {
      const all = options();
      active = number;
      all.forEach((option, at) => option.setAttribute("aria-selected", String(at === number)));
      if (number < 0) {
        input.removeAttribute("aria-activedescendant");
        return;
      }
      input.setAttribute("aria-activedescendant", all[number].id);
      all[number].scrollIntoView({ block: "nearest" });
    }

    function optionOf(number, page, label, facts, picture) {
      const option = document.createElement("div");
      option.id = `suggestion-${number}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.page = page;
      if (picture) {
        const image = document.createElement("img");
        image.src = picture;
        image.alt = "";
        image.width = 32;
        image.height = 48;
        option.append(image);
      } else {
        option.className = "plain";
      }
      const words = document.createElement("span");
      const name = document.createElement("bdi");
      name.textContent = label.length > 90 ? `${label.slice(0, 89)}…` : label;
      words.append(name);
      if (facts) {
        const line = document.createElement("span");
        line.className = "facts";
        line.textContent = ` ${facts}`;
        words.append(line);
      }
      option.append(words);
      return option;
    }

    function groupOf(heading, id, made) {
      const group = document.createElement("div");
      group.setAttribute("role", "group");
      group.setAttribute("aria-labelledby", id);
      const name = document.createElement("div");
      name.id = id;
      name.className = "group";
      name.setAttribute("role", "presentation");
      name.textContent = heading;
      group.append(name, ...made);
      return group;
    }

    function show(found, text) {
      const groups = [];
      let number = 0;
      for (const [heading, id, hits] of [
        ["Titles", "suggested-titles", found.titles],
        ["People", "suggested-people", found.people],
      ]) {
        if (!hits.length) continue;
        groups.push(
          groupOf(heading, id, hits.map((hit) => optionOf(number++, hit.page, hit.label, hit.facts, hit.picture))),
        );
      }
      if (number) {
        const whole = `${form.action}?${new URLSearchParams({ q: text })}`;
        groups.push(groupOf("More", "suggested-more", [optionOf(number, whole, `All results for “${text}”`, "", "")]));
      }
      list.replaceChildren(...groups);
      shownFor = text;
      choose(-1);
      if (number) open();
      else close();
      announce(
        number
          ? `${count(found.titles.length, "title", "titles")} and ${count(found.people.length, "person", "people")}. Use the arrow keys.`
          : "No title and no name is like this.",
      );
    }

    async function ask() {
      const text = asked();
      stop();
      if (!text) {
        shownFor = "";
        list.replaceChildren();
        close();
        return;
      }
      const request = new AbortController();
      running = request;
      try {
        const query = new URLSearchParams({ q: text, limit: String(SHOWN) });
        const response = await fetch(`${form.action}.json?${query}`, { signal: request.signal });
        if (!response.ok) throw new Error(`status ${response.status}`);
        const found = await response.json();
        // Whoever typed on meanwhile has asked something else.
        if (running === request && asked() === text) show(found, text);
      } catch (error) {
        if (error.name === "AbortError") return;
        close();
        announce("The suggestions could not be loaded. Press Enter to search.");
      } finally {
        if (running === request) running = null;
      }
    }

    function askLater() {
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT_MS);
    }

    function move(step) {
      if (list.hidden) {
        if (list.children.length && shownFor === asked()) {
          open();
          choose(step > 0 ? 0 : options().length - 1);
        } else {
          ask();
        }
        return;
      }
      const last = options().length - 1;
      const next = active + step;
      choose(next > last ? -1 : next < -1 ? last : next);
    }

    input.addEventListener("input", askLater);
    input.addEventListener("keydown", (event) => {
      if (event.isComposing || event.ctrlKey || event.metaKey) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        move(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter" && !list.hidden && active >= 0) {
        event.preventDefault();
        location.assign(options()[active].dataset.page);
      } else if (event.key === "Escape") {
        stop();
        if (!list.hidden) {
          event.preventDefault();
          close();
        } else {
          input.value = "";
          shownFor = "";
        }
      }
    });
    input.addEventListener("blur", () => {
      stop();
      close();
    });
    // A press on the list must not take the focus, which would close it before the click.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest('[role="option"]');
      if (option) location.assign(option.dataset.page);
    });
  }

  const input = document.getElementById("q");
  if (input) suggest(input);

  // Lists that grow: htmx adds the next page to a list; this says how much came, and keeps the focus in place.

  const before = new WeakMap();

  document.addEventListener("htmx:beforeSwap", (event) => {
    const list = event.detail.target;
    const link = event.detail.requestConfig ? event.detail.requestConfig.elt : null;
    before.set(list, { entries: list.children.length, hadFocus: link !== null && document.activeElement === link });
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const list = event.detail.target;
    const then = before.get(list);
    if (!then) return;
    before.delete(list);
    const came = list.children.length - then.entries;
    const [one, many] = (list.dataset.what || "entry,entries").split(",");
    announce(`${count(came, one, many)} more, ${list.children.length} in all.`);
    const first = list.children[then.entries];
    if (then.hadFocus && first) {
      const link = first.querySelector("a");
      if (link) link.focus();
    }
  });

  for (const name of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(name, () => announce("More could not be loaded. Try the link again."));
  }
})();
