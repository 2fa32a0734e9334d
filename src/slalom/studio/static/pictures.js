// Pictures on a canvas: points with a line or regions, loss curves, a net with its neurons.

import { told } from "./live.js";

const LOW_LOSS = 1e-12; // below, a logarithm would say nothing of learning

/** The colours around a canvas, which follow light and dark. */
export function colours(canvas = document.documentElement) {
  const style = getComputedStyle(canvas);
  const [ink, quiet, line, paper, tint] = ["ink", "quiet", "line", "paper", "tint"]
    .map((name) => resolved(style.getPropertyValue(`--${name}`), style));
  return { ink, quiet, line, paper, tint, classes: told.colours.classes };
}

/** One of the two colours of `light-dark(a, b)`, which a canvas does not understand. */
function resolved(value, style) {
  const both = value.match(/light-dark\((.*),\s*(.*)\)/);
  if (!both) return value.trim();
  const scheme = style.colorScheme;
  const dark = scheme === "dark"
    || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  return both[dark ? 2 : 1].trim();
}

/** A canvas as large as it is shown, in the pixels of the screen, empty; it counts its pictures. */
export function fitted(canvas) {
  const scale = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  canvas.dataset.frames = Number(canvas.dataset.frames ?? 0) + 1;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** From data to pixels within a frame, and back. */
export function frame(still, left, top, width, height) {
  const [[x0, y0], [x1, y1]] = [still.low, still.high];
  return {
    left, top, width, height,
    x: (value) => left + ((value - x0) / (x1 - x0)) * width,
    y: (value) => top + height - ((value - y0) / (y1 - y0)) * height,
    back: (x, y) => [x0 + ((x - left) / width) * (x1 - x0), y0 + ((top + height - y) / height) * (y1 - y0)],
  };
}

/** Points, and what the net says about every place: the picture of one net. */
export function plot(canvas, still, look) {
  const { context, width, height } = fitted(canvas);
  const colour = colours(canvas);
  const box = frame(still, 54, 10, width - 64, height - 44);
  axes(context, box, colour, ticks(still.low[0], still.high[0], 6), ticks(still.low[1], still.high[1], 5));
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  if (look?.winner) {
    context.globalAlpha = 0.6;
    drawRegions(context, box, look.winner, look.lead, 0, Math.sqrt(look.winner.shape[1]), colour);
    context.globalAlpha = 1;
  }
  points(context, box, still, colour, 3.2);
  if (look?.line) {
    context.lineWidth = 3;
    context.strokeStyle = told.colours.optimizers.Adam;
    drawLine(context, box, still, look.line, 0, look.line.shape[1], 1e4);
  }
  context.restore();
  label(context, colour, still.features[0], box.left + box.width / 2, height - 2, "center");
  const up = still.task === "classification" ? still.features[1] : still.target;
  if (up) {
    context.save();
    context.translate(11, box.top + box.height / 2);
    context.rotate(-Math.PI / 2);
    label(context, colour, up, 0, 0, "center");
    context.restore();
  }
  return box;
}

/** The line of net number `k` of many, `count` values each; `beyond` the box by that many pixels. */
export function drawLine(context, box, still, values, k, count, beyond = 0) {
  const [from, to] = [still.low[0], still.high[0]];
  context.beginPath();
  let on = false;
  for (let i = 0; i < count; i += 1) {
    const value = values[k * count + i];
    if (!Number.isFinite(value)) { on = false; continue; }
    const x = box.x(from + ((to - from) * i) / (count - 1));
    const y = Math.max(box.top - beyond, Math.min(box.top + box.height + beyond, box.y(value)));
    if (on) context.lineTo(x, y);
    else context.moveTo(x, y);
    on = true;
  }
  context.stroke();
}

const sheet = document.createElement("canvas");

/** The regions of net number `k` of many, `side * side` places each, from the top left on. */
export function drawRegions(context, box, winner, lead, k, side, colour) {
  if (sheet.width !== side) [sheet.width, sheet.height] = [side, side];
  const pen = sheet.getContext("2d");
  const image = pen.createImageData(side, side);
  paint(image.data, 0, side, winner, lead, k * side * side, side, colour);
  pen.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(sheet, box.left, box.top, box.width, box.height);
}

/** Regions into the pixels of an image, `stride` pixels wide, from pixel number `at` on. */
export function paint(pixels, at, stride, winner, lead, from, side, colour) {
  const shades = colour.shades ??= colour.classes.map(rgb);
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      const place = from + row * side + column;
      const shade = shades[winner[place] % shades.length];
      const to = 4 * (at + row * stride + column);
      pixels[to] = shade[0];
      pixels[to + 1] = shade[1];
      pixels[to + 2] = shade[2];
      pixels[to + 3] = 25 + 0.9 * lead[place];
    }
  }
}

