// What the pages of tables and runs share: requests, tables, a worker that goes on, its result.

/* global reachable */

import { say, told, words } from "./live.js";
import { curves, short } from "./pictures.js";

const TRAINING = 0.85; // of the way; the rest is scoring and the report
const EVERY_MS = 500; // between two looks at a worker

/** What the studio answers to a request, or an error with its sentence. */
export async function ask(path, { method = "GET", json, body } = {}) {
  const url = new URL(path, location.href);
  url.searchParams.set("lang", told.lang);
  const slow = setTimeout(() => say(words.working), 1000);
  try {
    const answer = await fetch(url, { method, body: json === undefined ? body : JSON.stringify(json) });
    const kind = answer.headers.get("content-type") ?? "";
    const found = kind.includes("json") ? await answer.json() : { error: (await answer.text()).trim() };
    if (!answer.ok) throw Object.assign(new Error(found.error), { setting: found.setting ?? "" });
    return found;
  } finally {
    clearTimeout(slow);
    if (document.querySelector("[data-said]").textContent === words.working) say("");
  }
}

/** A file to the studio; gives the identifier of the table. */
export function send(file) {
  return ask(`/tables?name=${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
}

/** A row of a table, of texts and elements. */
export function row(cells, kind = "td") {
  const line = document.createElement("tr");
  line.append(...cells.map((cell) => {
    const place = document.createElement(kind);
    place.append(cell instanceof Node ? cell : String(cell));
    return place;
  }));
  return line;
}

/** Fills a table: its head, and its rows. */
export function fill(table, head, rows) {
  const [top, body] = [document.createElement("thead"), document.createElement("tbody")];
  if (head) top.append(row(head, "th"));
  body.append(...rows.map((cells) => row(cells)));
  table.replaceChildren(top, body);
  requestAnimationFrame(reachable); // when it is in its place
}

/** Looks at a worker until it is over; `seen` is called with what it has said. */
export async function follow(worker, seen) {
  for (;;) {
    const said = await ask(`/workers/${worker}`);
    seen(said);
    if (said.over) return said;
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

/** How far a run is, in words; a fit that has a score was stopped by its time limit at most. */
export function statusOf(status, scored) {
  if (scored && status === "interrupted") return words.status_limited;
  return words[`status_${String(status).replaceAll(" ", "_")}`] ?? String(status ?? "");
}

/** Progress, leaders and their curves, as a worker tells of them. */
export function showTraining(root, { progress, leaders = [] }) {
  const share = root.querySelector("[data-share]");
  if (progress) share.value = TRAINING * progress.share;
  else share.removeAttribute("value"); // something moves, nobody knows how far
  const list = root.querySelector("[data-leaders]");
  legend(list, leaders.map(({ label, loss }) => [label, short(loss)]));
  const canvas = document.querySelector("[data-curves]");
  drawCurves(canvas, leaders.map(({ step, curve }) => ({ step, loss: curve })));
}

export function legend(list, entries) {
  list.replaceChildren(...entries.map(([label, loss], k) => {
    const item = document.createElement("li");
    const mark = Object.assign(document.createElement("i"), { className: "mark" });
    mark.style.background = told.colours.classes[k];
    item.append(mark, `${label} `, Object.assign(document.createElement("b"), { textContent: loss }));
    return item;
  }));
}

export function drawCurves(canvas, all) {
  const numbers = (values) => values.map((value) => value ?? NaN);
  curves(canvas, all.map(({ step, loss }, k) => ({
    steps: step, losses: numbers(loss), colour: told.colours.classes[k], dash: k > 3 ? [6, 3] : [],
  })).toReversed());
}

export function sentence({ progress, phase }) {
  if (phase) return words[`phase_${phase}`];
  if (!progress) return words.preparing;
  return words.nets_train
    .replace("{training}", progress.training).replace("{members}", progress.members)
    .replace("{share}", `${Math.round(100 * progress.share)} %`).replace("{seconds}", Math.round(progress.seconds));
}

/** Scores, what to download, and the place where a second table is predicted. */
export function showResult(root, run, result) {
  const part = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const table = Object.assign(document.createElement("table"), { className: "grid" });
  const [first] = result.scores;
  fill(table, Object.keys(first).map((name) => (name === "model" ? words.model : name)), result.scores.map((line) => Object.values(line)));
  const harm = document.createElement("div");
  harm.className = "bars";
  const most = Math.max(...result.importance.map(({ harm: cost }) => cost ?? 0), 1e-9);
  for (const { column, harm: cost } of result.importance) {
    const line = document.createElement("label");
    line.append(`${column}: ${short(cost)}`, Object.assign(document.createElement("meter"), { value: Math.max(0, cost ?? 0) / most }));
    harm.append(line);
  }
  const files = document.createElement("p");
  files.className = "actions";
  files.append(
    link(`/runs/${encodeURIComponent(run)}/files/model`, words.download_model, "model"), " ",
    link(`/runs/${encodeURIComponent(run)}/files/report`, words.see_report, "report"), " ",
    link(`/runs/${encodeURIComponent(run)}/script`, words.download_script, "script"),
  );
  const box = (...parts) => {
    const place = document.createElement("div");
    place.className = "scroll";
    place.append(...parts);
    return place;
  };
  root.replaceChildren(
    part("h2", words.predicting.replace("{}", result.target.join(", "))),
    part("h2", words.scores), box(table), part("p", result.verdict), Object.assign(part("p", result.rows), { className: "quiet" }),
    files, predictor(run), part("h2", `${words.importance} (${result.harm_in})`), harm, part("h2", words.leaders), box(leaderboard(result)),
  );
  root.hidden = false;
}

/** A number with three digits, anything else as it is. */
function tidy(text) {
  return /^-?\d+\.\d+(e-?\d+)?$/.test(text) ? short(Number(text)) : text;
}

function leaderboard({ leaderboard: lines }) {
  const table = Object.assign(document.createElement("table"), { className: "grid" });
  fill(table, Object.keys(lines[0] ?? {}), lines.map((line) => Object.values(line).map(tidy)));
  return table;
}

function link(address, text, mark) {
  const found = Object.assign(document.createElement("a"), { href: address, textContent: text });
  found.dataset.get = mark;
  if (mark === "report") found.target = "_blank";
  return found;
}

/** Takes a second table and gives it back with predictions. */
function predictor(run) {
  const place = document.createElement("label");
  place.className = "field";
  const input = Object.assign(document.createElement("input"), { type: "file" });
  input.dataset.predict = "";
  const said = document.createElement("div");
  place.append(Object.assign(document.createElement("span"), { textContent: words.predict_more }), input);
  const whole = document.createElement("div");
  whole.append(place, said);
  input.addEventListener("change", async () => {
    said.replaceChildren(words.working);
    try {
      const { table } = await send(input.files[0]);
      const made = await ask(`/runs/${encodeURIComponent(run)}/predict`, { method: "POST", json: { table } });
      const shown = Object.assign(document.createElement("table"), { className: "grid" });
      fill(shown, made.names, made.head.map((line) => line.map(tidy)));
      const box = Object.assign(document.createElement("div"), { className: "scroll" });
      box.append(shown);
      said.replaceChildren(
        `${words.predicted.replace("{}", made.rows)}. `,
        link(`/tables/${table}/predictions`, words.download_predictions, "predictions"), box,
      );
    } catch (error) {
      said.replaceChildren(wrong(error));
    }
  });
  return whole;
}

/** An error as one sentence, where it arose. */
export function wrong(error) {
  const note = Object.assign(document.createElement("p"), { className: "wrong", textContent: error.message });
  note.setAttribute("role", "alert");
  return note;
}
