"use strict";
// What pages of lessons do by themselves: films play, code is copied, the scheme is kept.

const FIRST_MS = 800; // time to look at how it begins

/**
 * Goes through the moments of something that can be drawn one moment at a time.
 *
 * root: an element with any of these in it: buttons [data-do] named after the methods below, a
 *   slider [data-at] over the moments, and an <output> beside it;
 * count: how many moments there are, a field that may grow;
 * draw(i): shows moment i;
 * pace: milliseconds a moment.
 */
class Player {
  constructor(root, count, draw, pace = 80) {
    Object.assign(this, { root, count, draw, pace, at: count - 1, timer: null });
    this.slider = root.querySelector("[data-at]");
    this.output = root.querySelector("[data-at] ~ output");
    this.button = root.querySelector("[data-do=toggle]");
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) this[button.dataset.do]();
    });
    this.slider?.addEventListener("input", () => this.stop(Number(this.slider.value)));
    this.slider?.parentElement.addEventListener("keydown", (event) => this.key(event));
    this.show(this.at);
  }

  show(moment) {
    this.at = Math.max(0, Math.min(moment, this.count - 1));
    this.draw(this.at);
    if (!this.slider) return;
    const words = this.slider.dataset.at.replace("{at}", this.at + 1).replace("{count}", this.count);
    this.slider.max = this.count - 1;
    this.slider.value = this.at;
    this.slider.setAttribute("aria-valuetext", words);
    this.output.textContent = `${this.at + 1} / ${this.count}`;
  }

  play() {
    if (this.timer !== null) return;
    if (this.at >= this.count - 1) this.show(0);
    this.mark(true);
    this.wait();
  }

  wait() {
    this.timer = setTimeout(() => {
      this.show(this.at + 1);
      if (this.at < this.count - 1) this.wait();
      else this.stop();
    }, this.at === 0 ? FIRST_MS : this.pace);
  }

  stop(moment = this.at) {
    clearTimeout(this.timer);
    this.timer = null;
    this.mark(false);
    this.show(moment);
  }

  toggle() { this.timer === null ? this.play() : this.stop(); }
  back() { this.stop(this.at - 1); }
  forward() { this.stop(this.at + 1); }
  first() { this.stop(0); }
  last() { this.stop(this.count - 1); }

  mark(playing) {
    if (!this.button || this.root.classList.contains("playing") === playing) return;
    this.root.classList.toggle("playing", playing);
    const { ariaLabel, dataset } = this.button;
    [this.button.ariaLabel, this.button.dataset.other] = [dataset.other, ariaLabel];
  }

  key(event) {
    const onButton = event.target.closest("button") !== null; // which space presses
    const does = { ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last" }[event.key]
      ?? (event.key === " " && !onButton ? "toggle" : undefined);
    if (!does || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this[does]();
  }
}

/** A figure of a page: its images are those of a value, at a moment. */
function film(figure) {
  const runs = JSON.parse(figure.dataset.film);
  const [image, dial] = [figure.querySelector("img"), figure.querySelector("[data-dial]")];
  let run = runs[dial ? dial.value : 0];
  let waiting = []; // images that are being loaded, so that playing does not wait for them
  const load = () => { waiting = run.map((address) => Object.assign(new Image(), { src: address })); };
  const show = (i) => { image.src = run[i]; };
  const player = new Player(figure, run.length, show, Number(figure.dataset.pace));
  dial?.addEventListener("input", () => {
    const ended = player.at === player.count - 1;
    run = runs[dial.value];
    player.count = run.length;
    const value = JSON.parse(dial.dataset.dial)[dial.value];
    dial.setAttribute("aria-valuetext", value);
    dial.parentElement.querySelector("output").textContent = value;
    load();
    player.show(ended ? run.length - 1 : player.at);
  });
  for (const hidden of figure.querySelectorAll("[hidden]")) hidden.hidden = false;
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    load();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    // Not before all of it is there: a film of which the half is missing shows nothing.
    const ready = Promise.allSettled(waiting.map((moment) => moment.decode()));
    if (run.length > 1 && !still) ready.then(() => player.play());
  }, { threshold: 0.6 }).observe(image.parentElement);
}

/** A button that copies the code beside it, and says so for a moment. */
function copy(button) {
  if (!navigator.clipboard) return;
  const said = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.closest(".code").querySelector("pre").textContent);
    button.textContent = button.dataset.copy;
    setTimeout(() => { button.textContent = said; }, 2000);
  });
}

/** What is wider than the page scrolls in its own box, which the keyboard must be able to reach. */
function reachable() {
  for (const box of document.querySelectorAll(".scroll, pre")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

/** Dark or light: what was chosen, else what the system says. */
const page = document.documentElement;
try { page.dataset.scheme = localStorage.getItem("slalom-scheme") ?? ""; } catch { /* not kept */ }
function turn() {
  const dark = getComputedStyle(page).colorScheme === "dark"
    || (!page.dataset.scheme && matchMedia("(prefers-color-scheme: dark)").matches);
  page.dataset.scheme = dark ? "light" : "dark";
  try { localStorage.setItem("slalom-scheme", page.dataset.scheme); } catch { /* not kept */ }
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-film]").forEach(film);
  document.querySelectorAll("[data-copy]").forEach(copy);
  for (const button of document.querySelectorAll("[data-turn]")) {
    Object.assign(button, { hidden: false, onclick: turn });
  }
  reachable();
  addEventListener("resize", reachable);
});
