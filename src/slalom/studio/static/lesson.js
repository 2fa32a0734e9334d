// A lesson whose parameters are moved: text, pictures and code follow; some have a training that
// moves with the slider.

/* global film, copy, reachable */

import { Refused, say, told, words } from "./live.js";
import { newest } from "./newest.js";
import { curves, plot, short } from "./pictures.js";
import { complain } from "./settings.js";
import { find, staged } from "./staged.js";

const STAGES = { // the training that a lesson speaks of, from the values of its parameters
  regression: (v) => ({
    data: { toy: "quadratic", n: v.points, noise: v.noise, seed: 1 },
    hidden: [v.width], activation: v.activation, optimizer: { kind: "SGD", lr: v.lr }, seed: v.seed,
  }),
  classification: (v) => ({
    data: v.shape === "gaussians"
      ? { toy: "gaussians", n: v.points, noise: v.spread, seed: 1 }
      : { toy: "spirals", n: v.points, noise: 0.05, classes: v.arms, seed: 1 },
    hidden: [v.width], optimizer: { kind: "SGD", lr: v.lr }, seed: v.seed,
  }),
};
const TEXT_MS = 250; // without another change, then the text follows
const PICTURES = 60; // of a whole training that is played

const form = find("[data-settings]");
const place = find("[data-body]");
const { parameters } = told;
const stage = STAGES[told.lesson];
const values = Object.fromEntries(Object.entries(parameters).map(([name, { default: value }]) => [name, value]));
let page; // with a training, where the lesson has one

function readAddress() {
  for (const [name, text] of new URLSearchParams(location.search)) {
    if (!(name in parameters)) continue;
    values[name] = parameters[name].kind === "range" && Number.isFinite(Number(text)) ? Number(text) : text;
  }
}

/** The address of these values: what is at its default is left out. */
function query() {
  const own = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== parameters[name].default) own.set(name, value);
  }
  return own;
}

function writeAddress() {
  const here = query();
  for (const link of document.querySelectorAll("[data-language]")) {
    const other = new URL(link.href);
    const lang = other.searchParams.get("lang");
    other.search = new URLSearchParams([...here, ["lang", lang]]).toString();
    link.href = other.href;
  }
  if (told.search) here.set("lang", told.lang);
  history.replaceState(null, "", here.size ? `?${here}` : location.pathname);
}

/** The controls show the values. */
function fill() {
  for (const [name, parameter] of Object.entries(parameters)) {
    const control = form.elements[name];
    const value = values[name];
    if (parameter.kind !== "range") { control.value = value; continue; }
    const { low, high, log, whole } = parameter;
    Object.assign(control, log
      ? { min: Math.log10(low), max: Math.log10(high), step: 0.01 }
      : { min: low, max: high, step: whole ? 1 : Number(((high - low) / 200).toPrecision(1)) });
    control.value = log ? Math.log10(value) : value;
    control.setAttribute("aria-valuetext", short(value));
    control.closest(".field").querySelector("output").textContent = short(value);
  }
}

function take(control) {
  const { kind, log, low, high } = parameters[control.name];
  if (kind !== "range") values[control.name] = control.value;
  else if (!log) values[control.name] = Number(control.value);
  else values[control.name] = Math.max(low, Math.min(high, Number((10 ** control.value).toPrecision(2))));
}

const tellAll = newest(async () => {
  const here = query();
  here.set("lang", told.lang);
  place.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => say(words.working), 1000);
  try {
    const answer = await fetch(`/lessons/${told.lesson}/body?${here}`);
    if (answer.headers.get("content-type").includes("json")) { // what was wrong with a parameter
      const { error, setting } = await answer.json();
      complain(form, new Refused(error, setting), say);
      return;
    }
    complain(form, null);
    place.innerHTML = await answer.text(); // from the studio itself, which escapes what it was given
    bring();
  } finally {
    clearTimeout(slow);
    say("");
    place.setAttribute("aria-busy", "false");
  }
});

/** Makes what is new in the text move, and shows its main picture beside it. */
function bring() {
  if (!stage) {
    const main = place.querySelector("figure[data-film]") ?? place.querySelector("figure");
    find("[data-main]").replaceChildren(...(main ? [main.cloneNode(true)] : []));
  }
  document.querySelectorAll("[data-film]").forEach(film);
  document.querySelectorAll("[data-copy]").forEach(copy);
  reachable();
}

function tell(answer) {
  find("[data-selected]").textContent = answer.diverged_at >= 0
    ? words.diverged_at.replace("{}", answer.diverged_at)
    : `${words.loss} ${short(answer.train_loss)}`;
}

function draw(answer, still) {
  plot(find("[data-plot]"), still, answer);
  curves(find("[data-curves]"), [
    { steps: answer.curve_step, losses: answer.curve_loss, colour: told.colours.classes[0] },
  ], answer.step);
}

let waiting;
function changed() {
  fill();
  writeAddress();
  page?.restart();
  clearTimeout(waiting);
  waiting = setTimeout(tellAll, TEXT_MS);
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", (event) => {
  take(event.target);
  changed();
});
find("[data-reset]").addEventListener("click", () => {
  for (const [name, { default: value }] of Object.entries(parameters)) values[name] = value;
  changed();
});

readAddress();
fill();
writeAddress();
tellAll();
if (stage) {
  find("[data-live]").hidden = false;
  page = staged({
    look: "net",
    settings: () => stage(values),
    pace: () => Math.max(1, Math.round(values.steps / PICTURES)),
    draw,
    seen: tell,
    length: () => ({ steps: values.steps, end: values.steps }),
  });
  page.restart();
}
