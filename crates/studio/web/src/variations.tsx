// Variations: four dreams that differ in their seeds, growing together on the stage.

import { useEffect, useRef } from "preact/hooks";
import { key, request } from "./api";
import { fail, newGesture, part, phase, recipe, say, start } from "./state";
import type { Failure } from "./types";

interface State {
  run: number;
  first: number;
  tiles: { seed: number; share: number; frame: number; failure: Failure | null }[];
}

export const variations = part<State | null>("variations", null);

/** Shows four more. */
export function vary(): void {
  if (!start.value || phase.value === "empty") return;
  const first = variations.value ? variations.value.first + variations.value.tiles.length : 1;
  request("POST", "/api/variations", { first }).then(() => say("Four variations grow."), fail);
}

export function noVariations(): void {
  request("DELETE", "/api/variations").catch(fail);
}

export function takeVariation(number: number): void {
  if (!variations.value?.tiles[number]) return;
  newGesture();
  request("POST", `/api/variations/${number}/take`).catch(fail);
}

export function Variations() {
  const all = variations.value;
  const box = useRef<HTMLDivElement>(null);
  const shown = Boolean(all);
  useEffect(() => {
    if (shown) box.current?.querySelector<HTMLElement>("button")?.focus();
  }, [shown, all?.first]);
  if (!all || !start.value) return null;
  const base = BigInt(recipe.value?.values["seed"] ?? "0");
  const seed = (by: number): string => String((base + BigInt(by)) % 2n ** 63n);
  return (
    <div class="variations" role="group" aria-label="Variations" ref={box}>
      <div class="four">
        {all.tiles.map((tile, number) => (
          <button key={number} onClick={() => takeVariation(number)} aria-label={`Take variation ${number + 1}, seed ${seed(tile.seed)}`}>
            {tile.frame > 0 && <img src={`/files/${key.value}/variation/${number}?f=${all.run}-${tile.frame}`} alt="" draggable={false} />}
            <span class="chip">
              <kbd>{number + 1}</kbd> seed {seed(tile.seed)}
            </span>
            {tile.failure && <span class="why">{tile.failure.detail}</span>}
            <i class="grown" style={{ width: `${100 * tile.share}%` }} />
          </button>
        ))}
      </div>
      <p class="tools">
        <button onClick={vary} title="Four more (V)">
          Four more
        </button>
        <button onClick={noVariations} title="Esc">
          None of these
        </button>
      </p>
    </div>
  );
}
