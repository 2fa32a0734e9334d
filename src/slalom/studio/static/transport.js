// The player of the gallery, made live: its moments are the steps of a training that goes on.

/* global Player */

/**
 * Plays, stops, steps, rewinds and scrubs a training.
 *
 * root: the controls; see `transport` in parts.html.j2;
 * live: the socket; look: what of the training is seen, added to each message;
 * draw(answer): shows it; pace(): steps a picture. `still` is the last answer that said what does
 * not change while it trains.
 */
export class Transport extends Player {
  constructor(root, live, look, draw, pace) {
    super(root, 1, () => {});
    Object.assign(this, { live, look, shown: draw, steps: pace, playing: false, run: 0 });
  }

  /** Begins anew, with these settings. Where `steps` is given, so far along. */
  async begin(settings, { steps = 0, ...rest } = {}) {
    this.run += 1; // what is still under way for the old training is not shown any more
    await this.ask({ do: "begin", settings, steps, ...rest });
    if (this.playing) this.wait();
  }

  /** As before anything has begun. */
  forget() {
    this.run += 1;
    this.answer = undefined;
    if (this.playing) this.stop();
  }

  async ask(message) {
    const run = this.run;
    const answer = await this.live.ask({ ...message, ...this.look() });
    if (run !== this.run) return undefined;
    this.took(answer);
    return answer;
  }

  /** Shows an answer, whoever asked for it. */
  took(answer) {
    this.answer = answer;
    if (answer.task !== undefined) this.still = answer; // with what does not change
    this.count = answer.furthest + 1;
    super.show(answer.step);
    const [at, count] = [this.at, this.count - 1]; // steps are counted from 0, moments from 1
    this.output.textContent = `${at} / ${count}`;
    const words = this.slider.dataset.at.replace("{at}", at).replace("{count}", count);
    this.slider.setAttribute("aria-valuetext", words);
    this.shown(answer);
  }

  show(moment) {
    if (this.live) this.go(moment);
    else super.show(moment);
  }

  play() {
    if (this.playing) return;
    if (this.answer?.done) this.go(0); // how it came to this
    this.playing = true;
    this.mark(true);
    this.wait();
  }

  /** Asks for the next picture as soon as one is there, which is drawn in the meantime. */
  async wait() {
    const run = this.run;
    const ask = () => this.live.ask({ do: "advance", steps: this.steps(), ...this.look() });
    let next = ask();
    while (run === this.run) {
      const answer = await next;
      if (run !== this.run) return;
      const on = this.playing && !answer.done;
      if (on) next = ask();
      this.took(answer);
      if (!on) break;
      await new Promise(requestAnimationFrame);
    }
    if (this.playing) this.stop();
  }

  stop(moment) {
    this.playing = false;
    this.mark(false);
    if (moment !== undefined) this.go(moment);
    this.onstop?.();
  }

  toggle() { this.playing ? this.stop() : this.play(); }
  back() { this.stop(Math.max(0, this.at - 1)); }
  forward() { this.stop(); this.on(1); }
  epoch() { this.stop(); this.on(this.still?.epoch ?? 1); }
  first() { this.stop(0); }
  last() { this.stop(this.count - 1); }

  /** On by some steps, over what was reached before or beyond it. */
  async on(steps) {
    const to = this.at + steps;
    await this.ask(to < this.count ? { do: "seek", step: to } : { do: "advance", steps });
  }

  /** To a step; of several that are wanted quickly, to the last. */
  async go(step) {
    this.goal = step;
    if (this.going) return;
    this.going = true;
    try {
      while (this.goal !== undefined) {
        const goal = this.goal;
        this.goal = undefined;
        const answer = await this.ask({ do: "seek", step: goal });
        const short = answer && answer.step < goal && answer.furthest >= goal && !answer.done;
        if (short) this.goal ??= goal; // a long way, of which each request goes a part
      }
    } finally {
      this.going = false;
    }
  }
}
