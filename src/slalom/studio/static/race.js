// Optimizers race: the same net from the same weights on the same batches.

import { told, words } from "./live.js";
import { colours, curves, drawLine, drawRegions, fitted, frame, percent, points, short } from "./pictures.js";
import { batchOf, dataOf, optimizerOf, paceOf, remember, suit, valuesOf } from "./settings.js";
import { find, staged } from "./staged.js";

const DASHES = [[], [8, 3], [2, 3], [8, 3, 2, 3], [14, 4], [4, 4], [1, 5], [10, 2, 2, 2, 2, 2]];

const form = find("[data-settings]");
const keep = remember(form);
let racers = []; // their names, in the order of the population

const { transport, restart } = staged({
  look: "race", settings, pace: paceOf(find("[name=speed]")), draw,
});

function entered() {
  return [...form.querySelectorAll("[type=checkbox]")].filter((box) => box.checked).map((box) => box.name.slice(3));
}

function settings() {
  const values = valuesOf(form);
  racers = entered();
  const spec = (name) => {
    const lr = values[`lr-${name}`];
    return optimizerOf({ optimizer: name, lr, momentum: values.momentum });
  };
  return {
    data: dataOf(values),
    width: values.width,
    depth: values.depth,
    activation: values.activation,
    batch_size: batchOf(values),
    seed: values.seed,
    vary: { optimizer: racers.map(spec) },
  };
}

function colourOf(name) {
  const own = told.colours.optimizers[name];
  return own === told.colours.ink ? colours().ink : own; // ink is light where the paper is dark
}

function draw(answer, still) {
  const count = answer.curve_loss.shape[1];
  const own = (values, k) => values.subarray(k * count, (k + 1) * count);
  const canvas = find("[data-race]");
  curves(canvas, racers.map((name, k) => ({
    steps: own(answer.curve_step, k).filter(Number.isFinite),
    losses: smoothed(own(answer.curve_loss, k).filter((_, i) => Number.isFinite(answer.curve_step[k * count + i]))),
    colour: colourOf(name),
    dash: DASHES[k],
  })), answer.step);
  lanes(answer, still, count);
}

/** The running mean over a twentieth of the way: batches make single losses jump. */
function smoothed(losses) {
  const window = Math.max(1, Math.round(losses.length / 20));
  let sum = 0;
  return losses.map((loss, i) => {
    sum += loss - (i >= window ? losses[i - window] : 0);
    return Number.isFinite(loss) ? Math.max(sum, 0) / Math.min(i + 1, window) : loss;
  });
}

/** The racers in their order, each with what it has learned. */
function lanes(answer, still, count) {
  const list = find("[data-lanes]");
  const last = racers.map((_, k) => {
    if (answer.diverged[k] >= 0) return Infinity;
    const losses = smoothed(answer.curve_loss.subarray(k * count, (k + 1) * count).filter(Number.isFinite));
    return losses.at(-1) ?? Infinity;
  });
  const order = racers.map((_, k) => k).sort((a, b) => last[a] - last[b]);
  while (list.children.length < racers.length) list.append(lane());
  while (list.children.length > racers.length) list.lastChild.remove();
  const colour = colours();
  order.forEach((k, i) => {
    const row = list.children[i];
    row.querySelector("b").textContent = racers[k];
    row.querySelector("span").textContent = answer.diverged[k] >= 0
      ? words.diverged_at.replace("{}", answer.diverged[k])
      : `${words.loss} ${short(last[k])}${answer.right ? ` · ${percent(answer.right[k])} ${words.right}` : ""}`;
    const { context, width, height } = fitted(row.querySelector("canvas"));
    const box = frame(still, 0, 0, width, height);
    context.fillStyle = colour.tint;
    context.fillRect(0, 0, width, height);
    if (answer.winner) {
      context.globalAlpha = 0.65;
      drawRegions(context, box, answer.winner, answer.lead, k, Math.sqrt(answer.winner.shape[1]), colour);
      context.globalAlpha = 1;
    }
    points(context, box, still, colour, 1.2, false);
    context.lineWidth = 2.5;
    context.strokeStyle = colourOf(racers[k]);
    if (answer.line) drawLine(context, box, still, answer.line, k, answer.line.shape[1], 50);
    row.firstChild.style.background = colourOf(racers[k]);
  });
}

function lane() {
  const row = document.createElement("li");
  const mark = Object.assign(document.createElement("i"), { className: "mark" });
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  row.append(mark, document.createElement("b"), document.createElement("span"), canvas);
  return row;
}

form.addEventListener("input", (event) => {
  suit(form, event.target);
  keep();
  if (entered().length) restart(transport.at);
});
keep();
restart(0);
