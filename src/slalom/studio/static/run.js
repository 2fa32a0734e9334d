// One run: how far it is, what it came to, and going on with it.

import { told, words } from "./live.js";
import { ask, drawCurves, fill, follow, legend, sentence, showResult, showTraining, statusOf, wrong } from "./office.js";
import { short } from "./pictures.js";

const EVERY_MS = 3000; // between two looks at a run that another process trains
const find = (selector) => document.querySelector(selector);
const path = `/runs/${encodeURIComponent(told.run)}`;
const state = (text) => { find("[data-state]").textContent = text; };
let worker;
let known;

async function look() {
  known = await ask(`${path}/told`);
  const { status, result, facts, board, curves, files } = known;
  state(statusOf(status, result));
  find("[data-resume]").hidden = !known.resumable;
  find("[data-stop]").hidden = !known.worker;
  fill(find("[data-facts]"), null, facts);
  find("[data-board]").hidden = board.length === 0;
  if (board.length) fill(find("[data-board] table"), Object.keys(board[0]), board.map((line) => Object.values(line)));
  legend(find("[data-legend]"), curves.map(({ member, label, loss }) => [`${member}: ${label}`, short(loss.at(-1))]));
  draw();
  if (result && files.includes("model")) showResult(find("[data-result]"), told.run, result);
  if (known.worker) watch(known.worker);
  else if (status === "running") setTimeout(look, EVERY_MS);
}

function draw() {
  if (known) drawCurves(find("[data-curves]"), known.curves);
}

async function watch(name) {
  worker = name;
  find("[data-resume]").hidden = true;
  find("[data-stop]").hidden = false;
  const going = find("[data-going]");
  going.hidden = false;
  try {
    const said = await follow(worker, (now) => {
      state(sentence(now));
      showTraining(going, now);
    });
    if (said.error) find("[data-actions]").append(wrong(new Error(said.error)));
  } finally {
    going.hidden = true;
  }
  await look();
}

async function attempt(act) {
  for (const old of document.querySelectorAll(".wrong")) old.remove();
  try {
    await act();
  } catch (error) {
    find("[data-actions]").append(wrong(error));
  }
}

find("[data-resume]").addEventListener("click", () => attempt(async () => {
  ({ worker } = await ask(`${path}/resume`, { method: "POST", json: {} }));
  await watch(worker);
}));
find("[data-stop]").addEventListener("click", () => attempt(() => ask(`/workers/${worker}/stop`, { method: "POST", json: {} })));
addEventListener("resize", draw);
attempt(look);
