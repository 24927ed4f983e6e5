// Single keys. They work outside fields only, and can be switched off.

import { signal } from "@preact/signals";
import { pointing } from "./channels";
import { compare, toggleSplit } from "./compare";
import { nextSeed } from "./knobs";
import { painting, togglePainting } from "./mask";
import { photosOpen } from "./photos";
import { queueOpen } from "./queue";
import { renderOpen } from "./behind";
import { actualSize, fit, held, nextSurround, pan, wide, zoom } from "./stage";
import { noVariations, takeVariation, variations, vary } from "./variations";
import { act, newGesture, phase, set, undo, value } from "./state";

export type Tab = "look" | "layers" | "knobs" | "past";

export const keysOn = signal(true);
export const helpOpen = signal(false);
export const tab = signal<Tab>("look");
export const saveOpen = signal(false);

export const KEYS: [string, string][] = [
  ["Space", "pause, go on"],
  ["\\", "hold for the original"],
  ["X", "split"],
  ["Z, Shift Z", "undo, redo"],
  ["S", "save"],
  ["D", "dream on"],
  ["R, Q", "render, queue"],
  ["P", "photos"],
  ["L, G, H", "layers, knobs, history"],
  ["V", "variations; 1 to 4 takes one"],
  ["M", "paint a mask"],
  [", and .", "seed before, next seed"],
  ["[ and ]", "less, more strength"],
  ["F", "the picture alone"],
  ["B", "surround: black, grey, white"],
  ["0, 1", "fit, 100 %"],
  ["+ and −", "larger, smaller"],
  ["Esc", "close, then stop"],
  ["?", "this list"],
];

const strength = (by: number): void => {
  newGesture();
  set("ascent.strength", Math.max(0, Math.min(10, Number((Number(value("ascent.strength") ?? 1) + by).toFixed(2)))));
};

const show = (which: Tab, selector: string): void => {
  tab.value = which;
  wide.value = false;
  requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus());
};

function press(event: KeyboardEvent): boolean {
  if (variations.value && "1234".includes(event.key)) {
    takeVariation(Number(event.key) - 1);
    return true;
  }
  switch (event.key) {
    case " ":
      if (phase.value === "dreaming") act("/api/dream/pause");
      else if (phase.value !== "empty" && phase.value !== "done") act("/api/dream/resume");
      return true;
    case "\\":
      held.value = true;
      return true;
    case "x":
    case "X":
      toggleSplit();
      return true;
    case "z":
    case "Z":
      undo(event.shiftKey);
      return true;
    case "s":
    case "S":
      saveOpen.value = !saveOpen.value;
      return true;
    case "d":
    case "D":
      if (phase.value === "done") act("/api/dream/on");
      return true;
    case "r":
    case "R":
      if (phase.value !== "empty") renderOpen.value = "picture";
      return true;
    case "q":
    case "Q":
      queueOpen.value = true;
      return true;
    case "p":
    case "P":
      photosOpen.value = true;
      return true;
    case "l":
    case "L":
      show("layers", ".layers .take");
      return true;
    case "g":
    case "G":
      show("knobs", ".knobs .range");
      return true;
    case "m":
    case "M":
      togglePainting();
      if (painting.value) show("knobs", ".mask .tools button");
      return true;
    case ",":
      nextSeed(-1);
      return true;
    case ".":
      nextSeed(1);
      return true;
    case "[":
      strength(-0.1);
      return true;
    case "]":
      strength(0.1);
      return true;
    case "f":
    case "F":
      wide.value = !wide.value;
      return true;
    case "b":
    case "B":
      nextSurround();
      return true;
    case "h":
    case "H":
      show("past", '.history [data-on="true"] .take, .history .take');
      return true;
    case "v":
    case "V":
      vary();
      return true;
    case "0":
      fit();
      return true;
    case "1":
      actualSize();
      return true;
    case "+":
    case "=":
      zoom.value = Math.min(32, zoom.value * 1.25);
      return true;
    case "-":
      zoom.value = Math.max(1, zoom.value / 1.25);
      if (zoom.value === 1) pan.value = [0, 0];
      return true;
    case "ArrowLeft":
    case "ArrowRight":
    case "ArrowUp":
    case "ArrowDown": {
      if (zoom.value === 1) return false;
      const [x, y] = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key] as [number, number];
      pan.value = [pan.value[0] + x, pan.value[1] + y];
      return true;
    }
    case "Escape":
      if (saveOpen.value) saveOpen.value = false;
      else if (variations.value) noVariations();
      else if (painting.value) painting.value = false;
      else if (pointing.value) pointing.value = false;
      else if (wide.value) wide.value = false;
      else if (compare.value !== "off") compare.value = "off";
      else if (phase.value === "dreaming" || phase.value === "paused") act("/api/dream/stop");
      else return false;
      return true;
    case "?":
      helpOpen.value = true;
      return true;
    default:
      return false;
  }
}

const inField = (target: EventTarget | null): boolean => {
  const element = target as HTMLElement | null;
  if (!element?.closest) return false;
  if (element.closest("textarea, select, [contenteditable], dialog[open]")) return true;
  const input = element.closest("input");
  return Boolean(input && !["range", "checkbox"].includes(input.type));
};

export function listenToKeys(): void {
  window.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !inField(event.target)) {
      event.preventDefault();
      undo(event.shiftKey);
      return;
    }
    if (!keysOn.value || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || inField(event.target)) return;
    const on = (event.target as HTMLElement).closest?.("button, summary, a, input");
    if (on && (event.key === " " || event.key.startsWith("Arrow"))) return;
    if (press(event)) event.preventDefault();
  });
  window.addEventListener("keyup", (event) => {
    if (event.key === "\\") held.value = false;
  });
  window.addEventListener("blur", () => (held.value = false));
}