function rgb(hex) {
  return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
}

/**
 * The points: hollow where they are held out; classes have a colour and a shape of their own. Small
 * ones go without an edge.
 */
export function points(context, box, still, colour, radius, edged = true) {
  const many = still.y.length;
  const across = still.task === "classification" ? 2 : 1;
  for (let i = 0; i < many; i += 1) {
    const x = box.x(still.x[across * i]);
    const y = box.y(across === 2 ? still.x[2 * i + 1] : still.y[i]);
    const shade = across === 2 ? colour.classes[still.y[i] % colour.classes.length] : colour.quiet;
    context.beginPath();
    shape(context, across === 2 ? still.y[i] : 0, x, y, radius);
    context.lineWidth = 1.2;
    if (still.held[i] && edged) {
      context.strokeStyle = shade;
      context.fillStyle = colour.paper;
    } else {
      context.fillStyle = shade;
      context.strokeStyle = colour.paper;
    }
    context.fill();
    if (edged) context.stroke();
  }
}

function shape(context, kind, x, y, r) {
  if (kind % 3 === 0) context.arc(x, y, r, 0, 7);
  else if (kind % 3 === 1) context.rect(x - r, y - r, 2 * r, 2 * r);
  else {
    context.moveTo(x, y - 1.2 * r);
    context.lineTo(x + 1.2 * r, y + r);
    context.lineTo(x - 1.2 * r, y + r);
    context.closePath();
  }
}

/** Loss curves, on a logarithmic scale: `[{steps, losses, colour, dash}]`, and where one stands. */
export function curves(canvas, series, at) {
  const { context, width, height } = fitted(canvas);
  const colour = colours(canvas);
  const [left, top] = [52, 8];
  const [inner, high] = [width - left - 18, height - top - 34];
  const seen = series.flatMap(({ losses }) => [...losses]).filter((loss) => loss > LOW_LOSS && Number.isFinite(loss));
  const last = Math.max(1, ...series.map(({ steps }) => steps.reduce((most, step) => (step > most ? step : most), 0)));
  if (!seen.length) return;
  const sorted = seen.sort((a, b) => a - b);
  const ceiling = Math.min(sorted[sorted.length - 1], 1e3 * sorted[sorted.length >> 1]);
  let [low, most] = [Math.log10(sorted[0]), Math.log10(ceiling)];
  if (most - low < 0.4) [low, most] = [low - 0.2, most + 0.2];
  const box = {
    left, top, width: inner, height: high,
    x: (step) => left + (inner * step) / last,
    y: (loss) => top + high - (high * (Math.log10(Math.max(loss, LOW_LOSS)) - low)) / (most - low),
  };
  axes(context, box, colour, ticks(0, last, 5), decades(low, most));
  context.save();
  context.beginPath();
  context.rect(left, top, inner, high);
  context.clip();
  for (const { steps, losses, colour: own, dash = [] } of series) {
    context.beginPath();
    context.setLineDash(dash);
    context.strokeStyle = own;
    context.lineWidth = 2;
    let on = false;
    for (let i = 0; i < losses.length; i += 1) {
      if (!Number.isFinite(losses[i])) continue;
      context[on ? "lineTo" : "moveTo"](box.x(steps[i]), box.y(losses[i]));
      on = true;
    }
    context.stroke();
  }
  if (at !== undefined) {
    context.setLineDash([4, 4]);
    context.strokeStyle = colour.quiet;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(box.x(at), top);
    context.lineTo(box.x(at), top + high);
    context.stroke();
  }
  context.restore();
  label(context, colour, told.words.step, left + inner / 2, height - 4, "center");
}

