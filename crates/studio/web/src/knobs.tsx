// Knobs: the form of the recipe. What the server's settings say is made into ranges, switches and choices; a
// table here gives the common ones their place, their words and a range that suits a hand.

import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { change, desk, form, newGesture, recipe, set, start, takenBack, value } from "./state";
import { Guides } from "./guide";
import { Mask } from "./mask";
import { Mix } from "./mix";
import { Range } from "./range";
import type { Shape } from "./range";
import type { Setting } from "./types";

const FIRST: Record<string, Shape> = {
  "ascent.strength": { label: "Strength", from: 0, to: 3, step: 0.05, ends: ["calm", "wild"] },
  "finish.mix": { label: "Mix", from: 0, to: 1.5, step: 0.05, ends: ["photo", "dream"] },
  "octaves.anchor": { label: "Figures", from: 224, to: 1600, step: 16, log: true, ends: ["large", "small"] },
  "ascent.iterations": { label: "Steps", from: 1, to: 100, step: 1, log: true },
  "ascent.chroma": { label: "Colour", from: 0, to: 2, step: 0.05, ends: ["the photo's", "loud"] },
};

const GROUPS: [string, Record<string, Shape>][] = [
  [
    "Octaves",
    {
      "octaves.count": { label: "Octaves", from: 1, to: 12, step: 1 },
      "octaves.scale": { label: "Scale between them", from: 1.1, to: 2, step: 0.05 },
      "octaves.detail": { label: "Detail" },
      "octaves.detail.blend.share": { label: "The photo's share", from: 0, to: 1, step: 0.05, with: ["octaves.detail", "blend"] },
      "octaves.blur": { label: "Blur before shrinking", from: 0, to: 4, step: 0.1 },
      "octaves.filter": { label: "Filter" },
    },
  ],
  [
    "Climb",
    {
      "ascent.step": { label: "Length of a step", from: 0.005, to: 8, step: 0.005, log: true },
      "ascent.optimiser": { label: "Optimiser" },
      "ascent.optimiser.adam.betas": { label: "Adam's memory", with: ["ascent.optimiser", "adam"] },
      "ascent.parametrisation": { label: "What is moved" },
      "ascent.bound": { label: "Bound" },
      "ascent.normalisation": { label: "Gradient divided by" },
      "ascent.normalisation.laplacian.levels": {
        label: "Levels of the pyramid",
        from: 1,
        to: 8,
        step: 1,
        with: ["ascent.normalisation", "laplacian"],
      },
      "ascent.smoothing": { label: "Smoothing", from: 0, to: 4, step: 0.1 },
      "ascent.smoothing_growth": { label: "Growth of smoothing", from: 0, to: 8, step: 0.1 },
      "ascent.by_depth": { label: "Steps by depth" },
      "ascent.refine": { label: "Steps above the anchor", from: 0, to: 2, step: 0.05 },
    },
  ],
  [
    "Colour at the end",
    {
      "finish.levels": { label: "Levels of the photo", from: 0, to: 1, step: 0.05 },
      "finish.saturation": { label: "Saturation", from: 0, to: 3, step: 0.05 },
      "finish.contrast": { label: "Contrast", from: 0, to: 3, step: 0.05 },
    },
  ],
  [
    "Held against it",
    {
      "penalty.pull": { label: "Pull to the photo", from: 0, to: 5, step: 0.1 },
      "penalty.tv": { label: "Against grain", from: 0, to: 2, step: 0.05 },
      "penalty.blur": { label: "Against sharp edges", from: 0, to: 0.5, step: 0.01 },
      "penalty.of": { label: "Measured on" },
      "penalty.tv_exponent": { label: "Exponent against grain", from: 1, to: 4, step: 0.1 },
      "penalty.pull_exponent": { label: "Exponent of the pull", from: 1, to: 4, step: 0.1 },
      "penalty.blur_width": { label: "Width of that blur", from: 0.1, to: 8, step: 0.1 },
    },
  ],
  [
    "Movement, tiles",
    {
      "ascent.jitter": { label: "Jitter", from: 0, to: 128, step: 1 },
      "ascent.wobble.angle": { label: "Wobble, degrees", from: 0, to: 45, step: 1 },
      "ascent.wobble.scale": { label: "Wobble, scale" },
      tiles: { label: "Tiles" },
      "tiles.rolled.size": { label: "Size of a tile", from: 64, to: 1024, step: 8, with: ["tiles", "rolled"] },
      "tiles.scattered.size": { label: "Size of a tile", from: 64, to: 1024, step: 8, with: ["tiles", "scattered"] },
      subtract_mean: { label: "Subtract the mean" },
    },
  ],
];

