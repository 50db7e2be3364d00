"use strict";
// Shows the progress of a sync as it goes on, and the page as it is when the sync has ended.
(() => {
  const live = document.getElementById("live");
  const announced = document.getElementById("announced");

  function follow() {
    const box = live?.querySelector("[data-progress]");
    if (!box || !window.EventSource) return;
    const events = new EventSource(box.dataset.progress);
    let text = "";
    events.addEventListener("state", (event) => {
      const state = JSON.parse(event.data);
      const bar = box.querySelector("progress");
      if (state.share === null) bar.removeAttribute("value");
      else bar.value = state.share;
      for (const field of box.querySelectorAll("[data-field]")) {
        const value = state[field.dataset.field];
        if (value !== undefined) field.textContent = value.toLocaleString("en");
      }
      if (state.text !== text) announced.textContent = text = state.text;
      if (!state.running) {
        events.close();
        renew();
      }
    });
    // The answer to a request for a sync that has just ended has no events.
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) renew();
    });
    addEventListener("pagehide", () => events.close(), { once: true });
  }

  async function renew() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("live");
    if (!next) return location.reload();
    const hadFocus = live.contains(document.activeElement);
    live.replaceChildren(...next.childNodes);
    if (hadFocus) document.getElementById("content").focus();
    follow();
  }

  follow();
})();
