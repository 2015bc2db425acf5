"use strict";
// What was typed on a roster stays in this browser, sealed, until the server has it.
(() => {
  const NAME = "handrail-roster.";
  const KEEP_MS = 3 * 24 * 3600 * 1000;
  for (const name of Object.keys(localStorage)) {
    const is_old = name.startsWith(NAME) && Number(localStorage[name].split(".")[0]) < Date.now() - KEEP_MS;
    if (is_old) localStorage.removeItem(name);
  }
  for (const item of document.querySelectorAll("li[data-session]")) {
    item.querySelector(".unsent").hidden = !(NAME + item.dataset.session in localStorage);
  }
  const form = document.getElementById("roster");
  if (!form || !window.crypto || !crypto.subtle) return;
  const words = { ...form.dataset };
  const place = NAME + words.session;
  const told = document.getElementById("told");
  form.removeAttribute("data-seal");
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const key = crypto.subtle.importKey("raw", bytes(words.seal), "AES-GCM", false, ["encrypt", "decrypt"]);
  let isPending = false, isSending = false, pause = 1000, timer, writing = Promise.resolve();

  const say = (text, isGood, link) => {
    told.hidden = false;
    told.classList.toggle("wrong", !isGood);
    if (told.textContent !== text) told.textContent = text;
    if (!link) return;
    const anchor = document.createElement("a");
    [anchor.href, anchor.textContent] = link;
    told.append(" ", anchor);
  };
  const typed = () => [...new FormData(form)].filter(([name, value]) => name !== "form" && value);
  const keep = () => {
    const text = new TextEncoder().encode(JSON.stringify({ typed: typed(), isPending }));
    const vector = crypto.getRandomValues(new Uint8Array(12));
    writing = writing.then(async () => {
      const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: vector }, await key, text));
      localStorage[place] = `${Date.now()}.${btoa(String.fromCharCode(...vector, ...sealed))}`;
    });
    return writing;
  };
  const forget = () => (writing = writing.then(() => localStorage.removeItem(place)));
  const restore = async () => {
    if (!(place in localStorage)) return;
    try {
      const whole = bytes(localStorage[place].split(".")[1]);
      const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: whole.slice(0, 12) }, await key, whole.slice(12));
      const kept = JSON.parse(new TextDecoder().decode(text));
      for (const [name, value] of kept.typed) {
        const field = form.elements.namedItem(name);
        if (!field) continue;
        if (field.type === "checkbox") field.checked = true;
        else field.value = value;
      }
      isPending = kept.isPending;
      say(words.kept, true);
    } catch { /* somebody else's: it stays sealed */ }
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(send, pause); pause = Math.min(pause * 2, 30000); };
  const send = async () => {
    if (isSending || !isPending) return;
    isSending = true;
    let answer, said;
    try {
      answer = await fetch(form.action, {
        method: "POST", redirect: "manual", headers: { accept: "application/json" },
        body: new URLSearchParams(new FormData(form)),
      });
      if (answer.ok || answer.status === 409) said = await answer.json();
    } catch { answer = undefined; }
    isSending = false;
    if (!answer || answer.status >= 500) { say(words.waiting, false); later(); return; }
    if (answer.type === "opaqueredirect") {
      say(words.signIn, false, [`/sign-in?next=${location.pathname}`, words.enter]);
      return;
    }
    isPending = false;
    if (said && said.done) {
      await forget();
      say(words.done, true);
      location.replace(`${location.pathname}?done=1`);
      return;
    }
    await keep();
    say(said ? said.words : "", false, [location.pathname, words.state]);
  };
  form.addEventListener("input", () => { if (!isPending) keep().then(() => say(words.kept, true)); else keep(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    isPending = true;
    pause = 1000;
    await keep();
    if (!isSending) say(words.sending, true);
    send();
  });
  document.getElementById("everyone").addEventListener("click", (event) => {
    event.preventDefault();
    for (const field of form.querySelectorAll("input[value=attended]")) {
      if (!form.elements.namedItem(field.name).value) field.checked = true;
    }
    form.dispatchEvent(new Event("input"));
  });
  addEventListener("online", () => { pause = 1000; send(); });
  restore().then(send);
})();
