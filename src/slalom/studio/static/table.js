// Your table: send it, see what is made of it, fit it, take the model.

/* global reachable */

import { told, words } from "./live.js";
import { ask, follow, row, send, sentence, showResult, showTraining, wrong } from "./office.js";

const find = (selector) => document.querySelector(selector);
const form = find("[data-settings]");
const drop = find("[data-drop]");
let table; // the identifier of what was sent
let worker;

const state = (text) => { find("[data-state]").textContent = text; };

/** Goes through something that may be refused, which is then said at a place. */
async function attempt(place, act) {
  for (const old of document.querySelectorAll(".wrong")) old.remove();
  try {
    await act();
  } catch (error) {
    state("");
    place.append(wrong(error));
  }
}

function take(file) {
  if (!file) return;
  known(false);
  find("[data-result]").hidden = true;
  attempt(drop, async () => {
    state(words.sending);
    ({ table } = await send(file));
    remember({ table });
    await read();
  });
}

async function read() {
  state(words.reading);
  const held = await ask(`/tables/${table}`);
  state(words.rows_columns.replace("{rows}", held.rows.toLocaleString(told.lang)).replace("{columns}", held.columns));
  columns(held);
  known(true);
}

function known(is) {
  for (const part of document.querySelectorAll("[data-known]")) part.hidden = !is;
}

/** What is made of each column, and what each could be as a target. */
function columns({ names, summary, missing, head, notes, targets }) {
  find("[data-notes]").replaceChildren(...notes.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  find("[data-summary] tbody").replaceChildren(...summary.map(({ column, kind, features, note }) => {
    const out = Object.assign(document.createElement("input"), { type: "checkbox", name: "drop", value: column });
    out.setAttribute("aria-label", `${words.leave_out}: ${column}`);
    const k = names.indexOf(column);
    const cells = k < 0 ? "" : head.map((line) => line[k]).filter(Boolean).slice(0, 4).join(", ");
    return row([out, column, kind, features, missing[column] ?? "", cells, note]);
  }));
  requestAnimationFrame(reachable);
  const target = form.elements.target;
  target.replaceChildren(...names.filter((name) => !targets[name].startsWith("!")).map((name) => {
    const [task, classes] = targets[name].split(":");
    const kind = task === "regression" ? words.as_regression : words.as_classes.replace("{}", classes);
    return Object.assign(document.createElement("option"), { value: name, textContent: `${name} (${kind})` });
  }));
  target.value = [...target.options].at(-1)?.value ?? "";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(form, async () => {
    const dropped = [...document.querySelectorAll("[name=drop]:checked")].map((box) => box.value);
    const limit = Number(form.elements.time_limit.value) || null;
    const target = form.elements.target.value;
    ({ worker } = await ask("/fits", {
      method: "POST", json: { table, target, time_limit: limit, drop: dropped.filter((name) => name !== target) },
    }));
    remember({ table, worker });
    await watch();
  });
});

async function watch() {
  find("[data-made]").open = false;
  find("[data-result]").replaceChildren();
  const going = find("[data-going]");
  going.hidden = false;
  find("[data-fit]").disabled = true;
  try {
    const said = await follow(worker, (now) => {
      state(sentence(now));
      showTraining(going, now);
    });
    if (said.error) throw new Error(said.error);
    state(said.done ? "" : words.stopped);
    if (said.done?.result) {
      form.elements.target.value = said.done.result.target[0];
      showResult(find("[data-result]"), said.done.run, said.done.result);
    }
    if (said.run) find("[data-result]").append(ways(said.run));
    find("[data-result]").hidden = false;
  } finally {
    going.hidden = true;
    find("[data-fit]").disabled = false;
  }
}

function ways(run) {
  const place = document.createElement("p");
  place.append(Object.assign(document.createElement("a"), { href: `/runs/${encodeURIComponent(run)}${told.search}`, textContent: words.open_run }));
  return place;
}

/** The address holds what is on the page, so that it is there again when it is opened again. */
function remember(what) {
  history.replaceState(null, "", `#${new URLSearchParams(what)}`);
  for (const link of document.querySelectorAll("[data-language]")) link.hash = location.hash;
}

form.elements.target.addEventListener("change", () => { find("[data-result]").hidden = true; });
find("[data-file]").addEventListener("change", (event) => take(event.target.files[0]));
find("[data-stop]").addEventListener("click", () => attempt(find("[data-going]"), () => ask(`/workers/${worker}/stop`, { method: "POST", json: {} })));
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files[0]);
});

const kept = new URLSearchParams(location.hash.slice(1));
if (kept.has("table")) {
  table = kept.get("table");
  attempt(drop, async () => {
    await read();
    if (!kept.has("worker")) return;
    worker = kept.get("worker");
    await watch();
  });
}
