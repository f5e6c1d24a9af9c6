/**
 * The script of the page. It only inserts what the server sends. Without it,
 * the page is complete, but does not update.
 *
 * @module
 */

/** The script, as the browser runs it. */
export const script = `"use strict";
(() => {
  const url = document.body.dataset.events;
  const link = document.getElementById("link");
  if (!url || !link || !("EventSource" in window)) return;
  const mostLines = 4000;

  // Changes only what differs: what a person has marked, opened or typed stays.
  const morph = (from, to) => {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
      from.replaceWith(to);
      return;
    }
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    if (from.matches("form") && from.contains(document.activeElement)) return;
    for (const { name, value } of [...to.attributes]) {
      // Whether something is open is for a person to say.
      if (name === "open") continue;
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
    }
    const old = [...from.childNodes], next = [...to.childNodes];
    next.forEach((node, i) => {
      if (old[i]) morph(old[i], node);
      else from.append(node);
    });
    old.slice(next.length).forEach((node) => node.remove());
  };

  const parsed = (html) => {
    const box = document.createElement("template");
    box.innerHTML = html;
    return box.content;
  };

  const say = (text) => {
    if (link.textContent !== text) link.textContent = text;
  };

  let source;
  const open = () => {
    source = new EventSource(url);
    source.addEventListener("part", ({ data }) => {
      say("live");
      const { id, html } = JSON.parse(data);
      const old = document.getElementById(id);
      const next = parsed(html).firstElementChild;
      if (old && next) morph(old, next);
    });
    source.addEventListener("head", ({ data }) => {
      say("live");
      const { title, icon } = JSON.parse(data);
      document.title = title;
      const old = document.querySelector("link[rel=icon]");
      if (old && old.getAttribute("href") !== icon) old.setAttribute("href", icon);
    });
    source.addEventListener("lines", ({ data }) => {
      say("live");
      const log = document.getElementById("log");
      if (!log) return;
      const atEnd = innerHeight + scrollY >= document.body.scrollHeight - 40;
      log.append(parsed(JSON.parse(data).html));
      while (log.childNodes.length > mostLines) log.firstChild.remove();
      if (atEnd) scrollTo(0, document.body.scrollHeight);
    });
    source.addEventListener("again", () => {
      source.close();
      location.reload();
    });
    source.onopen = () => say("live");
    source.onerror = () => {
      const time = new Date().toLocaleTimeString();
      if (!link.textContent.startsWith("not live")) say("not live since " + time);
      // The browser tries again by itself unless the answer was no.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 15000);
    };
  };
  addEventListener("pagehide", () => source && source.close());
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
})();
`;
