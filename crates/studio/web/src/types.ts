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
  channels?: number[] | string;
  guides?: string[];
  pick?: Pick;
  region?: string;
  weight: number;
  [more: string]: unknown;
}

export type Pick = "match" | "average" | "place";

/** A picture whose forms the dream takes; `part` is left, top, width, height in shares of it. */
export interface Guide {
  file: string;
  sha256: string;
  size: number;
  part?: [number, number, number, number];
}

/** Where the dream counts. */
export interface Region {
  mask: string;
  sha256: string;
  feather: number;
  invert: boolean;
}

/** A setting that a recipe would change: its path, its value before and after. */
export type Difference = [string, string | null, string | null];

export interface RecipeView {
  network: string;
  look: string;
  title: string;
  values: Record<string, string>;
  usual: Record<string, string>;
  changed: string[];
  objective: Term[];
  /** What each of these is called. */
  names: string[];
  guides: Record<string, Guide>;
  regions: Record<string, Region>;
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
  /** The card that it is, and the one that it came from. */
  node: string | null;
  from: string | null;
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
  /** Whether it was halted, and there is something of it. */
  halted: boolean;
  failure: Failure | null;
  size: [number, number] | null;
}

export interface Gallery {
  layers: Record<string, string | false>;
  looks: Record<string, string | false>;
  /** By layer and number: `mixed4c:139`. */
  channels: Record<string, string | false>;
}

/** A channel, and how strongly it answers; noise asks nothing. */
export interface Ranked {
  channel: number;
  answer: number | null;
}

/** A picture that recipes name, kept under its hash. */
export interface Asset {
  id: string;
  name: string;
  width: number;
  height: number;
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
  | { network: { name: string } }
  | { guide: { id: string; name: string } }
  | { unguide: { name: string } }
  | { mask: { id: string | null } };
