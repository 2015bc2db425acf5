"use strict";
// News without moving what one reads: a line says that it changed, what is new waits in the tray.
(() => {
  const lines = document.getElementById("lines");
  const tray = document.getElementById("tray");
  const state = document.getElementById("live");
  if (!lines || !tray || !window.EventSource) return;
  const fresh = new Map();
  const query = new URLSearchParams(lines.dataset.query);
  query.set("since", lines.dataset.since);
  const say = (live) => {
    state.hidden = false;
    state.classList.toggle("away", !live);
    const words = live ? state.dataset.live : state.dataset.away;
    if (state.textContent !== words) state.textContent = words;
  };
  const mark = (item, one) => {
    const news = item.querySelector(".news");
    const text = `${lines.dataset.changed} ${one.tag}. ${one.why}; ${one.facts}.`;
    if (news.textContent === text) return;
    news.textContent = text;
    news.hidden = false;
  };
  const fill = () => {
    const list = tray.querySelector("ul");
    list.replaceChildren(...[...fresh.values()].slice(-3).reverse().map((one) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/people/${one.admission_id}`;
      link.textContent = `${one.tag}: ${one.why}`;
      item.append(link, ` (${one.facts})`);
      return item;
    }));
    const many = tray.dataset.many.replace("%n", fresh.size);
    tray.querySelector("h2").textContent = fresh.size === 1 ? tray.dataset.one : many;
    tray.hidden = fresh.size === 0;
  };
  let source;
  const listen = () => {
    source = new EventSource(`/live?${query}`);
    source.addEventListener("open", () => say(true));
    source.addEventListener("concern", (event) => {
      const one = JSON.parse(event.data);
      const item = document.getElementById(`c${one.id}`);
      if (item) mark(item, one);
      else {
        fresh.delete(one.id);
        if (one.open) fresh.set(one.id, one);
        fill();
      }
    });
    source.addEventListener("place", (event) => query.set("since", event.data));
    source.addEventListener("end", () => { source.close(); setTimeout(listen, 500); });
    source.addEventListener("error", () => say(false));
  };
  listen();
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
// A page that nobody touches locks itself.
(() => {
  const seconds = Number(document.body.dataset.idle);
  const form = document.getElementById("sign-out");
  if (!seconds || !form) return;
  let timer;
  const touch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => { document.body.replaceChildren(form); form.submit(); }, seconds * 1000);
  };
  for (const kind of ["keydown", "pointerdown", "scroll"]) addEventListener(kind, touch, { passive: true });
  touch();
})();
