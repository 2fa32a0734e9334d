// The first page: pictures of lessons come one after another, recent runs from the store.

import { told, words } from "./live.js";
import { ask, statusOf } from "./office.js";
import { short } from "./pictures.js";

const RECENT = 6;

async function pictures() {
  for (const image of document.querySelectorAll("[data-later]")) {
    await new Promise((resolve) => {
      image.onload = image.onerror = resolve;
      image.src = image.dataset.later;
    });
  }
}

async function recent() {
  const runs = (await ask("/runs.json")).slice(0, RECENT);
  if (!runs.length) return;
  document.querySelector("[data-recent]").replaceChildren(...runs.map(({ name, target, status, score, best }) => {
    const line = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { textContent: name });
    link.href = `/runs/${encodeURIComponent(name)}${told.search}`;
    const said = score ?? `${words.best} ${short(best)}`;
    line.append(link, ` ${[target, statusOf(status, score), said].filter(Boolean).join(" · ")}`);
    return line;
  }));
}

recent();
addEventListener("load", pictures);
