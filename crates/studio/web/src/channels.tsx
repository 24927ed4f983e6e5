// A layer's channels, those first that answer the photo most strongly, everywhere or at a place that one points
// at, as pictures of one's own photo; and the pointing.

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { failure, json, key } from "./api";
import { Picture, walk } from "./cards";
import { shares } from "./pointer";
import { gallery, layers, newGesture, recipe, say, start, startId } from "./state";
import { alone, inMix, mix, terms } from "./terms";
import type { Failure, Ranked, Term } from "./types";

/** The layer whose channels are shown; none shows the layers. */
export const channelsOf = signal<string | null>(null);
/** The place that is asked about, right and down in shares of the picture. */
export const place = signal<[number, number] | null>(null);
/** Whether the next click on the picture is the place. */
export const pointing = signal(false);
/** The channels whose small pictures are wanted. */
export const wanted = signal<[string, number][]>([]);

const ranking = signal<Ranked[] | null>(null);
const trouble = signal<Failure | null>(null);

/** How many are shown at first, and how many more at a time. */
const SHOWN = 24;

// Another photo or network has other answers.
let asked = "";
effect(() => {
  const layer = channelsOf.value;
  const [id, network, at] = [start.value?.id, recipe.value?.network, place.value];
  if (!layer || !id || !key.value) return;
  if (layers.value.length && !layers.value.some((known) => known.name === layer)) {
    channelsOf.value = null;
    return;
  }
  const query = new URLSearchParams({ layer, ...(at ? { x: String(at[0]), y: String(at[1]) } : {}) });
  const question = `${id} ${network} ${query}`;
  if (question === asked) return;
  asked = question;
  [ranking.value, trouble.value] = [null, null];
  json<Ranked[]>("GET", `/api/channels?${query}`).then(
    (list) => {
      if (asked === question) ranking.value = list;
    },
    (error: { failure?: Failure }) => {
      if (asked !== question) return;
      asked = "";
      trouble.value = error.failure ?? failure("lost", "The studio does not answer.");
    },
  );
});
effect(() => {
  void startId.value;
  place.value = null;
  pointing.value = false;
});

/** Asks what is seen at a place: in the layer that is shown, or the first that is dreamt of. */
function point(at: [number, number]): void {
  pointing.value = false;
  place.value = at;
  channelsOf.value ??= usualLayer();
  say(`Channels of ${channelsOf.value} at ${where(at)}`);
}

const usualLayer = (): string | null => terms().find((term) => term.layer)?.layer ?? layers.value.find((layer) => layer.default)?.name ?? layers.value[0]?.name ?? null;

const percent = (share: number): string => `${Math.round(100 * share)} %`;
const where = ([x, y]: [number, number]): string => `${percent(x)} across, ${percent(y)} down`;

/** The way to a place of the picture. */
export function Pointing() {
  if (start.value?.noise) return null;
  return (
    <button class="point" disabled={!start.value} aria-pressed={pointing.value} onClick={() => (pointing.value = !pointing.value)}>
      {pointing.value ? "Click on the picture…" : "What does it see here?"}
    </button>
  );
}

