// The form of a page: its values, what they say beside the sliders, and the address that holds them.

import { short } from "./pictures.js";

/** What a control holds: of a logarithmic slider, the power of ten. */
export function valueOf(control) {
  if (control.type === "range") {
    const value = Number(control.value);
    return "log" in control.dataset ? Number((10 ** value).toPrecision(2)) : value;
  }
  return control.value;
}

/** All controls of a form by name. */
export function valuesOf(form) {
  const found = {};
  for (const control of form.elements) if (control.name) found[control.name] = valueOf(control);
  return found;
}

/** Says beside each slider what it holds. */
export function describe(form) {
  for (const control of form.elements) {
    if (control.type !== "range") continue;
    const said = short(valueOf(control));
    control.setAttribute("aria-valuetext", said);
    const output = control.closest(".field")?.querySelector("output");
    if (output) output.textContent = said;
  }
}

/** Another toy comes with the noise that suits it. */
export function suit(form, changed) {
  if (changed.name !== "toy") return;
  const { noise } = changed.selectedOptions[0].dataset;
  if (noise !== undefined) form.elements.noise.value = noise;
}

/** Puts what the address holds into the form, and from now on what the form holds into it. */
export function remember(form, extra = { read() {}, write: () => ({}) }) {
  const kept = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of kept) {
    const control = form.elements[name];
    if (control?.type === "checkbox") control.checked = value === "on";
    else if (control?.options && ![...control.options].some((option) => option.value === value)) continue;
    else if (control && "value" in control) control.value = value;
  }
  extra.read(kept);
  describe(form);
  return () => {
    describe(form);
    const own = new URLSearchParams();
    for (const control of form.elements) {
      if (!control.name) continue;
      if (control.type === "checkbox") {
        if (control.checked !== control.defaultChecked) own.set(control.name, control.checked ? "on" : "off");
      } else if (control.value !== defaultOf(control)) own.set(control.name, control.value);
    }
    for (const [name, value] of Object.entries(extra.write())) own.set(name, value);
    const address = `#${own}`;
    history.replaceState(null, "", address === "#" ? location.pathname + location.search : address);
    for (const link of document.querySelectorAll("[data-language]")) link.hash = own.toString();
  };
}

function defaultOf(control) {
  if (control.tagName !== "SELECT") return control.defaultValue;
  return [...control.options].find((option) => option.defaultSelected)?.value ?? control.options[0].value;
}

/** How many steps a picture takes, from the slider that says so. */
export function paceOf(slider) {
  const tell = () => { slider.closest(".field").querySelector("output").textContent = pace(); };
  const pace = () => Math.round(10 ** Number(slider.value));
  slider.addEventListener("input", tell);
  tell();
  return pace;
}

/** The optimizer as a spec; Momentum is SGD with some. */
export function optimizerOf({ optimizer, lr, momentum = 0.9, weight_decay = "" }) {
  return {
    ...(optimizer === "Momentum" ? { kind: "SGD", lr, momentum } : { kind: optimizer, lr }),
    ...(weight_decay === "" ? {} : { weight_decay: Number(weight_decay) }),
  };
}

export function dataOf({ toy, n, noise, held_out }) {
  return { toy, n, noise, held_out, seed: 1 };
}

export function batchOf({ batch_size }) {
  return batch_size === "all" ? null : Number(batch_size);
}

/** Shows an error at the control that it is about, or at the foot of the page; nothing clears it. */
export function complain(form, error, say) {
  for (const old of form.querySelectorAll(".wrong")) old.remove();
  if (!error) return;
  if (error.setting === undefined) throw error;
  const field = form.querySelector(`[data-field="${CSS.escape(error.setting)}"]`);
  if (!field) { say(error.message); return; }
  const note = Object.assign(document.createElement("p"), { className: "wrong", textContent: error.message });
  note.setAttribute("role", "alert");
  field.append(note);
}
