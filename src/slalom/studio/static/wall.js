// Hundreds of nets at once: rows and columns are two hyperparameters, each cell is a net.

import { told, words } from "./live.js";
import { colours, drawLine, fitted, frame, label, paint, percent, plot, points, short } from "./pictures.js";
import { batchOf, dataOf, optimizerOf, paceOf, remember, suit, valuesOf } from "./settings.js";
import { find, staged } from "./staged.js";

const VALUES = { // of a hyperparameter, for `n` rows or columns
  lr: (n) => unique(n, (share) => Number((10 ** Number((-4 + 5 * share).toFixed(1))).toPrecision(2))),
  width: (n) => unique(n, (share, i) => Math.max(i + 1, Math.round(32 ** share))),
  depth: (n) => [0, 1, 2, 3, 4, 5, 6].slice(0, n),
  activation: (n) => ["tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "softplus", "selu", "mish", "identity"].slice(0, n),
  optimizer: (n) => ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW", "Adadelta", "Muon"].slice(0, n),
  batch_size: (n) => [1, 2, 4, 8, 16, 32, 64, 128].slice(0, n),
  seed: (n) => Array.from({ length: n }, (_, i) => i),
};
const [NARROW, WIDE] = [4 / 3, 2]; // width by height of a cell, at least and at most
const LEAST_HEIGHT = 320;
const BELOW = 70; // for what is said of a net
const MARGIN = { left: 84, top: 44 };

const form = find("[data-settings]");
const canvas = find("[data-wall]");
let begun = 0; // steps that the training is along when the page opens, as after Back
const rememberForm = remember(form, {
  read(kept) { begun = Number(kept.get("at") ?? 0); },
  write: () => ({}),
});
let order = []; // which net is in which place
let grid; // columns, rows and the size of a cell
let chosen = 0; // the place that is looked at
let marked = []; // nets that are compared

const { live, transport, restart, redraw } = staged({
  look: "wall", settings, pace: paceOf(find("[name=speed]")), draw, seen,
});
transport.onstop = compare;

/** What varies across the wall is not set beside it. */
function keep() {
  const { across, down } = valuesOf(form);
  for (const name of Object.keys(VALUES)) form.elements[name].disabled = [across, down].includes(name);
  rememberForm();
}

/** Opens a net in the playground; the way back leads to this step. */
function open(net) {
  const here = new URLSearchParams(location.hash.slice(1));
  here.set("at", transport.answer.step);
  history.replaceState(null, "", `#${here}`);
  location.href = address(net);
}

function unique(n, value) {
  const all = Array.from({ length: n }, (_, i) => value(n > 1 ? i / (n - 1) : 0, i));
  return [...new Set(all)];
}

function settings() {
  const values = valuesOf(form);
  const { across, down, side } = values;
  const vary = { [down]: VALUES[down](side) };
  if (across !== down) vary[across] = VALUES[across](side);
  const optimizer = optimizerOf(values);
  return {
    data: dataOf(values),
    width: values.width,
    depth: values.depth,
    activation: values.activation,
    optimizer,
    ...(down === "optimizer" || across === "optimizer" ? { lr: values.lr } : {}),
    batch_size: batchOf(values),
    seed: values.seed,
    vary,
  };
}

/** Other nets than before: none of them is marked. */
function seen(answer) {
  if (answer !== transport.still) return;
  marked = [];
  compare();
}

/** Which nets are shown, in the order of their places. */
function arranged(answer) {
  const { sort, filter } = valuesOf(form);
  const losses = answer.loss;
  const worth = (k) => (Number.isFinite(losses[k]) ? losses[k] : Infinity);
  let nets = Array.from(losses.keys());
  if (sort === "loss") nets.sort((a, b) => worth(a) - worth(b));
  if (filter === "all") return nets;
  const alive = nets.filter((k) => answer.diverged[k] < 0);
  if (filter === "alive") return alive;
  const middle = alive.map(worth).sort((a, b) => a - b)[alive.length >> 1] ?? Infinity;
  return alive.filter((k) => worth(k) <= middle);
}

function draw(answer, still) {
  order = arranged(answer);
  const whole = order.length === answer.loss.length;
  const { sort } = valuesOf(form);
  const named = whole && sort === "grid";
  const axes = Object.entries(still.axes);
  const columns = named ? (axes[1] ?? axes[0])[1].length : Math.ceil(Math.sqrt(Math.max(1, order.length)));
  const rows = Math.max(1, Math.ceil(order.length / columns));
  const left = named ? MARGIN.left : 4;
  const top = named ? MARGIN.top : 4;
  const above = canvas.getBoundingClientRect().top + scrollY;
  const room = Math.max(LEAST_HEIGHT, innerHeight - above - BELOW);
  const wide = Math.min((canvas.clientWidth - left) / columns, (WIDE * room) / rows);
  const high = Math.min(wide / NARROW, Math.max(wide / WIDE, room / rows));
  grid = { columns, rows, left, top, wide, high };
  canvas.style.height = `${Math.ceil(rows * high + top + 4)}px`;
  const { context } = fitted(canvas);
  const colour = colours();
  if (named) names(context, colour, axes);
  const gap = wide > 24 ? 2 : 1;
  if (answer.winner) regions(context, answer, colour, gap);
  else lines(context, answer, colour, gap);
  crosses(context, answer, colour, gap);
  ring(context, colour);
  tell(answer);
}

function box(place, gap = 0) {
  const { columns, left, top, wide, high } = grid;
  return frame(
    transport.still, left + (place % columns) * wide, top + Math.floor(place / columns) * high, wide - gap, high - gap,
  );
}

const sheet = document.createElement("canvas");

/** All regions are painted on one sheet, from which each cell takes its own. */
function regions(context, answer, colour, gap) {
  const side = Math.sqrt(answer.winner.shape[1]);
  const { columns, rows } = grid;
  if (sheet.width !== columns * side || sheet.height !== rows * side) {
    [sheet.width, sheet.height] = [columns * side, rows * side];
  }
  const pen = sheet.getContext("2d");
  const image = pen.createImageData(sheet.width, sheet.height);
  order.forEach((net, place) => {
    const at = Math.floor(place / columns) * side * sheet.width + (place % columns) * side;
    paint(image.data, at, sheet.width, answer.winner, answer.lead, net * side * side, side, colour);
  });
  pen.putImageData(image, 0, 0);
  order.forEach((net, place) => {
    const cell = box(place, gap);
    context.globalAlpha = 0.7; // the points stay visible
    context.drawImage(
      sheet, (place % columns) * side, Math.floor(place / columns) * side, side, side,
      cell.left, cell.top, cell.width, cell.height,
    );
    context.globalAlpha = 1;
    stamp(context, cell, colour);
  });
}

let dots; // the points of a cell, drawn once

/** The points within a cell, as large as there is room for them. */
function stamp(context, cell, colour) {
  if (grid.wide < 30) return;
  const scale = devicePixelRatio || 1;
  const key = [cell.width, cell.height, scale, colour.paper].join();
  if (dots?.key !== key || dots.still !== transport.still) {
    dots = document.createElement("canvas");
    Object.assign(dots, { key, still: transport.still, width: Math.ceil(cell.width * scale), height: Math.ceil(cell.height * scale) });
    const pen = dots.getContext("2d");
    pen.scale(scale, scale);
    points(pen, frame(transport.still, 0, 0, cell.width, cell.height), transport.still, colour, grid.wide > 60 ? 1.4 : 0.8, false);
  }
  context.drawImage(dots, cell.left, cell.top, cell.width, cell.height);
}

function lines(context, answer, colour, gap) {
  const count = answer.line.shape[1];
  context.fillStyle = colour.tint;
  order.forEach((net, place) => {
    const { left, top, width, height } = box(place, gap);
    context.fillRect(left, top, width, height);
  });
  context.lineWidth = grid.wide > 60 ? 2 : 1.3;
  context.strokeStyle = told.colours.optimizers.Adam;
  order.forEach((net, place) => {
    const cell = box(place, gap);
    stamp(context, cell, colour);
    drawLine(context, cell, transport.still, answer.line, net, count);
  });
}

function crosses(context, answer, colour, gap) {
  context.strokeStyle = told.colours.optimizers.Adam;
  context.lineWidth = 1.5;
  order.forEach((net, place) => {
    if (answer.diverged[net] < 0) return;
    const { left, top, width, height } = box(place, gap);
    context.fillStyle = colour.tint;
    context.fillRect(left, top, width, height);
    context.beginPath();
    context.moveTo(left + width * 0.3, top + height * 0.3);
    context.lineTo(left + width * 0.7, top + height * 0.7);
    context.moveTo(left + width * 0.7, top + height * 0.3);
    context.lineTo(left + width * 0.3, top + height * 0.7);
    context.stroke();
  });
}

function names(context, colour, axes) {
  const [down, across] = axes;
  const { left, top, wide, high, rows, columns } = grid;
  label(context, colour, `${called((across ?? down)[0])} →`, left + (columns * wide) / 2, 12, "center");
  const every = Math.ceil(40 / wide);
  (across ?? down)[1].forEach((value, i) => {
    if (i % every === 0) label(context, colour, text(value), left + (i + 0.5) * wide, top - 8, "center");
  });
  if (!across) return;
  context.save();
  context.translate(12, top + (rows * high) / 2);
  context.rotate(-Math.PI / 2);
  label(context, colour, `← ${called(down[0])}`, 0, 0, "center");
  context.restore();
  const step = Math.ceil(14 / high);
  down[1].forEach((value, i) => {
    if (i % step === 0) label(context, colour, text(value).slice(0, 9), left - 6, top + (i + 0.5) * high + 4, "right");
  });
}

/** A hyperparameter as the form calls it. */
function called(name) {
  return form.querySelector(`[name=across] [value="${name}"]`).textContent;
}

function text(value) {
  return typeof value === "number" ? short(value) : String(value);
}

/** What is looked at, and what is marked. */
function ring(context, colour) {
  const put = (place, width, shade) => {
    const { left, top, width: w, height: h } = box(place, 2);
    context.lineWidth = width;
    context.strokeStyle = shade;
    context.strokeRect(left, top, w, h);
  };
  for (const net of marked) {
    const place = order.indexOf(net);
    if (place >= 0) put(place, 3, told.colours.optimizers.AdamW);
  }
  if (document.activeElement === canvas && chosen < order.length) put(chosen, 2.5, colour.ink);
}

function tell(answer) {
  const net = order[Math.min(chosen, order.length - 1)];
  const gone = answer.gone ? ` · ${words.gone.replace("{}", answer.gone)}` : "";
  const own = net === undefined ? "" : `${transport.still.members[net]}: ${described(answer, net)}`;
  find("[data-selected]").textContent = own + gone;
}

function described(answer, net) {
  return answer.diverged[net] >= 0
    ? words.diverged_at.replace("{}", answer.diverged[net])
    : `${words.loss.toLowerCase()} ${short(answer.loss[net])}`;
}

/** The settings of a net as the playground keeps them in its address. */
function address(net) {
  const values = { ...valuesOf(form) };
  const raw = new URLSearchParams();
  const axes = Object.entries(transport.still.axes);
  let rest = net;
  for (const [name, all] of axes.toReversed()) {
    values[name] = all[rest % all.length];
    rest = Math.floor(rest / all.length);
  }
  for (const name of ["toy", "n", "noise", "held_out", "activation", "optimizer", "seed"]) raw.set(name, values[name]);
  raw.set("lr", Math.log10(values.lr).toFixed(1));
  raw.set("batch_size", values.batch_size ?? "all");
  raw.set("hidden", Array(values.depth).fill(values.width).join("-"));
  raw.set("at", transport.answer.step);
  const { pathname, search } = new URL(find("[data-open]").href, location.href);
  return `${pathname}${search}#${raw}`;
}

/** The marked nets, large, side by side. */
async function compare() {
  find("[data-compared]").hidden = marked.length === 0;
  for (const figure of document.querySelectorAll("[data-compared] figure")) figure.hidden = true;
  for (const [k, net] of marked.entries()) {
    const large = find(`[data-compare="${k}"]`);
    const figure = large.closest("figure");
    figure.hidden = false;
    find(`[data-open="${k}"]`).href = address(net);
    const look = await live.ask({ do: "see", look: "net", member: net });
    const share = transport.still.task === "classification" && look.metric !== null ? `, ${percent(look.metric)} ${words.right}` : "";
    figure.querySelector("figcaption").textContent = `${transport.still.members[net]}: ${described(transport.answer, net)}${share}`;
    plot(large, transport.still, look);
  }
}

function mark(net) {
  marked = marked.includes(net) ? marked.filter((other) => other !== net) : [...marked, net].slice(-2);
  redraw();
  compare();
}

function placeOf(event) {
  const shown = canvas.getBoundingClientRect();
  const column = Math.floor((event.clientX - shown.left - grid.left) / grid.wide);
  const row = Math.floor((event.clientY - shown.top - grid.top) / grid.high);
  const place = row * grid.columns + column;
  return column >= 0 && column < grid.columns && row >= 0 && place < order.length ? place : null;
}

canvas.addEventListener("click", (event) => {
  const place = placeOf(event);
  if (place === null) return;
  chosen = place;
  if (form.elements.click.value === "mark" || event.shiftKey || event.ctrlKey || event.metaKey) mark(order[place]);
  else open(order[place]);
});
canvas.addEventListener("pointermove", (event) => {
  const place = placeOf(event);
  if (place === null || place === chosen) return;
  chosen = place;
  tell(transport.answer);
});
canvas.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns }[event.key];
  if (by) chosen = Math.max(0, Math.min(order.length - 1, chosen + by));
  else if (event.key === " ") mark(order[chosen]);
  else if (event.key === "Enter") open(order[chosen]);
  else return;
  event.preventDefault();
  redraw();
});
canvas.addEventListener("focus", redraw);
canvas.addEventListener("blur", redraw);

form.addEventListener("input", (event) => {
  suit(form, event.target);
  keep();
  if (event.target.name === "click") return;
  if (["sort", "filter"].includes(event.target.name)) redraw();
  else restart(transport.at);
});
keep();
restart(begun);
