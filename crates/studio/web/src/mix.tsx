// What the dream is made of, how much each part counts, and classes by name.

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { json, key } from "./api";
import { Range } from "./range";
import { newGesture, recipe, say, start } from "./state";
import { alone, leave, mix, setObjective, termName, terms } from "./terms";
import type { Term } from "./types";

/** The names of the network's classes; none is known before they are asked for. */
const classes = signal<string[] | null>(null);
let classesOf = "";
effect(() => {
  const network = recipe.value?.network;
  if (!network || network === classesOf || !key.value) return;
  classesOf = network;
  classes.value = null;
  json<string[]>("GET", `/api/classes?name=${encodeURIComponent(network)}`).then(
    (list) => {
      if (classesOf === network) classes.value = list;
    },
    () => (classesOf = ""),
  );
});

/** The terms that are dreamt of, and a way to find more. */
export function Mix() {
  const view = recipe.value;
  if (!view) return null;
  return (
    <details class="group" open>
      <summary>
        It dreams of<span class="count">{view.objective.length}</span>
      </summary>
      <fieldset disabled={!start.value}>
        <legend class="hidden">What it dreams of</legend>
        {view.objective.map((term, index) => (
          <Row key={index} term={term} index={index} name={view.names[index] ?? termName(term)} />
        ))}
        <Classes />
      </fieldset>
    </details>
  );
}

function Row({ term, index, name }: { term: Term; index: number; name: string }) {
  const several = terms().length > 1;
  const weigh = (weight: number): void => setObjective(terms().map((other, at) => (at === index ? { ...other, weight } : other)));
  return (
    <div class="knob term">
      <span class={term.class === undefined ? "mono what" : "what"} title={name}>
        {name}
        {term.class !== undefined && <small> class</small>}
        {term.guides?.length ? <small> guided</small> : null}
      </span>
      <span class="with">
        <output>{term.weight}</output>
        {several && (
          <>
            <button
              title={`Only ${name}`}
              aria-label={`Only ${name}`}
              onClick={() => {
                newGesture();
                alone(term);
              }}
            >
              only
            </button>
            <button
              class="icon"
              title="Leave it out"
              aria-label={`Leave out ${name}`}
              onClick={() => {
                newGesture();
                leave(index);
              }}
            >
              ×
            </button>
          </>
        )}
      </span>
      {(several || term.weight !== 1) && (
        <>
          <Range
            label={`Weight of ${name}`}
            shape={{ label: name, from: -2, to: 8, step: 0.1 }}
            now={String(term.weight)}
            usual="1"
            onMove={weigh}
            onReset={() => weigh(1)}
          />
          {term.weight < 0 && <span class="ends">calms</span>}
        </>
      )}
    </div>
  );
}

/** How many classes are offered at once. */
const OFFERED = 8;

/** The classes whose names have all these words: first names that are just that, then whole words, then beginnings of words. */
function found(text: string): [number, string][] {
  const wanted = text.trim().toLowerCase().replaceAll("_", " ");
  if (!wanted) return [];
  const words = wanted.split(/\s+/);
  const rank = (label: string): number => {
    const name = label.toLowerCase();
    if (name.split(/,\s*/).includes(wanted)) return 0;
    const its = name.split(/[^\p{L}\p{N}]+/u);
    if (words.every((word) => its.includes(word))) return 1;
    return words.every((word) => its.some((one) => one.startsWith(word))) ? 2 : 3;
  };
  const all = (classes.value ?? []).map((label, number): [number, string] => [number, label]);
  const fitting = all.filter(([, label]) => words.every((word) => label.toLowerCase().includes(word)));
  return fitting.sort((a, b) => rank(a[1]) - rank(b[1]) || a[0] - b[0]);
}

function Classes() {
  const id = useId();
  const text = useSignal("");
  const at = useSignal(0);
  const open = useSignal(false);
  /** Whether more than the first are offered. */
  const every = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const more = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const all = classes.value;
  // The panel scrolls: what is offered is not to be under its edge.
  useEffect(() => {
    if (open.value && text.value) (more.current ?? list.current)?.scrollIntoView({ block: "nearest" });
  }, [text.value, open.value]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at.value]);
  if (all && all.length === 0) return <p class="note">This network's classes have no names.</p>;
  const fitting = found(text.value);
  const offered = every.value ? fitting : fitting.slice(0, OFFERED);
  const shown = open.value && text.value.trim() !== "";
  const take = (number: number, label: string): void => {
    newGesture();
    const term: Term = { class: number, weight: 1 };
    if (terms().some((other) => other.class === number)) say(`${label} is in the mix already.`);
    else mix(term);
    [text.value, at.value, open.value] = ["", 0, false];
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : -1;
      open.value = true;
      at.value = Math.max(0, Math.min(offered.length - 1, at.value + by));
    } else if (event.key === "Enter" && shown && offered[at.value]) {
      event.preventDefault();
      take(...offered[at.value]!);
    } else if (event.key === "Escape" && text.value) {
      event.stopPropagation();
      [text.value, open.value] = ["", false];
    }
  };
  return (
    <div class="classes">
      <label for={id} class="hidden">
        Add a thing by its name
      </label>
      <input
        ref={field}
        id={id}
        class="filter"
        type="search"
        role="combobox"
        list={undefined}
        placeholder={all ? "Add a thing: castle, tabby…" : "Names are coming in…"}
        autocomplete="off"
        spellcheck={false}
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown && offered[at.value] ? `${id}-${offered[at.value]![0]}` : undefined}
        value={text.value}
        onInput={(event) => {
          [text.value, at.value, open.value, every.value] = [event.currentTarget.value, 0, true, false];
        }}
        onFocus={() => (open.value = true)}
        onBlur={(event) => (open.value = event.relatedTarget === more.current && more.current !== null)}
        onKeyDown={keys}
      />
      <ul ref={list} id={`${id}-list`} role="listbox" aria-label="Things" class="options" hidden={!shown}>
        {offered.map(([number, label], index) => {
          const [first, ...others] = label.split(/,\s*/);
          return (
            <li
              key={number}
              id={`${id}-${number}`}
              role="option"
              aria-selected={index === at.value}
              // Before the field loses its focus.
              onPointerDown={(event) => {
                event.preventDefault();
                take(number, label);
              }}
            >
              {first}
              {others.length > 0 && <small> {others.join(", ")}</small>}
            </li>
          );
        })}
        {shown && all && fitting.length === 0 && (
          <li class="none" role="option" aria-disabled="true" aria-selected="false">
            The network knows no “{text.value.trim()}”. It was taught {all.length} things: animals, plants, places, objects.
          </li>
        )}
      </ul>
      {shown && fitting.length > offered.length && (
        <button
          ref={more}
          class="rest"
          // The field keeps its focus, and with it what is offered.
          onPointerDown={(event) => event.preventDefault()}
          onBlur={(event) => (open.value = event.relatedTarget === field.current)}
          onClick={() => {
            every.value = true;
            field.current?.focus();
          }}
        >
          {fitting.length - offered.length} more
        </button>
      )}
    </div>
  );
}

