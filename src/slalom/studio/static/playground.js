// One net: its data, its layers, its training, what it says and what is inside.

import { Refused, say, told, words } from "./live.js";
import { ask, send } from "./office.js";
import { curves, network, percent, plot, short } from "./pictures.js";
import { batchOf, complain, dataOf, optimizerOf, paceOf, remember, suit, valuesOf } from "./settings.js";
import { find, staged } from "./staged.js";

const MOST_LAYERS = 6;
const DIAGNOSE_MS = 700; // between two diagnoses while it plays

const form = find("[data-settings]");
const canvas = find("[data-plot]");
let hidden = [8, 8];
let drawn = []; // [x, y, class]; class "line" for points of a curve
let box; // where the plot lies within its canvas
let diagnosed = 0;
let later;
let columns = null; // of a table: {table, x, y, color}
let begun = 0; // steps that the training is along when the page opens

const keep = remember(form, {
  read(kept) {
    if (kept.has("hidden")) hidden = kept.get("hidden").split("-").filter(Boolean).map(Number);
    if (kept.has("drawn")) drawn = JSON.parse(kept.get("drawn"));
    if (kept.has("table")) columns = Object.fromEntries(["table", "x", "y", "color"].map((name) => [name, kept.get(name) ?? ""]));
    begun = Number(kept.get("at") ?? 0);
  },
  write: () => ({
    ...(hidden.join("-") === "8-8" ? {} : { hidden: hidden.join("-") }),
    ...(drawn.length ? { drawn: JSON.stringify(drawn) } : {}),
    ...(columns ?? {}),
  }),
});

const { live, transport, restart } = staged({
  look: "net", settings, pace: paceOf(find("[name=speed]")), draw, seen: tell,
});
transport.onstop = diagnose;

function settings() {
  const values = valuesOf(form);
  return {
    data: dataNow(values),
    hidden,
    activation: values.activation,
    optimizer: optimizerOf(values),
    dropout: values.dropout,
    clip_norm: values.clip_norm === "" ? null : Number(values.clip_norm),
    batch_size: batchOf(values),
    seed: values.seed,
  };
}

function dataNow(values) {
  if (values.toy === "drawn") return { points: ownPoints(), held_out: values.held_out };
  if (values.toy === "table") return { ...columns, held_out: values.held_out };
  return dataOf(values);
}

/** Drawn points as the studio takes them: of classes, if there are any, else of a curve. */
function ownPoints() {
  const classes = drawn.filter(([, , kind]) => kind !== "line");
  return classes.length ? classes : drawn.map(([x, y]) => [x, y]);
}

function tell(answer) {
  const { still } = transport;
  find("[data-number=epoch]").textContent = short(answer.step / still.epoch);
  find("[data-number=train]").textContent = answer.diverged_at >= 0
    ? words.diverged_at.replace("{}", answer.diverged_at) : short(answer.train_loss);
  find("[data-number=held]").textContent = short(answer.validation_loss);
  find("[data-right]").hidden = still.task !== "classification" || answer.metric === null;
  find("[data-number=right]").textContent = answer.metric === null ? "–" : percent(answer.metric);
  bars(answer.gradients);
  clearTimeout(later);
  if (performance.now() - diagnosed > DIAGNOSE_MS) diagnose();
  else later = setTimeout(diagnose, DIAGNOSE_MS); // of how it stands when nothing moves any more
}

function draw(answer, still) {
  box = plot(canvas, still, answer);
  find("[data-outside]").hidden = !answer.line || answer.line.some((value) => value >= still.low[1] && value <= still.high[1]);
  curves(find("[data-curves]"), [
    { steps: answer.curve_step, losses: answer.curve_held, colour: told.colours.classes[1], dash: [5, 3] },
    { steps: answer.curve_step, losses: answer.curve_loss, colour: told.colours.classes[0] },
  ], answer.step);
  network(find("[data-net]"), still, answer);
}

async function diagnose() {
  diagnosed = performance.now();
  if (!transport.answer) return;
  const { diagnosis } = await live.ask({ do: "diagnose" });
  const found = diagnosis.length ? diagnosis : [{ text: words.nothing_yet }];
  find("[data-diagnosis]").replaceChildren(...found.map(({ kind, text }) => {
    const item = Object.assign(document.createElement("li"), { textContent: text });
    if (kind) item.dataset.kind = kind;
    return item;
  }));
}

function bars(lengths) {
  const place = find("[data-gradients]");
  const most = Math.max(...lengths.filter(Number.isFinite), 1e-30);
  while (place.children.length < lengths.length) {
    const bar = document.createElement("meter");
    const row = document.createElement("label");
    row.append(document.createElement("span"), bar);
    place.append(row);
  }
  while (place.children.length > lengths.length) place.lastChild.remove();
  lengths.forEach((length, k) => {
    place.children[k].firstChild.textContent = `${words.layer.replace("{}", k + 1)}: ${short(length)}`;
    place.children[k].lastChild.value = length === null ? 0 : length / most;
  });
}

