// A range: a hairline with a notch at the usual value, for a mouse, keys, and a thumb that also scrolls.

import { newGesture } from "./state";

export interface Shape {
  label: string;
  /** What a hand moves through; more can be typed. */
  from?: number;
  to?: number;
  step?: number;
  /** Even moves are even factors. */
  log?: boolean;
  /** Words for the ends. */
  ends?: [string, string];
  /** Shown only while another setting has this value. */
  with?: [string, string];
}

const round = (value: number, step: number): number => Number((Math.round(value / step) * step).toPrecision(7));

// A finger that scrolls over a range, or taps beside its thumb, changes nothing: only one that goes sideways.
const finger = { x: 0, y: 0, sideways: true };
window.addEventListener(
  "pointerdown",
  (event) => Object.assign(finger, { x: event.clientX, y: event.clientY, sideways: event.pointerType !== "touch" }),
  true,
);
window.addEventListener(
  "pointermove",
  (event) => {
    const [across, along] = [Math.abs(event.clientX - finger.x), Math.abs(event.clientY - finger.y)];
    if (across > 6 && across > along) finger.sideways = true;
  },
  true,
);

interface RangeProps {
  label: string;
  shape: Shape;
  now: string;
  usual: string;
  whole?: boolean | undefined;
  onMove: (value: number) => void;
  onReset: () => void;
}

export function Range({ label, shape, now, usual, whole, onMove, onReset }: RangeProps) {
  const { from = 0, to = 1, step = 0.01, log } = shape;
  const place = (text: string): number => {
    const number = text === "full" ? to : Number(text);
    const inside = Math.min(to, Math.max(from, Number.isFinite(number) ? number : from));
    return log ? Math.log(inside / from) / Math.log(to / from) : (inside - from) / (to - from);
  };
  const at = (place: number): number => {
    const exact = log ? from * (to / from) ** place : from + place * (to - from);
    return Math.min(to, Math.max(from, round(exact, whole ? Math.max(1, step) : step)));
  };
  // Without a recipe nothing is set yet: all is as usual.
  const [thumb, notch] = [place(now || usual), place(usual)];
  return (
    <input
      class="range"
      type="range"
      min={0}
      max={1000}
      step={1}
      value={Math.round(1000 * thumb)}
      aria-label={label}
      aria-valuetext={now}
      style={{ "--thumb": thumb, "--notch": notch, "--low": Math.min(thumb, notch), "--high": Math.max(thumb, notch) }}
      onPointerDown={newGesture}
      onInput={(event) => {
        if (!finger.sideways) event.currentTarget.value = String(Math.round(1000 * thumb));
        else onMove(at(Number(event.currentTarget.value) / 1000));
      }}
      onKeyDown={(event) => {
        if (event.key === "Delete" || event.key === "Backspace") onReset();
        const moves: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
        const by = moves[event.key];
        if (by) {
          event.preventDefault();
          newGesture();
          const unit = whole ? Math.max(1, step) : step;
          const moved = round((now === "full" ? to : Number(now)) + by * unit, unit);
          onMove(Math.min(to, Math.max(from, moved)));
        }
      }}
    />
  );
}
