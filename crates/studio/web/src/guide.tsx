// Guides: pictures whose forms the dream takes, and what of each is looked at.

import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import { asset, request } from "./api";
import { Choose, PICTURES } from "./choose";
import { shares } from "./pointer";
import { Range } from "./range";
import { change, fail, newGesture, recipe, say, set, start, value } from "./state";
import { isLayer, pickOf, setObjective, terms } from "./terms";
import type { Asset, Guide, Pick } from "./types";

type Part = [number, number, number, number];

const WHOLE: Part = [0, 0, 1, 1];

/** Keeps a picture under its hash, so that recipes can name it. */
export async function keep(file: Blob, name: string): Promise<Asset> {
  return (await request("POST", `/api/assets?name=${encodeURIComponent(name)}`, file)).json() as Promise<Asset>;
}

/** Has the dream look to a picture. */
export async function addGuide(file: File): Promise<void> {
  try {
    const { id, name } = await keep(file, file.name || "guide");
    newGesture();
    change({ guide: { id, name } });
    say(`The dream looks to ${name}.`);
  } catch (error) {
    fail(error);
  }
}

export function Guides() {
  const guides = Object.entries(recipe.value?.guides ?? {});
  const busy = useSignal(false);
  const add = async (file: File): Promise<void> => {
    busy.value = true;
    await addGuide(file);
    busy.value = false;
  };
  const used = terms().some((term) => term.guides?.length);
  return (
    <details class="group guides" open={guides.length > 0}>
      <summary>
        Guide
        {guides.length > 0 && <span class="count">{guides.length}</span>}
      </summary>
      <fieldset disabled={!start.value}>
        <legend class="hidden">Guide</legend>
        {guides.length > 0 && !terms().some(isLayer) && <p class="note">Whole layers look to a guide, and none is in use: it does not count now.</p>}
        {guides.map(([name, guide]) => (
          <One key={guide.sha256} name={name} guide={guide} />
        ))}
        {guides.length > 0 && used && <Follow />}
        {guides.length === 0 && <p class="note">The dream takes the forms of another picture: petals, strokes, feathers.</p>}
        <Choose
          class="zone"
          label={busy.value ? "It is coming in…" : guides.length ? "Another guide…" : "Choose a guide, or drop it here"}
          name="Choose a guide"
          accept={PICTURES}
          onFile={(file) => void add(file)}
        />
      </fieldset>
    </details>
  );
}

function Follow() {
  const id = useId();
  const ways: [Pick, string][] = [
    ["match", "what is most like it"],
    ["average", "all of the guide"],
    ["place", "the same place"],
  ];
  return (
    <div class="knob row">
      <label for={id}>Each place follows</label>
      <select
        id={id}
        value={pickOf()}
        onChange={(event) => {
          const pick = event.currentTarget.value as Pick;
          newGesture();
          setObjective(terms().map((term) => (term.guides?.length ? { ...term, pick } : term)));
        }}
      >
        {ways.map(([pick, words]) => (
          <option key={pick} value={pick}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

function One({ name, guide }: { name: string; guide: Guide }) {
  const path = `guides.${name}`;
  const part = guide.part ?? null;
  const cut = (to: Part | null): void => {
    newGesture();
    set(`${path}.part`, to ? `[${to.map((share) => share.toFixed(3)).join(", ")}]` : "none");
  };
  return (
    <div class="guide">
      <Rectangle guide={guide} part={part ?? WHOLE} onCut={cut} />
      <p class="what">
        <span class="name" title={guide.file}>
          {guide.file}
        </span>
        <button disabled={!part} onClick={() => cut(null)}>
          All of it
        </button>
        <button
          class="icon"
          aria-label={`Leave out the guide ${guide.file}`}
          title="Leave it out"
          onClick={() => {
            newGesture();
            change({ unguide: { name } });
          }}
        >
          ×
        </button>
      </p>
      <Sides part={part ?? WHOLE} onCut={cut} what={guide.file} />
      <div class="knob">
        <span>Size of its forms</span>
        <output>{value(`${path}.size`) ?? guide.size} px</output>
        <Range
          label={`Size of the forms of ${guide.file}`}
          shape={{ label: "Size", from: 64, to: 640, step: 16, log: true }}
          now={value(`${path}.size`) ?? String(guide.size)}
          usual="224"
          whole
          onMove={(size) => set(`${path}.size`, size)}
          onReset={() => set(`${path}.size`, 224)}
        />
      </div>
    </div>
  );
}

/** A part between two points, inside, and never so small that it could not be seen. */
function between(a: [number, number], b: [number, number]): Part | null {
  const inside = (share: number): number => Math.min(1, Math.max(0, share));
  const [left, right] = [inside(Math.min(a[0], b[0])), inside(Math.max(a[0], b[0]))];
  const [top, bottom] = [inside(Math.min(a[1], b[1])), inside(Math.max(a[1], b[1]))];
  return right - left < 0.03 || bottom - top < 0.03 ? null : [left, top, right - left, bottom - top];
}

/** The guide, with the part that is looked at; dragging chooses another. */
function Rectangle({ guide, part, onCut }: { guide: Guide; part: Part; onCut: (part: Part | null) => void }) {
  const draft = useSignal<Part | null>(null);
  const from = useRef<[number, number] | null>(null);
  const [left, top, width, height] = draft.value ?? part;
  const whole = width > 0.999 && height > 0.999;
  const at = (share: number): string => `${100 * share}%`;
  return (
    <div
      class="look"
      title="Drag over the part that counts"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = shares(event);
      }}
      onPointerMove={(event) => {
        if (from.current) draft.value = between(from.current, shares(event)) ?? draft.value;
      }}
      onPointerUp={() => {
        if (draft.value) onCut(draft.value);
        [from.current, draft.value] = [null, null];
      }}
      onPointerCancel={() => {
        [from.current, draft.value] = [null, null];
      }}
    >
      <img src={asset(guide.sha256, "jpg")} alt={`The guide ${guide.file}`} draggable={false} />
      {!whole && <i class="part" style={{ left: at(left), top: at(top), width: at(width), height: at(height) }} />}
    </div>
  );
}

/** The same by numbers, in percent. */
function Sides({ part, onCut, what }: { part: Part; onCut: (part: Part | null) => void; what: string }) {
  const names = ["left", "top", "width", "height"] as const;
  const change = (index: number, percent: number): void => {
    const next = [...part] as Part;
    next[index] = Math.min(1, Math.max(index < 2 ? 0 : 0.03, percent / 100));
    const [left, top, width, height] = next;
    const [x, y] = [Math.min(left, 0.97), Math.min(top, 0.97)];
    const cut: Part = [x, y, Math.min(width, 1 - x), Math.min(height, 1 - y)];
    onCut(cut[2] > 0.999 && cut[3] > 0.999 ? null : cut);
  };
  return (
    <div class="sides" role="group" aria-label={`The part of ${what} that counts, in percent`}>
      {names.map((name, index) => (
        <label key={name}>
          {name}
          <input
            type="number"
            min={0}
            max={100}
            step={1}
            value={Math.round(100 * part[index]!)}
            onChange={(event) => change(index, event.currentTarget.valueAsNumber || 0)}
          />
        </label>
      ))}
    </div>
  );
}
