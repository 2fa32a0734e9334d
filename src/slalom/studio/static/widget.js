// A training in a notebook: the same pictures and the same player, over the kernel's messages.

/** The socket of the studio's pages, with the kernel at the other end. */
class Kernel {
  constructor(model) {
    Object.assign(this, { model, number: 0, waiting: new Map() });
    model.on("msg:custom", (_, [view]) => {
      this.heard(unpacked(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)));
    });
  }

  heard(answer) {
    if (answer.id === 0) { // a cell trains
      this.ontrained?.(answer);
      return;
    }
    const { resolve, reject } = this.waiting.get(answer.id) ?? {};
    this.waiting.delete(answer.id);
    if (answer.error === undefined) resolve?.(answer);
    else reject?.(new Error(answer.error));
  }

  ask(message) {
    const id = (this.number += 1);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.model.send({ id, lang: told.lang, ...message });
    });
  }
}

function element(tag, properties = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...inside);
  return made;
}

function controls(words) {
  const button = (name, sign, label) => {
    const made = element("button", { type: "button", textContent: sign, title: label, ariaLabel: label });
    made.dataset.do = name;
    return made;
  };
  const toggle = button("toggle", "▶", words.play);
  toggle.dataset.other = words.pause;
  const slider = element("input", { type: "range", min: 0, max: 0, value: 0, ariaLabel: words.scrub });
  slider.dataset.at = words.moment;
  return element("div", { className: "slalom-controls" },
    button("first", "«", words.first), button("back", "◂", words.back), toggle,
    button("forward", "▸", words.forward), slider, element("output"));
}

const STILL_MS = 1000; // without another picture

let focused = false; // whether the view that was there before had the keyboard

function render({ model, el }) {
  told = model.get("told");
  const { words } = told;
  const [plotted, curved] = [element("canvas"), element("canvas")];
  plotted.className = "slalom-plot";
  curved.className = "slalom-curves";
  const bar = controls(words);
  const said = element("p", { className: "slalom-said" });
  const rate = element("input", { type: "range", min: -5, max: 1, step: 0.1, value: -2, ariaLabel: words.learning_rate });
  const rateSaid = element("output");
  const again = element("label", { className: "slalom-rate" }, `${words.learning_rate} `, rate, rateSaid);
  el.classList.add("slalom-widget");
  el.append(element("div", { className: "slalom-pictures" }, plotted, curved), bar, again, said);

  const kernel = new Kernel(model);
  let retraining = false; // while a finger is on the slider
  let later;
  const settle = () => { // once nothing moves any more, the output keeps the picture
    clearTimeout(later);
    later = setTimeout(() => (el.matches(":active") ? settle() : model.send({ do: "keep" })), STILL_MS);
  };
  const show = (answer) => {
    const { still } = transport;
    if (!retraining) rate.value = Math.log10(answer.lr);
    rateSaid.textContent = short(answer.lr);
    plotted.hidden = !still?.task;
    if (still?.task) plot(plotted, still, answer);
    curves(curved, [
      { steps: answer.curve_step, losses: answer.curve_held, colour: told.colours.classes[1], dash: [5, 3] },
      { steps: answer.curve_step, losses: answer.curve_loss, colour: told.colours.classes[0] },
    ], answer.step);
    said.textContent = answer.diverged_at >= 0
      ? words.diverged_at.replace("{}", answer.diverged_at) : `${words.loss} ${short(answer.train_loss)}`;
    toggle.textContent = transport.playing ? "❚❚" : "▶";
    settle();
  };
  const transport = new Transport(bar, kernel, () => ({ look: "net" }), show, () => 3);
  const toggle = bar.querySelector("[data-do=toggle]");
  transport.onstop = () => { toggle.textContent = "▶"; };
  kernel.ontrained = (answer) => transport.took(answer);
  const retrain = newest(async (lr) => {
    retraining = true;
    try {
      transport.took(await kernel.ask({ do: "retrain", changes: { lr }, look: "net" }));
    } catch (error) {
      said.textContent = error.message;
    } finally {
      retraining = false;
    }
  });
  rate.addEventListener("input", () => {
    retrain(Number((10 ** Number(rate.value)).toPrecision(2)));
  });
  kernel.ask({ do: "whole", look: "net" }).then((answer) => transport.took(answer));
  if (focused) toggle.focus();
  return () => {
    clearTimeout(later);
    focused = el.contains(document.activeElement);
  };
}

export default { render };
