// A plane of learning rate and momentum: every pixel is a trained net, refined as one looks.

import { Live, say, told, words } from "./live.js";
import { newest } from "./newest.js";
import { colours, fitted, frame, label, short, ticks } from "./pictures.js";
import { complain, remember, valuesOf } from "./settings.js";
import { find, whenItLooksOtherwise } from "./staged.js";

const WHOLE = [0, 1.2, 0, 1]; // learning rates from left to right, momentum from low to high
const FINER = [[16, 1], [48, 1], [56, 2], [56, 4], [56, 8]]; // pixels and tiles along a side, in turn
const KEPT = 200; // tiles
const SLOWEST_TO_FASTEST = 7; // powers of ten of the mean loss, from dark to light
const NARROWEST = 1e-8;

const form = find("[data-settings]");
const canvas = find("[data-map]");
let view = [...WHOLE];
const keep = remember(form, {
  read(kept) { if (kept.has("view")) view = kept.get("view").split(",").map(Number); },
  write: () => (view.every((side, i) => side === WHOLE[i]) ? {} : { view: view.join(",") }),
});
const live = new Live();
live.onreturn = () => look();
let sheets = []; // tiles that were trained, the newest last: {window, image, ...}
let trained = 0;

const refine = newest(async () => {
  const { activation, steps } = valuesOf(form);
  const window = view;
  sheets = sheets.filter((sheet) => sheet.activation === activation && sheet.steps === steps).slice(-KEPT);
  draw();
  try {
    for (const [tile, pixels] of FINER.flatMap(([size, count]) => tiles(window, count).map((part) => [part, size]))) {
      const answer = await live.ask({ do: "map", window: tile, pixels, activation, steps });
      trained += pixels * pixels;
      sheets.push({ window: tile, activation, steps, image: painted(answer, pixels), answer, pixels });
      draw();
      if (window !== view) return; // somebody has moved on
    }
    complain(form, null);
  } catch (error) {
    complain(form, error, say);
  }
});

function look() {
  keep();
  refine();
}

/** A window in parts, `count` along a side, those in its middle first. */
function tiles([left, right, low, high], count) {
  const [width, height] = [(right - left) / count, (high - low) / count];
  const parts = Array.from({ length: count * count }, (_, k) => [k % count, Math.floor(k / count)]);
  const far = ([i, j]) => Math.hypot(i - (count - 1) / 2, j - (count - 1) / 2);
  return parts.sort((a, b) => far(a) - far(b)).map(([i, j]) => (
    [left + i * width, left + (i + 1) * width, low + j * height, low + (j + 1) * height]
  ));
}

/** The side of a net of a tile, in learning rates. */
function size({ window: [left, right], pixels }) {
  return (right - left) / pixels;
}

/** The colour of a net that learned: light when the loss, a power of ten, is low. */
function learned(loss) {
  const share = Math.max(0, Math.min(1, -loss / SLOWEST_TO_FASTEST));
  return [20 + 215 * share, 60 + 180 * share, 90 + 150 * share];
}

/** The colour of a net that diverged after a share of the steps: dark when that was soon. */
function diverged(share) {
  return [213 - 110 * (1 - share), 94 * share, 20];
}

/** A tile as an image: a pixel a net. */
function painted(answer, pixels) {
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [pixels, pixels];
  const pen = sheet.getContext("2d");
  const image = pen.createImageData(pixels, pixels);
  for (let row = 0; row < pixels; row += 1) {
    for (let column = 0; column < pixels; column += 1) {
      const place = (pixels - 1 - row) * pixels + column; // momentum grows upwards
      const at = answer.diverged[place];
      const colour = at >= 0 ? diverged(at / answer.steps) : learned(answer.loss[place]);
      image.data.set([...colour, 255], 4 * (row * pixels + column));
    }
  }
  pen.putImageData(image, 0, 0);
  return sheet;
}

function box(width, height) {
  const [left, right, low, high] = view;
  return frame({ low: [left, low], high: [right, high] }, 70, 8, width - 80, height - 50);
}

function draw() {
  const { context, width, height } = fitted(canvas);
  const place = box(width, height);
  const colour = colours();
  context.save();
  context.beginPath();
  context.rect(place.left, place.top, place.width, place.height);
  context.clip();
  context.fillStyle = colour.tint;
  context.fillRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  for (const { window: [left, right, low, high], image } of sheets.toSorted((a, b) => size(b) - size(a))) {
    const [x, y] = [place.x(left), place.y(high)];
    context.drawImage(image, x, y, place.x(right) - x, place.y(low) - y);
  }
  context.restore();
  const [left, right, low, high] = view;
  for (const value of ticks(left, right, 5)) label(context, colour, digits(value, right - left), place.x(value), place.top + place.height + 16, "center");
  for (const value of ticks(low, high, 5)) label(context, colour, digits(value, high - low), place.left - 6, place.y(value) + 4, "right");
  label(context, colour, `${words.learning_rate} →`, place.left + place.width / 2, height - 6, "center");
  context.save();
  context.translate(14, place.top + place.height / 2);
  context.rotate(-Math.PI / 2);
  label(context, colour, `${words.momentum} →`, 0, 0, "center");
  context.restore();
  find("[data-count]").textContent = words.nets_trained.replace("{}", trained.toLocaleString(told.lang));
}

