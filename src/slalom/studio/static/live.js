// The socket of a page: what it asks for and what comes back (wire.py says how it is packed).

import { unpacked } from "./wire.js";

export const told = JSON.parse(document.getElementById("told").textContent);
export const words = told.words;

const AGAIN_MS = 1500; // between two attempts to find the studio again

/** What the studio refused: `setting` says which one was wrong. */
export class Refused extends Error {
  constructor(message, setting) {
    super(message);
    this.setting = setting;
  }
}

/** One socket. `ask` gives the answer, or throws what the studio refused. */
export class Live {
  constructor() {
    this.number = 0;
    this.waiting = new Map();
    this.opened = this.open();
  }

  open() {
    say(words.connecting);
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => this.heard(unpacked(data));
    this.socket.onclose = () => this.lost();
    return new Promise((resolve) => {
      this.socket.onopen = () => { say(""); resolve(); };
    });
  }

  heard(answer) {
    const { resolve, reject } = this.waiting.get(answer.id) ?? {};
    this.waiting.delete(answer.id);
    if (answer.error === undefined) resolve?.(answer);
    else reject?.(new Refused(answer.error, answer.setting));
  }

  lost() {
    say(words.lost);
    for (const { reject } of this.waiting.values()) reject(new Refused(words.lost, ""));
    this.waiting.clear();
    setTimeout(() => { this.opened = this.open().then(() => this.onreturn?.()); }, AGAIN_MS);
  }

  async ask(message) {
    await this.opened;
    const id = (this.number += 1);
    const slow = setTimeout(() => say(words.working), 1000);
    try {
      return await new Promise((resolve, reject) => {
        this.waiting.set(id, { resolve, reject });
        this.socket.send(JSON.stringify({ id, lang: told.lang, ...message }));
      });
    } finally {
      clearTimeout(slow);
      if (document.querySelector("[data-said]").textContent === words.working) say("");
    }
  }
}

/** A line at the foot of the page; nothing takes it away. */
export function say(text) {
  document.querySelector("[data-said]").textContent = text;
}