const PLACED = new Set(["seed", ...Object.keys(FIRST), ...GROUPS.flatMap(([, group]) => Object.keys(group))]);

const settings = (): Map<string, Setting> => new Map(form.value?.settings.map((setting) => [setting.path, setting]));

export function Knobs() {
  const all = settings();
  const view = recipe.value;
  const more = [...all.values()].filter((setting) => !PLACED.has(setting.path));
  const changed = new Set(view?.changed);
  const count = changed.size + (view?.own_objective ? 1 : 0);
  const known = (shapes: Record<string, Shape>): [Setting, Shape][] =>
    Object.entries(shapes).flatMap(([path, shape]) => {
      const setting = all.get(path);
      if (!setting || (shape.with && value(shape.with[0]) !== shape.with[1])) return [];
      return [[setting, shape] as [Setting, Shape]];
    });
  return (
    <section class="knobs" aria-label="Knobs">
      <div class="scroll">
        <fieldset class="first" disabled={!start.value}>
          <legend class="hidden">The first knobs</legend>
          {known(FIRST).map(([setting, shape]) => (
            <Knob key={setting.path} setting={setting} shape={shape} />
          ))}
          {all.has("ascent.chroma") && <KeepColours />}
          {all.has("seed") && <Seed />}
        </fieldset>
        <Mix />
        <Guides />
        <Mask />
        {GROUPS.map(([name, shapes]) => (
          <Group key={name} name={name} knobs={known(shapes)} changed={changed} />
        ))}
        {more.length > 0 && <Group name="More" knobs={more.map((setting) => [setting, { label: setting.path }])} changed={changed} />}
      </div>
      <footer class="changed">
        <span>{count === 0 ? "As the look has it" : `${count} changed`}</span>
        <button
          disabled={count === 0}
          onClick={() => {
            newGesture();
            change({ reset: { path: "" } });
          }}
        >
          Reset
        </button>
      </footer>
    </section>
  );
}

/** The colours that people look for a switch for: a dream without colour of its own has the photo's. */
function KeepColours() {
  const id = useId();
  const chroma = value("ascent.chroma");
  const usual = recipe.value?.usual["ascent.chroma"] ?? "1";
  return (
    <div class="knob row">
      <label for={id}>Keep the photo's colours</label>
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={Number(chroma) === 0}
        onChange={(event) => {
          newGesture();
          set("ascent.chroma", event.currentTarget.checked ? 0 : Number(usual) || 1);
        }}
      />
    </div>
  );
}

function Group({ name, knobs, changed }: { name: string; knobs: [Setting, Shape][]; changed: Set<string> }) {
  const own = knobs.filter(([setting]) => changed.has(setting.path)).length;
  return (
    <details class="group">
      <summary>
        {name}
        {own > 0 && <span class="count">{own}</span>}
      </summary>
      <fieldset disabled={!start.value}>
        <legend class="hidden">{name}</legend>
        {knobs.map(([setting, shape]) => (
          <Knob key={setting.path} setting={setting} shape={shape} />
        ))}
      </fieldset>
    </details>
  );
}

/** The refusal of the last change, if it is about this setting. */
const refusal = (path: string): string | null => {
  const failure = desk.value?.refused;
  return failure?.knob === path && !takenBack.value ? failure.detail : null;
};

