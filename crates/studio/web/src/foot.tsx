// What stands below the stage: undo, what the dream is compared with, its view and its size.

import { renderOpen } from "./behind";
import { against, compare } from "./compare";
import { cardOf, compareWith, parentOf } from "./history";
import { Save } from "./save";
import { actualSize, fit, held, nextSurround, surround, zoom } from "./stage";
import { act, desk, phase, start, undo } from "./state";
import { vary } from "./variations";

export function Foot() {
  const has = Boolean(start.value);
  const photo = has && !start.value?.noise;
  return (
    <footer class="foot">
      <button disabled={!desk.value?.undo} onClick={() => undo(false)} title="Undo (Z)">
        Undo
      </button>
      <button disabled={!desk.value?.redo} onClick={() => undo(true)} title="Redo (Shift Z)">
        Redo
      </button>
      <span class="bars" />
      <span class="segments" role="group" aria-label="Compare">
        {(["off", "split", "side"] as const).map((mode) => (
          <button key={mode} disabled={!photo && !against.value} aria-pressed={compare.value === mode} onClick={() => (compare.value = mode)}>
            {{ off: "Dream", split: "Split", side: "Side by side" }[mode]}
          </button>
        ))}
      </span>
      <Against />
      <button
        class="hold"
        disabled={!photo}
        aria-pressed={held.value}
        title="Hold for the original (\)"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          held.value = true;
        }}
        onPointerUp={() => (held.value = false)}
        onPointerCancel={() => (held.value = false)}
        onKeyDown={(event) => {
          if (event.key === " " || event.key === "Enter") held.value = true;
        }}
        onKeyUp={() => (held.value = false)}
        onBlur={() => (held.value = false)}
      >
        Original
      </button>
      <span class="view">
        <button disabled={!has} onClick={fit} title="Fit (0)" aria-pressed={zoom.value === 1}>
          Fit
        </button>
        <button disabled={!has} onClick={actualSize} title="100 % (1)">
          100 %
        </button>
        <button class="swatch" data-surround={surround.value} aria-label={`Surround: ${surround.value}`} title={`Surround: ${surround.value} (B)`} onClick={nextSurround} />
      </span>
      <span class="space" />
      <Size />
      <button class="on" disabled={!has} title="Four other seeds (V)" onClick={vary}>
        Variations
      </button>
      <button
        class="on"
        disabled={phase.value !== "done"}
        title="The dream becomes the photo of the next one (D)"
        onClick={() => act("/api/dream/on")}
      >
        Dream on
      </button>
      <Save />
      <button class="on" disabled={!has} title="At any size, or as a movie (R)" onClick={() => (renderOpen.value = "picture")}>
        Render…
      </button>
    </footer>
  );
}

/** What the dream is compared with, where that may be something else than the photo. */
function Against() {
  const parent = parentOf();
  const other = against.value;
  if (compare.value === "off" || (!parent && !other)) return null;
  return (
    <select aria-label="Compare with" value={other ?? ""} onChange={(event) => compareWith(event.currentTarget.value || null)}>
      {!start.value?.noise && <option value="">with the original</option>}
      {parent && <option value={parent}>with what it came from</option>}
      {other && other !== parent && <option value={other}>with {cardOf(other)?.title ?? "a card"}</option>}
    </select>
  );
}

/** How large the dream is made: its figures stay where they are. */
function Size() {
  const picture = start.value;
  if (!picture || picture.noise) return null;
  const own = Math.max(picture.width, picture.height);
  const now = Math.min(desk.value?.longest ?? own, own);
  const sides = [640, 1280, 1920, 2560].filter((side) => side < own);
  const pixels = (longest: number): string => {
    const scale = longest / own;
    return `${Math.round(picture.width * scale)} × ${Math.round(picture.height * scale)}`;
  };
  if (sides.length === 0) return null;
  if (!sides.includes(now) && now !== own) sides.push(now);
  return (
    <>
      <label for="size" class="label">
        size
      </label>
      <select
        id="size"
        aria-label="Size of the dream"
        value={String(now)}
        onChange={(event) => act("/api/dream/size", { longest: Number(event.currentTarget.value) })}
      >
        {sides.map((side) => (
          <option key={side} value={String(side)}>
            {pixels(side)}
          </option>
        ))}
        <option value={String(own)}>{pixels(own)}, the photo's own</option>
      </select>
    </>
  );
}
