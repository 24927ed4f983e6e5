// What the page draws, and how it asks for changes. The server holds the state; nothing here outlives the tab.

import { computed, effect, signal } from "@preact/signals";
import { Refused, Unreachable, failure, json, key, locked, onNewToken, open, request } from "./api";
import type { Change, Desk, Difference, Dream, Failure, Fetch, Form, Gallery, Layer, Network, Start } from "./types";

export const desk = signal<Desk | null>(null);
export const dream = signal<Dream | null>(null);
export const gallery = signal<Gallery>({ layers: {}, looks: {}, channels: {} });
export const form = signal<Form | null>(null);
export const networks = signal<Network[]>([]);
export const layers = signal<Layer[]>([]);

/** A network on its way, or what became of it. */
export const fetching = signal<Fetch | null>(null);

/** Whether the server answers. */
export const connected = signal(true);
/** A photo on its way: its name, the picture as the browser draws it, how much of it is there. */
export const uploading = signal<{ name: string; picture: ImageBitmap | null; share: number } | null>(null);
/** What went wrong that has no other place. */
export const trouble = signal<Failure | null>(null);
/** A picture that came in with a recipe, until somebody says what it is for. */
export const offered = signal<(Start & { original: string | null; differences: Difference[] | null }) | null>(null);
/** A change that was refused because another window was first. */
export const elsewhere = signal<{ changes: Change[] } | null>(null);
/** Values that were moved and of which the server has not yet told. */
const drafts = signal<Record<string, string>>({});
/** Whether the last refusal was answered by keeping the value that was there. */
export const takenBack = signal(false);
/** What is said to those who cannot see it. */
export const said = signal("");
/** When the recipe last changed, for the stage. */
export const changedAt = signal(0);

export const start = computed(() => desk.value?.start ?? null);
/** Which picture is on the desk: it changes with that alone. */
export const startId = computed(() => start.value?.id ?? null);
export const recipe = computed(() => desk.value?.recipe ?? null);
export const phase = computed(() => dream.value?.phase ?? "empty");

export const value = (path: string): string | undefined => drafts.value[path] ?? recipe.value?.values[path];

// The newest step, until the stage draws a frame: what is painted at once is painted once.
let step: Dream | null = null;
let late = 0;

/** Shows how far the dream is, now that the stage is painted anyway, or that no frame has come for long. */
export function showStep(): void {
  clearTimeout(late);
  late = 0;
  if (step) dream.value = step;
  step = null;
}

const told: { [part: string]: (value: never) => void } = {
  desk: (state: Desk) => {
    const before = desk.value;
    if (before && state.rev !== before.rev) changedAt.value = performance.now();
    desk.value = state;
    if (!sending && !pending.length && state.rev >= sent) drafts.value = {};
    if (state.refused && state.refused !== before?.refused) say(state.refused.detail);
  },
  dream: (state: Dream) => {
    const before = dream.value;
    const goes = before?.phase === "dreaming" && state.phase === "dreaming" && before.rev === state.rev;
    step = state;
    if (!goes) return showStep();
    late ||= window.setTimeout(showStep, 200);
  },
  gallery: (state: Gallery) => {
    gallery.value = state;
  },
  networks: ({ fetch }: { fetch: Fetch | null }) => {
    const before = fetching.value;
    fetching.value = fetch;
    if (before?.state === "running" && fetch?.state === "done") {
      say(`${fetch.name} is here.`);
      json<Network[]>("GET", "/api/networks").then((list) => (networks.value = list), fail);
    }
    if (before?.state === "running" && fetch && fetch.state !== "running") {
      const of = needed;
      needed = null;
      if (fetch.state === "done" && fetch.name === of?.name) of.then();
    }
  },
};

/** Parts of the state that a file of its own hears of. */
export function hear(parts: { [part: string]: (value: never) => void }): void {
  Object.assign(told, parts);
}