function Knob({ setting, shape }: { setting: Setting; shape: Shape }) {
  const id = useId();
  const { path, kind } = setting;
  const now = value(path) ?? "";
  const usual = recipe.value?.usual[path] ?? setting.default;
  const isChanged = recipe.value?.changed.includes(path) ?? false;
  const why = refusal(path);
  const reset = (): void => {
    newGesture();
    change({ reset: { path } });
  };
  const label = (
    <label for={id} title={`${setting.about} Default: ${usual}.`} onDblClick={reset}>
      {isChanged && <span class="dot" title="Changed" />}
      {shape.label}
    </label>
  );
  const under = (
    <>
      <code class="path">{path}</code>
      {why && (
        <p class="why" id={`${id}-why`}>
          {why}
        </p>
      )}
    </>
  );
  if (kind === "switch") {
    return (
      <div class="knob row">
        {label}
        <input
          id={id}
          type="checkbox"
          role="switch"
          checked={now === "true"}
          onChange={(event) => {
            newGesture();
            set(path, event.currentTarget.checked);
          }}
        />
        {under}
      </div>
    );
  }
  if (kind === "choice") {
    return (
      <div class="knob row">
        {label}
        <select
          id={id}
          value={now}
          onChange={(event) => {
            newGesture();
            set(path, event.currentTarget.value);
          }}
        >
          {setting.choices?.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
        {under}
      </div>
    );
  }
  const typed = (
    <Typed
      id={id}
      path={path}
      now={now}
      describedBy={why ? `${id}-why` : undefined}
      onSet={(text) => {
        newGesture();
        set(path, text);
      }}
    />
  );
  if (kind !== "number" || shape.from === undefined || shape.to === undefined) {
    return (
      <div class="knob row">
        {label}
        {typed}
        {under}
      </div>
    );
  }
  return (
    <div class="knob">
      {label}
      {typed}
      <Range label={shape.label} shape={shape} now={now} usual={usual} whole={setting.whole} onMove={(moved) => set(path, moved)} onReset={reset} />
      {shape.ends && (
        <span class="ends" aria-hidden="true">
          <span>{shape.ends[0]}</span>
          <span>{shape.ends[1]}</span>
        </span>
      )}
      {under}
    </div>
  );
}

/** A value that is typed in its place. */
function Typed(props: { id: string; path: string; now: string; describedBy?: string | undefined; onSet: (text: string) => void }) {
  const draft = useSignal<string | null>(null);
  const done = (): void => {
    const text = draft.value?.trim();
    draft.value = null;
    if (text && text !== props.now) props.onSet(text);
    else if (text) takenBack.value = true;
  };
  return (
    <input
      id={props.id}
      class="typed"
      type="text"
      inputMode={/^-?[\d.]*$/.test(props.now) ? "decimal" : "text"}
      spellcheck={false}
      autocomplete="off"
      value={draft.value ?? props.now}
      aria-describedby={props.describedBy}
      aria-invalid={props.describedBy ? true : undefined}
      onInput={(event) => (draft.value = event.currentTarget.value)}
      onBlur={done}
      onKeyDown={(event) => {
        if (event.key === "Enter") done();
        if (event.key === "Escape") draft.value = null;
      }}
    />
  );
}

export function nextSeed(by: number): void {
  const now = value("seed");
  if (now === undefined) return;
  newGesture();
  // Seeds may be larger than a number can say exactly.
  const most = 2n ** 63n;
  set("seed", ((BigInt(now) + BigInt(by) + most) % most).toString());
}

function rollSeed(): void {
  newGesture();
  set("seed", String(Math.floor(Math.random() * 10000)));
}

function Seed() {
  const id = useId();
  return (
    <div class="knob row seed">
      <label for={id}>
        {recipe.value?.changed.includes("seed") && <span class="dot" title="Changed" />}
        Seed
      </label>
      <span class="with">
        <Typed
          id={id}
          path="seed"
          now={value("seed") ?? ""}
          onSet={(text) => {
            newGesture();
            set("seed", text);
          }}
        />
        <button aria-label="Another seed" title="Another seed" onClick={rollSeed}>
          ⚂
        </button>
      </span>
      <code class="path">seed</code>
    </div>
  );
}
