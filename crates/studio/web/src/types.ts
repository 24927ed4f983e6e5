// What the server says, as it says it.

export interface Start {
  id: string;
  name: string;
  width: number;
  height: number;
  noise: boolean;
}

export interface Term {
  layer?: string;
  class?: string | number;
  channels?: unknown;
  weight: number;
  [more: string]: unknown;
}

export interface RecipeView {
  network: string;
  look: string;
  title: string;
  values: Record<string, string>;
  usual: Record<string, string>;
  changed: string[];
  objective: Term[];
  own_objective: boolean;
}

export interface Failure {
  fault: string;
  detail: string;
  ways_out: string[];
  knob: string | null;
  value: string | null;
}

export interface Desk {
  rev: number;
  start: Start | null;
  recipe: RecipeView | null;
  undo: number;
  redo: number;
  longest: number;
  refused: Failure | null;
}

export type Phase = "empty" | "dreaming" | "paused" | "stopped" | "done" | "refused";

export interface Step {
  octave: number;
  octaves: number;
  step: number;
  steps: number;
  done: number;
  total: number;
  width: number;
  height: number;
}

export interface Dream {
  rev: number;
  phase: Phase;
  step: Step;
  octaves: number[];
  seconds: number;
  left: number | null;
  frame: number;
  failure: Failure | null;
  size: [number, number] | null;
}

export interface Gallery {
  layers: Record<string, string | false>;
  looks: Record<string, string | false>;
}

export interface Setting {
  path: string;
  about: string;
  default: string;
  kind: "number" | "switch" | "choice" | "text";
  least?: number;
  most?: number;
  whole?: boolean;
  choices?: string[];
}

export interface Look {
  name: string;
  about: string;
}

export interface Form {
  settings: Setting[];
  looks: Look[];
  version: string;
}

export interface Network {
  name: string;
  title: string;
  about: string;
  ready: boolean;
  built_in: boolean;
  default: boolean;
  bytes: number | null;
  licence: string | null;
}

export interface Fetch {
  name: string;
  done: number;
  total: number | null;
  state: "running" | "cancelled" | "failed" | "done";
  failure: Failure | null;
}

export interface Layer {
  name: string;
  channels: number;
  stride: number;
  depth: number;
  default: boolean;
  worth_trying: boolean;
}

export type Change =
  | { set: { path: string; value: unknown } }
  | { reset: { path: string } }
  | { look: { name: string } }
  | { network: { name: string } };
