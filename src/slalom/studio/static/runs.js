// The runs of the store, the newest first: open, compare, remove.

/* global reachable */

import { told, words } from "./live.js";
import { ask, fill, row, statusOf, wrong } from "./office.js";
import { short } from "./pictures.js";

const EVERY_MS = 3000; // between two looks at the store
const find = (selector) => document.querySelector(selector);
const marked = new Set();

function address(name) {
  return `/runs/${encodeURIComponent(name)}${told.search}`;
}

function line({ name, kind, target, status, members, best, score, created }) {
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: marked.has(name) });
  box.setAttribute("aria-label", words.mark.replace("{}", name));
  box.addEventListener("change", () => {
    if (box.checked) marked.add(name);
    else marked.delete(name);
    find("[data-compare]").disabled = marked.size < 2;
  });
  const link = Object.assign(document.createElement("a"), { href: address(name), textContent: name });
  const away = Object.assign(document.createElement("button"), { type: "button", textContent: words.remove });
  const place = document.createElement("span");
  place.className = "actions";
  place.append(away);
  away.addEventListener("click", () => sure(place, name));
  const when = created ? new Date(created).toLocaleString(told.lang) : "";
  return row([box, link, kind ?? "", target ?? "", statusOf(status, score), members ?? "", short(best), score ?? "", when, place]);
}

/** Asks once more, in the place where it was asked for. */
function sure(place, name) {
  const button = (text, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    made.addEventListener("click", act);
    return made;
  };
  const no = button(words.no, () => look());
  place.replaceChildren(`${words.remove_sure.replace("{}", name)} `, button(words.yes, async () => {
    try {
      await ask(`/runs/${encodeURIComponent(name)}/remove`, { method: "POST", json: {} });
      marked.delete(name);
      await look();
    } catch (error) {
      place.replaceChildren(wrong(error));
    }
  }), " ", no);
  no.focus();
}

let before = "";
async function look(again = true) {
  const runs = await ask("/runs.json");
  const now = JSON.stringify(runs);
  if (!again && now === before) return;
  before = now;
  find("[data-none]").hidden = runs.length > 0;
  find("[data-runs]").hidden = runs.length === 0;
  find("[data-runs] tbody").replaceChildren(...runs.map(line));
  reachable();
}

find("[data-compare]").addEventListener("click", async () => {
  const asked = new URLSearchParams([...marked].map((name) => ["run", name]));
  const { columns, rows } = await ask(`/differences?${asked}`);
  const part = find("[data-differences]");
  fill(part.querySelector("table"), columns, rows);
  part.hidden = false;
});

look();
setInterval(() => {
  const asking = document.querySelector("tbody .actions button + button");
  if (!document.hidden && !asking) look(false);
}, EVERY_MS);