/** Asks for a list that has changed: of answers that overtake each other, the one to the last question is taken. */
export function latest<T>(path: string, take: (list: T) => void): () => Promise<void> {
  let asked = 0;
  return async () => {
    const turn = ++asked;
    const list = await json<T>("GET", path);
    if (turn === asked) take(list);
  };
}

/** A part of the state that a file of its own draws. */
export function part<T>(name: string, empty: T): { value: T } {
  const state = signal(empty);
  told[name] = (value: T) => {
    state.value = value;
  };
  return state;
}

let source: EventSource | null = null;
let wait = 1;
let later = 0;

/** Begins: the session, the state, then events. */
export async function begin(): Promise<void> {
  onNewToken(() => location.reload());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void connect();
    else close();
  });
  await connect();
}

function close(): void {
  source?.close();
  source = null;
}

/** Asks for the state and listens to what becomes of it; who was refused is not asked for again. */
export async function connect(): Promise<void> {
  if (source || locked.value) return;
  try {
    if (!key.value && !(await open())) return;
    const state = await json<{ count: number } & { [part: string]: unknown }>("GET", "/api/state");
    for (const part of Object.keys(told)) told[part]!(state[part] as never);
    if (!form.value) {
      [form.value, networks.value] = await Promise.all([
        json<Form>("GET", "/api/form"),
        json<Network[]>("GET", "/api/networks"),
      ]);
    }
    listen(state.count);
    connected.value = true;
    wait = 1;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) {
      // A studio that was started again has other secrets.
      key.value = null;
      return connect();
    }
    lost();
  }
}

function listen(count: number): void {
  close();
  const events = new EventSource(`/events/${key.value}?after=${count}`);
  source = events;
  for (const part of Object.keys(told)) {
    events.addEventListener(part, (event) => told[part]!(JSON.parse(event.data) as never));
  }
  events.addEventListener("bye", lost);
  events.onerror = lost;
}

function lost(): void {
  close();
  if (document.visibilityState !== "visible" || locked.value) return;
  connected.value = false;
  clearTimeout(later);
  later = window.setTimeout(() => void connect(), wait * 1000);
  wait = Math.min(2 * wait, 15);
}

// The layers of the network that is in use.
let layersOf = "";
effect(() => {
  const network = recipe.value?.network;
  if (!network || network === layersOf || !key.value) return;
  layersOf = network;
  layers.value = [];
  json<Layer[]>("GET", `/api/layers?name=${encodeURIComponent(network)}`).then(
    (list) => {
      if (layersOf === network) layers.value = list;
    },
    () => {
      layersOf = "";
    },
  );
});

// Changes go out one request at a time, at most every 80 ms: what was moved meanwhile goes with the next.
let pending: Change[] = [];
let sending = false;
let sent = 0;
let gesture = 0;
let sentGesture = 0;

/** Begins a gesture: its changes are undone as one. */
export function newGesture(): void {
  gesture += 1;
}

/** Changes the recipe. */
export function change(...changes: Change[]): void {
  for (const one of changes) {
    if ("set" in one) {
      const { path, value } = one.set;
      pending = pending.filter((other) => !("set" in other && other.set.path === path));
      if (typeof value !== "object") drafts.value = { ...drafts.value, [path]: String(value) };
    } else {
      drafts.value = {};
    }
    pending.push(one);
  }
  void send();
}

/** Gives a setting a value. */
export function set(path: string, value: unknown): void {
  change({ set: { path, value } });
}

/** Whether the page has a knob for a setting, which says by itself why it is refused. */
const isKnob = (path: string | null): boolean => form.value?.settings.some((one) => one.path === path) ?? false;

