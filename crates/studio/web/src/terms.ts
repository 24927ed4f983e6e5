// What the dream is made of: terms of the recipe's objective, as cards and rows change them.

import { change, recipe } from "./state";
import type { Pick, Term } from "./types";

/** What a term is about and where, so that terms can be told apart. */
export const termName = (term: Term): string => {
  const region = term.region === undefined ? "" : `@${term.region}`;
  if (term.class !== undefined) return `class ${term.class}${region}`;
  const channels = Array.isArray(term.channels) ? `:${term.channels.join("+")}` : term.channels ? `:${term.channels}` : "";
  return `${term.layer ?? ""}${channels}${region}`;
};

export const terms = (): Term[] => recipe.value?.objective ?? [];

export function setObjective(terms: Term[]): void {
  change({ set: { path: "objective", value: terms } });
}

/** Whether a term is about a whole layer, which can look to guides. */
export const isLayer = (term: Term): boolean => term.class === undefined && term.channels === undefined && !term["vector"] && !term["at"];

/** A layer that counts once; it looks to the recipe's guides, as those in use do. */
export function ofLayer(layer: string): Term {
  const guides = Object.keys(recipe.value?.guides ?? {});
  if (guides.length === 0) return { layer, weight: 1 };
  const pick = terms().find((term) => term.pick)?.pick;
  return { layer, guides, ...(pick ? { pick } : {}), weight: 1 };
}

/** How the layers in use follow their guides. */
export const pickOf = (): Pick => terms().find((term) => term.guides?.length)?.pick ?? "match";

export const inMix = (name: string): Term | undefined => terms().find((term) => termName(term) === name);

/** Leaves a term out, by its place. */
export function leave(index: number): void {
  setObjective(terms().filter((_, at) => at !== index));
}

/** Dreams of this alone. */
export function alone(term: Term): void {
  setObjective([{ ...term, weight: 1 }]);
}

/** Takes a term into the mix, or out of it if it is there and not the only one. */
export function mix(term: Term): void {
  const name = termName(term);
  const rest = terms().filter((other) => termName(other) !== name);
  if (rest.length === terms().length) setObjective([...rest, term]);
  else if (rest.length > 0) setObjective(rest);
}