/** The net: its weights as lines, and each neuron as a picture of what it gives. */
export function network(canvas, still, look) {
  const { context, width, height } = fitted(canvas);
  const colour = colours(canvas);
  const layers = look.widths;
  const most = Math.max(...layers);
  const size = Math.max(6, Math.min(34, (height - 20) / most - 6, width / layers.length / 2));
  const place = (layer, unit) => [
    size + ((width - 2 * size) * layer) / (layers.length - 1),
    height / 2 + (unit - (layers[layer] - 1) / 2) * Math.min(size + 6, (height - size) / Math.max(1, layers[layer] - 1 || 1)),
  ];
  let at = 0;
  const widest = look.weights.reduce((top, weight) => (Math.abs(weight) > top ? Math.abs(weight) : top), 1e-6);
  for (let layer = 1; layer < layers.length; layer += 1) {
    for (let to = 0; to < layers[layer]; to += 1) {
      for (let from = 0; from < layers[layer - 1]; from += 1) {
        const weight = look.weights[at++];
        const share = Math.abs(weight) / widest;
        if (!(share > 0.02)) continue;
        context.strokeStyle = weight > 0 ? colour.classes[0] : colour.classes[1];
        context.globalAlpha = 0.25 + 0.65 * share;
        context.lineWidth = 0.4 + 4 * share;
        context.beginPath();
        context.moveTo(...place(layer - 1, from));
        context.lineTo(...place(layer, to));
        context.stroke();
      }
    }
    at += layers[layer];
  }
  context.globalAlpha = 1;
  let neuron = 0;
  for (let layer = 0; layer < layers.length; layer += 1) {
    for (let unit = 0; unit < layers[layer]; unit += 1) {
      const [x, y] = place(layer, unit);
      const inside = layer > 0 && layer < layers.length - 1;
      context.fillStyle = inside ? colour.paper : colour.tint;
      context.fillRect(x - size / 2, y - size / 2, size, size);
      if (inside) neuronPicture(context, look.neurons, neuron++, x - size / 2, y - size / 2, size, still, colour);
      context.strokeStyle = colour.quiet;
      context.lineWidth = 1;
      context.strokeRect(x - size / 2, y - size / 2, size, size);
    }
  }
}

function neuronPicture(context, neurons, k, left, top, size, still, colour) {
  const count = neurons.shape[1];
  if (still.task === "classification") {
    const side = Math.sqrt(count);
    const cell = size / side;
    const [r, g, b] = rgb(colour.classes[0]);
    for (let i = 0; i < count; i += 1) {
      context.fillStyle = `rgba(${r}, ${g}, ${b}, ${neurons[k * count + i].toFixed(2)})`;
      context.fillRect(left + (i % side) * cell, top + Math.floor(i / side) * cell, cell + 0.5, cell + 0.5);
    }
    return;
  }
  context.strokeStyle = colour.classes[0];
  context.lineWidth = 1.5;
  context.beginPath();
  for (let i = 0; i < count; i += 1) {
    context[i ? "lineTo" : "moveTo"](left + (size * i) / (count - 1), top + size - 2 - (size - 4) * neurons[k * count + i]);
  }
  context.stroke();
}

function axes(context, box, colour, across, up) {
  context.font = "12px system-ui, sans-serif";
  context.strokeStyle = colour.line;
  context.lineWidth = 1;
  context.strokeRect(box.left, box.top, box.width, box.height);
  for (const value of across) {
    label(context, colour, short(value), box.x(value), box.top + box.height + 15, "center");
  }
  for (const value of up) {
    const y = box.y(value);
    if (y < box.top - 1 || y > box.top + box.height + 1) continue;
    context.beginPath();
    context.moveTo(box.left, y);
    context.lineTo(box.left + box.width, y);
    context.stroke();
    label(context, colour, short(value), box.left - 6, y + 4, "right");
  }
}

export function label(context, colour, text, x, y, align) {
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour.quiet;
  context.textAlign = align;
  context.fillText(text, x, y);
}

/** About `wanted` round numbers from `low` to `high`. */
export function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * unit).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    found.push(Math.abs(value) < step / 1e6 ? 0 : value);
  }
  return found;
}

/** Up to six marks between two powers of ten: decades, or between them 2 and 5. */
function decades(low, high) {
  const every = Math.max(1, Math.ceil((high - low) / 6));
  const whole = [];
  for (let power = Math.ceil(low); power <= high; power += 1) {
    if (power % every === 0) whole.push(10 ** power);
  }
  if (whole.length > 2) return whole;
  const finer = [];
  for (let power = Math.floor(low); power <= high; power += 1) {
    for (const times of [1, 2, 5]) finer.push(times * 10 ** power);
  }
  return finer.filter((value) => value >= 10 ** low && value <= 10 ** high);
}

/** A share as a person says it. */
export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

/** A number as short as can be, to three digits. */
export function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-4) return String(Number(value.toPrecision(2)).toExponential()).replace("e+", "e");
  return String(Number(value.toPrecision(3)));
}