function layers() {
  const place = form.querySelector(".widths");
  place.replaceChildren(...hidden.map((units, k) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "number", min: 1, max: 64, value: units });
    input.addEventListener("change", () => {
      hidden[k] = Number(input.value);
      changed("hidden");
    });
    label.append(`${words.layer.replace("{}", k + 1)} `, input);
    return label;
  }));
}

function changed(name) {
  keep();
  const values = valuesOf(form);
  const from = ["drawn", "table"].includes(values.toy) ? values.toy : "toy";
  for (const part of document.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== from;
  if (name === "change") return;
  if (values.change === "fork" && name === "lr" && transport.at > 0) { // all else needs a new start
    live.ask({ do: "fork", changes: { lr: values.lr }, look: "net" })
      .then((answer) => transport.took(answer))
      .catch((error) => complain(form, error, say));
    return;
  }
  if (from === "drawn" && !enough()) {
    sketch();
    return;
  }
  if (from === "table" && !columns?.x) return;
  restart(transport.still ? transport.at : begun);
}

form.addEventListener("input", (event) => {
  suit(form, event.target);
  if (event.target.name) changed(event.target.name);
});
form.addEventListener("click", (event) => {
  const by = Number(event.target.closest("[data-layer]")?.dataset.layer ?? 0);
  if (!by) return;
  if (by > 0 && hidden.length < MOST_LAYERS) hidden.push(hidden.at(-1) ?? 8);
  if (by < 0) hidden.pop();
  layers();
  changed("hidden");
});

// Columns of a table: two are a curve, with a third one for the classes they are regions.
const choices = [...document.querySelectorAll("[data-column]")];

async function offer() {
  const { names, targets } = await ask(`/tables/${columns.table}`);
  const options = (kept, none) => [...(none ? [["", none]] : []), ...kept.map((name) => [name, name])]
    .map(([value, textContent]) => Object.assign(document.createElement("option"), { value, textContent }));
  const numbers = names.filter((name) => targets[name] === "regression");
  const classes = names.filter((name) => targets[name].startsWith("classification"));
  columns.x ||= numbers[0] ?? "";
  columns.y ||= numbers[1] ?? numbers[0] ?? "";
  for (const choice of choices) {
    const { column } = choice.dataset;
    choice.replaceChildren(...(column === "color" ? options(classes, words.no_classes) : options(numbers)));
    choice.value = columns[column];
  }
  find("[data-columns]").hidden = false;
  changed("data");
}

async function attempt(act) {
  try {
    await act();
  } catch (error) {
    complain(form, new Refused(error.message, "data"), say);
  }
}

find("[data-file]").addEventListener("change", (event) => attempt(async () => {
  const { table } = await send(event.target.files[0]);
  columns = { table, x: "", y: "", color: "" };
  await offer();
}));
for (const choice of choices) {
  choice.addEventListener("change", () => {
    columns[choice.dataset.column] = choice.value;
    changed("data");
  });
}
if (columns) attempt(offer);

// Drawing: a click sets a point; the button held sets many.
const pen = () => find("[name=pen]:checked").value;
const paper = { low: [-1.2, -1.2], high: [1.2, 1.2], features: ["x"], epoch: 1 }; // as in settings.py

/** Whether there is something to learn: two points, and of classes two kinds. */
function enough() {
  const points = ownPoints();
  return points.length > 1 && (points[0].length === 2 || new Set(points.map(([, , kind]) => kind)).size > 1);
}

/** What is drawn so far, without a net. */
function sketch() {
  transport.forget();
  const points = ownPoints();
  const classes = points.some((point) => point.length === 3);
  transport.still = {
    ...paper,
    task: classes ? "classification" : "regression",
    x: points.flatMap((point) => (classes ? point.slice(0, 2) : [point[0]])),
    y: points.map((point) => point[classes ? 2 : 1]),
    held: points.map(() => 0),
  };
  box = plot(canvas, transport.still);
  find("[data-diagnosis]").replaceChildren(Object.assign(document.createElement("li"), { textContent: words.draw_more }));
}

function put(x, y) {
  const kind = pen() === "line" ? "line" : Number(pen());
  drawn = drawn.filter(([, , other]) => (other === "line") === (kind === "line"));
  drawn.push([Number(x.toFixed(3)), Number(y.toFixed(3)), kind]);
  changed("data");
}

canvas.addEventListener("pointerdown", (event) => {
  if (form.elements.toy.value !== "drawn") return;
  canvas.setPointerCapture(event.pointerId);
  at(event);
});
canvas.addEventListener("pointermove", (event) => {
  if (form.elements.toy.value === "drawn" && event.buttons & 1) at(event);
});
function at(event) {
  const place = canvas.getBoundingClientRect();
  const [x, y] = box.back(event.clientX - place.left, event.clientY - place.top);
  put(x, y);
}
find("[data-add]").addEventListener("click", () => put(
  Number(find("[data-typed=x]").value), Number(find("[data-typed=y]").value),
));
find("[data-clear]").addEventListener("click", () => { drawn = []; changed("data"); });

layers();
changed("start");