async function send(): Promise<void> {
  if (sending || !pending.length || !desk.value) return;
  sending = true;
  takenBack.value = false;
  const changes = pending;
  pending = [];
  const rev = Math.max(desk.value.rev, sent);
  sentGesture = gesture;
  try {
    const answer = await json<{ rev: number }>("PATCH", "/api/dream", { rev, gesture: sentGesture, changes });
    sent = answer.rev;
    await new Promise((done) => setTimeout(done, 80));
  } catch (error) {
    if (error instanceof Refused && error.status === 409) {
      elsewhere.value = { changes };
      say("Changed in another window.");
    } else if (!(error instanceof Refused && isKnob(error.failure.knob))) {
      fail(error);
    }
    if (!pending.length) drafts.value = {};
  }
  sending = false;
  if (pending.length) void send();
  else if (desk.value.rev >= sent) drafts.value = {};
}

/** Whether the other window's change stays, or the one that was made here is made on top of it. */
export function settle(mine: boolean): void {
  const changes = elsewhere.value?.changes ?? [];
  elsewhere.value = null;
  if (mine) {
    newGesture();
    change(...changes);
  }
}

/** Asks for something that has no answer. */
export function act(path: string, body?: unknown): void {
  request("POST", path, body).catch(fail);
}

export function undo(again: boolean): void {
  if (desk.value?.[again ? "redo" : "undo"]) act(again ? "/api/dream/redo" : "/api/dream/undo");
}

/** Says what went wrong: that the server is silent, what it refused, or what else the browser met. */
export function fail(error: unknown): void {
  if (error instanceof Unreachable || (error instanceof Refused && error.status === 401)) return lost();
  trouble.value = error instanceof Refused ? error.failure : failure("page", error instanceof Error ? error.message : String(error));
  say(trouble.value.detail);
}

/** What the server refused, for a place that says it by itself; whatever else went wrong is said as ever. */
export function reason(error: unknown): Failure | null {
  if (error instanceof Refused && error.status !== 401) return error.failure;
  fail(error);
  return null;
}

export function say(text: string): void {
  said.value = text;
}

/** What was refused for want of something, and can be tried once more when that is there. */
let waits: { failure: Failure; again: () => Promise<void> } | null = null;

/** Whether a failure is that a recipe's guide or mask is not here. */
export const needsFile = (failure: Failure): boolean => waits?.failure === failure && ["guides", "regions"].includes(failure.knob ?? "");

/** The network that was asked for because something needs it, and what is done once it is there. */
let needed: { name: string; then: () => void } | null = null;

/** The network that can be fetched because something needs it. */
export const needsNetwork = (failure: Failure): Network | undefined =>
  failure.knob === "model.name" ? networks.value.find((network) => network.name === failure.value && !network.ready) : undefined;

/** Fetches a network. When it is there, the recipe that needs it is taken once more, or the dream begins that did. */
export function fetchNeeded(network: Network, failure: Failure): void {
  const recipe = waits?.failure === failure ? waits.again : null;
  needed = {
    name: network.name,
    then: () => {
      if (recipe) void recipe();
      else if (phase.value === "refused") act("/api/dream/resume");
    },
  };
  trouble.value = null;
  act(`/api/networks/${network.name}`);
}

/** Does what a recipe that came in asks for, and once more when what it needs is given. */
export async function tried(act: () => Promise<unknown>): Promise<void> {
  waits = null;
  trouble.value = null;
  try {
    await act();
    say("The recipe is in use.");
  } catch (error) {
    fail(error);
    if (trouble.value) waits = { failure: trouble.value, again: () => tried(act) };
  }
}

/** Gives a file that a recipe needs, and takes the recipe once more. */
export async function give(file: File): Promise<void> {
  const recipe = waits;
  try {
    await request("POST", `/api/assets?name=${encodeURIComponent(file.name)}`, file);
    await recipe?.again();
  } catch (error) {
    fail(error);
  }
}

/** Says what a picture that came in with a recipe is for. */
export function answerOffer(what: "recipe" | "picture" | "original" | null): void {
  const id = offered.value?.id;
  offered.value = null;
  if (id && (what === "picture" || what === "original")) act(`/api/offers/${id}/${what}`);
  if (id && what === "recipe") void tried(() => request("POST", `/api/offers/${id}/recipe`));
}