/** As many digits as tell neighbours in a window of this width apart. */
function digits(value, width) {
  return value.toFixed(Math.max(1, Math.ceil(-Math.log10(width)) + 1));
}

/** The window after a zoom by `by` around a place, given as shares of the sides from the left and the bottom. */
function zoom(by, x = 0.5, y = 0.5) {
  const [left, right, low, high] = view;
  const [width, height] = [right - left, high - low];
  if (width * by < NARROWEST) return;
  if (width * by > 2 * (WHOLE[1] - WHOLE[0])) return;
  const [west, south] = [left + x * width * (1 - by), low + y * height * (1 - by)];
  put(west, south, width * by, height * by);
}

/** The window with this corner, within what can be trained. */
function put(left, low, width, height) {
  const west = Math.max(0, left);
  const south = Math.max(0, Math.min(low, 1.5 - height));
  view = [west, west + width, south, Math.min(1.5, south + height)];
  draw();
  look();
}

function shares(event) {
  const shown = canvas.getBoundingClientRect();
  const place = box(shown.width, shown.height);
  return [
    (event.clientX - shown.left - place.left) / place.width,
    1 - (event.clientY - shown.top - place.top) / place.height,
  ];
}

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(event.deltaY > 0 ? 1.25 : 0.8, ...shares(event));
}, { passive: false });
let held;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  held = { from: shares(event), view };
});
canvas.addEventListener("pointermove", (event) => {
  const [x, y] = shares(event);
  tell(x, y);
  if (!held || !(event.buttons & 1)) return;
  const [left, right, low, high] = held.view;
  put(left - (x - held.from[0]) * (right - left), low - (y - held.from[1]) * (high - low), right - left, high - low);
});
canvas.addEventListener("pointerup", () => { held = undefined; });
canvas.addEventListener("dblclick", (event) => zoom(0.5, ...shares(event)));
canvas.addEventListener("keydown", (event) => {
  const [left, right, low, high] = view;
  const [width, height] = [right - left, high - low];
  const by = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, 0.2], ArrowDown: [0, -0.2] }[event.key];
  if (by) put(left + by[0] * width, low + by[1] * height, width, height);
  else if (event.key === "+" || event.key === "=") zoom(0.5);
  else if (event.key === "-") zoom(2);
  else return;
  event.preventDefault();
});

/** What became of the net at a place. */
function tell(x, y) {
  const [left, right, low, high] = view;
  const [lr, momentum] = [left + x * (right - left), low + y * (high - low)];
  const under = sheets.filter(({ window: [a, b, c, d] }) => lr >= a && lr < b && momentum >= c && momentum < d);
  if (!under.length) return;
  const sheet = under.reduce((finest, other) => (size(other) <= size(finest) ? other : finest));
  const [a, b, c, d] = sheet.window;
  const column = Math.floor(((lr - a) / (b - a)) * sheet.pixels);
  const row = Math.floor(((momentum - c) / (d - c)) * sheet.pixels);
  const at = sheet.answer.diverged[row * sheet.pixels + column];
  const fate = at >= 0 ? words.diverged_at.replace("{}", at)
    : `${words.loss} ${short(10 ** sheet.answer.loss[row * sheet.pixels + column])}`;
  find("[data-selected]").textContent = `lr ${digits(lr, right - left)}, momentum ${digits(momentum, high - low)}: ${fate}`;
}

/** What the colours mean. */
function legend() {
  const { context, width } = fitted(find("[data-legend]"));
  const colour = colours();
  const strip = (top, shade, text, from, to) => {
    for (let x = 0; x < width; x += 1) {
      context.fillStyle = `rgb(${shade(x / width).map(Math.round).join()})`;
      context.fillRect(x, top + 16, 1, 12);
    }
    label(context, colour, text, 0, top + 10, "left");
    label(context, colour, from, 0, top + 41, "left");
    label(context, colour, to, width, top + 41, "right");
  };
  strip(0, (share) => learned(-SLOWEST_TO_FASTEST * share), words.mean_loss, "1", `1e-${SLOWEST_TO_FASTEST}`);
  strip(52, (share) => diverged(share), words.diverged, words.at_once, words.at_the_end);
}

form.addEventListener("click", (event) => {
  const by = event.target.closest("[data-zoom]")?.dataset.zoom;
  if (by) zoom(Number(by));
  if (event.target.closest("[data-whole]")) {
    view = [...WHOLE];
    look();
  }
});
form.addEventListener("input", () => look());
form.addEventListener("submit", (event) => event.preventDefault());
whenItLooksOtherwise(() => {
  draw();
  legend();
});
legend();
look();
