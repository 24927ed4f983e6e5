// What the page draws, and how it asks for changes. The server holds the state; nothing here outlives the tab.

import { computed, effect, signal } from "@preact/signals";
import { Refused, Unreachable, json, key, locked, onNewToken, open, request } from "./api";
import type { Change, Desk, Dream, Failure, Fetch, Form, Gallery, Layer, Network, Start } from "./types";

export const desk = signal<Desk | null>(null);
export const dream = signal<Dream | null>(null);
export const gallery = signal<Gallery>({ layers: {}, looks: {} });
export const form = signal<Form | null>(null);
export const networks = signal<Network[]>([]);
export const layers = signal<Layer[]>([]);

/** A network on its way, or what became of it. */
export const fetching = signal<Fetch | null>(null);

/** Whether the server answers. */
export const connected = signal(true);
/** A photo on its way: its name, the picture as the browser draws it. */
export const uploading = signal<{ name: string; picture: ImageBitmap | null } | null>(null);
/** What went wrong that has no other place. */
export const trouble = signal<Failure | null>(null);
/** A picture that came in with a recipe, until somebody says what it is for. */
export const offered = signal<Start | null>(null);
/** A change that was refused because another window was first. */
export const elsewhere = signal<{ changes: Change[] } | null>(null);
/** Values that were moved and of which the server has not yet told. */
export const drafts = signal<Record<string, string>>({});
/** What is said to those who cannot see it. */
export const said = signal("");
/** When the recipe last changed, for the stage. */
export const changedAt = signal(0);

export const start = computed(() => desk.value?.start ?? null);
export const recipe = computed(() => desk.value?.recipe ?? null);
export const phase = computed(() => dream.value?.phase ?? "empty");

export const value = (path: string): string | undefined => drafts.value[path] ?? recipe.value?.values[path];

const told: { [part: string]: (value: never) => void } = {
  desk: (state: Desk) => {
    const before = desk.value;
    if (before && state.rev !== before.rev) changedAt.value = performance.now();
    desk.value = state;
    if (!sending && !pending.length && state.rev >= sent) drafts.value = {};
    if (state.refused && state.refused !== before?.refused) say(state.refused.detail);
  },
  dream: (state: Dream) => {
    dream.value = state;
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
  },
};

let source: EventSource | null = null;
let wait = 1;

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

async function connect(): Promise<void> {
  if (source) return;
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
      if (await open().catch(() => false)) return connect();
      return;
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
  if (document.visibilityState !== "visible") return;
  connected.value = false;
  setTimeout(() => void connect(), wait * 1000);
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

async function send(): Promise<void> {
  if (sending || !pending.length || !desk.value) return;
  sending = true;
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
    } else if (!(error instanceof Refused && error.failure.knob)) {
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

export function fail(error: unknown): void {
  if (error instanceof Unreachable) return lost();
  if (error instanceof Refused) {
    if (error.status === 401) return lost();
    trouble.value = error.failure;
    say(error.failure.detail);
  } else {
    throw error;
  }
}

export function say(text: string): void {
  said.value = text;
}

/** Takes a recipe's text in. */
async function readRecipe(file: File): Promise<void> {
  try {
    await request("POST", "/api/recipes", { text: await file.text() });
    say("The recipe is in use.");
  } catch (error) {
    fail(error);
  }
}

/** Says what a picture that came in with a recipe is for. */
export function answerOffer(what: "recipe" | "picture" | null): void {
  const id = offered.value?.id;
  offered.value = null;
  if (id && what) act(`/api/offers/${id}/${what}`);
}

/** Takes a photo in and begins to dream on it; asks what one is for that carries a recipe. */
export async function upload(file: File): Promise<void> {
  trouble.value = null;
  offered.value = null;
  const name = file.name || "photo";
  if (/\.toml$/i.test(name)) return readRecipe(file);
  uploading.value = { name, picture: null };
  createImageBitmap(file, { imageOrientation: "from-image" }).then(
    (picture) => {
      if (uploading.value?.name === name) uploading.value = { ...uploading.value, picture };
    },
    () => undefined,
  );
  try {
    const answer = await request("POST", `/api/pictures?name=${encodeURIComponent(name)}`, file);
    const came = (await answer.json()) as { start: Start; offered: boolean };
    if (came.offered) {
      offered.value = came.start;
      // Without a photo on the desk there is nothing to ask.
      if (!start.value || start.value.noise) answerOffer("picture");
    }
  } catch (error) {
    fail(error);
  } finally {
    uploading.value = null;
  }
}

/** Starts from the sample that the program brings. */
export async function sample(): Promise<void> {
  try {
    const blob = await (await request("GET", "/coffee.jpg")).blob();
    await upload(new File([blob], "coffee.jpg", { type: "image/jpeg" }));
  } catch (error) {
    fail(error);
  }
}

export const isLocked = computed(() => locked.value !== null);
