// A page with a form, a training, and pictures of it: what the live pages share.

import { Live, say } from "./live.js";
import { newest } from "./newest.js";
import { complain } from "./settings.js";
import { Transport } from "./transport.js";

export const find = (selector) => document.querySelector(selector);

/**
 * Brings form, socket and player together.
 *
 * look: what of the training is seen; settings(): what the form asks for; pace(): steps a picture;
 * draw(answer, still): the pictures, of a moment and of what does not change;
 * seen(answer): what else there is to say of a moment; length(): of a training that has an end.
 */
export function staged({ look, settings, pace, draw, seen = () => {}, length = () => ({}) }) {
  const form = find("[data-settings]");
  const live = new Live();
  const redraw = () => { if (transport.answer) draw(transport.answer, transport.still); };
  const show = (answer) => {
    seen(answer);
    redraw();
  };
  const transport = new Transport(find("[data-transport]"), live, () => ({ look }), show, pace);
  const restart = newest(async (steps) => {
    try {
      await transport.begin(settings(), { steps, ...length() });
      complain(form, null);
    } catch (error) {
      complain(form, error, say);
    }
  });
  live.onreturn = () => restart(transport.at); // the studio was started anew
  for (const link of document.querySelectorAll("[data-language]")) {
    link.addEventListener("click", () => { // the same net, as far along
      const here = new URLSearchParams(link.hash.slice(1));
      here.set("at", transport.at);
      link.hash = here;
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  whenItLooksOtherwise(redraw);
  return { form, live, transport, restart, redraw };
}

/** Draws again when the window or the scheme of colours is another one. */
export function whenItLooksOtherwise(draw) {
  addEventListener("resize", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-scheme"] });
}