export function Channels({ layer }: { layer: string }) {
  const shown = useSignal(SHOWN);
  const number = useSignal("");
  const back = useRef<HTMLButtonElement>(null);
  const all = ranking.value ?? [];
  const most = Math.max(...all.map((one) => one.answer ?? 0), 1e-9);
  const fitting = number.value.trim() ? all.filter((one) => String(one.channel).startsWith(number.value.trim())) : all;
  const cards = fitting.slice(0, shown.value);
  const names = cards.map((one) => one.channel).join();
  useEffect(() => {
    wanted.value = cards.map((one): [string, number] => [layer, one.channel]);
    return () => (wanted.value = []);
  }, [layer, names]);
  useEffect(() => back.current?.focus(), [layer]);
  const quiet = all.filter((one) => one.answer !== null && one.answer <= 0).length;
  const term = (channel: number): Term => ({ layer, channels: [channel], weight: 1 });
  return (
    <section class="layers channels" aria-label={`Channels of ${layer}`}>
      <div class="head">
        <button ref={back} class="quiet" onClick={() => (channelsOf.value = null)}>
          ‹ Layers
        </button>
        <h2 class="mono" title={layer}>
          {layer}
        </h2>
      </div>
      <Pointing />
      <p class="note">
        {place.value ? (
          <>
            At {where(place.value)}.{" "}
            <button class="link" onClick={() => (place.value = null)}>
              Everywhere
            </button>
          </>
        ) : start.value?.noise ? (
          "By number: noise has nothing to be seen."
        ) : (
          "The strongest on this photo first."
        )}
      </p>
      <input
        class="filter"
        type="search"
        inputMode="numeric"
        placeholder="Number"
        aria-label="Filter channels by number"
        value={number.value}
        onInput={(event) => (number.value = event.currentTarget.value)}
      />
      {trouble.value && (
        <p class="why" role="alert">
          {trouble.value.detail} {trouble.value.ways_out[0]}
        </p>
      )}
      {!ranking.value && !trouble.value && <p class="note">Looking…</p>}
      <div class="cards scroll" role="group" aria-label={`Channels of ${layer}`} onKeyDown={walk}>
        {cards.map(({ channel, answer }) => {
          const name = `${layer}:${channel}`;
          const on = inMix(name);
          return (
            <div class="card" key={channel} data-name={name} data-on={Boolean(on)}>
              <button
                class="take"
                aria-pressed={Boolean(on)}
                title={`Channel ${channel}${answer === null ? "" : `, answers ${answer.toPrecision(3)}`}. Dream of it alone.`}
                onClick={() => {
                  newGesture();
                  alone(term(channel));
                }}
              >
                <Picture file={gallery.value.channels[name]} name={String(channel)} />
                <span class="name mono">
                  {channel}
                  {answer !== null && <meter class="answer" min={0} max={1} value={Math.max(0, answer) / most} aria-label="answers" />}
                </span>
              </button>
              {!(on && terms().length === 1) && (
                <button
                  class="corner mix"
                  aria-label={on ? `Leave channel ${channel} out of the mix` : `Add channel ${channel} to the mix`}
                  title={on ? "Out of the mix" : "Into the mix"}
                  onClick={() => {
                    newGesture();
                    mix(term(channel));
                  }}
                >
                  {on ? "−" : "+"}
                </button>
              )}
            </div>
          );
        })}
        {fitting.length > cards.length && (
          <button class="more" onClick={() => (shown.value += SHOWN)}>
            {Math.min(SHOWN, fitting.length - cards.length)} more
          </button>
        )}
      </div>
      <p class="count" role="status">
        {ranking.value ? `${cards.length} of ${all.length}${quiet ? `, ${quiet} silent here` : ""}` : ""}
        {ranking.value && fitting.length === 0 ? ": none has that number" : ""}
      </p>
    </section>
  );
}

/** The place on the picture: pointed at, or walked to by arrows and taken by Enter. */
export function Place() {
  const cross = useSignal<[number, number]>([0.5, 0.5]);
  const target = useRef<HTMLButtonElement>(null);
  const on = pointing.value;
  useEffect(() => {
    if (on) target.current?.focus();
  }, [on]);
  const inside = (share: number): number => Math.min(0.999, Math.max(0, share));
  const under = (event: MouseEvent): [number, number] => {
    const [x, y] = shares(event);
    return [inside(x), inside(y)];
  };
  const at = on ? cross.value : place.value;
  const shown = on || (at && channelsOf.value);
  return (
    <>
      {shown && at && <i class="cross" style={{ left: `${100 * at[0]}%`, top: `${100 * at[1]}%` }} />}
      {on && (
        <button
          ref={target}
          class="pointing"
          aria-label={`A place of the picture, ${where(cross.value)}. Arrows move it, Enter takes it.`}
          onPointerMove={(event) => (cross.value = under(event))}
          onClick={(event) => {
            // A key has no place of its own.
            if (event.detail > 0) cross.value = under(event);
            point(cross.value);
          }}
          onKeyDown={(event) => {
            const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
            if (event.key === "Escape") pointing.value = false;
            else if (by) cross.value = [inside(cross.value[0] + 0.02 * by[0]!), inside(cross.value[1] + 0.02 * by[1]!)];
            else return;
            event.preventDefault();
            event.stopPropagation();
          }}
        />
      )}
    </>
  );
}
