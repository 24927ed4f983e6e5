// Talking to the server: the session, requests, and what it says when it refuses.

import { signal } from "@preact/signals";
import type { Failure } from "./types";

const STORED = "deepdream-token";

export const key = signal<string | null>(null);
export const locked = signal<Failure | null>(null);

let token = "";

/** What the server refused, in its words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly failure: Failure,
  ) {
    super(failure.detail);
  }
}

/** The server cannot be reached. */
export class Unreachable extends Error {}

/** What went wrong, and the ways out of it. */
export const failure = (fault: string, detail: string, ...ways_out: string[]): Failure => ({ fault, detail, ways_out, knob: null, value: null });

export async function request(method: string, path: string, body?: unknown, more?: RequestInit): Promise<Response> {
  const headers = new Headers(more?.headers);
  if (token) headers.set("authorization", `Bearer ${token}`);
  let answer: Response;
  try {
    const raw = body instanceof Blob;
    if (body !== undefined && !raw) headers.set("content-type", "application/json");
    answer = await fetch(path, {
      ...more,
      method,
      headers,
      body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable();
  }
  if (answer.ok) return answer;
  const why = (await answer.json().catch(() => null)) as Failure | null;
  throw new Refused(answer.status, why ?? failure("unknown", `The studio answered ${answer.status}.`));
}

/** Sends a file, and tells how much of it is there, 0–1: `fetch` does not say. */
export async function send(path: string, file: Blob, onShare: (share: number) => void): Promise<unknown> {
  const answer = await new Promise<XMLHttpRequest>((done, lost) => {
    const sends = new XMLHttpRequest();
    sends.open("POST", path);
    if (token) sends.setRequestHeader("authorization", `Bearer ${token}`);
    sends.upload.onprogress = (event) => event.lengthComputable && onShare(event.loaded / event.total);
    sends.onload = () => done(sends);
    sends.onerror = sends.onabort = () => lost(new Unreachable());
    sends.send(file);
  });
  const said = parsed(answer.responseText);
  if (answer.status < 300) return said;
  throw new Refused(answer.status, (said as Failure | null) ?? failure("unknown", `The studio answered ${answer.status}.`));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await request(method, path, body)).json() as Promise<T>;
}

/** Why the token of before is refused, and what to do without one. */
const restarted = failure("closed", "The studio was started again.", "Open the link that it prints in its terminal, or run `deepdream studio` again.");

/** Opens the session: by the code in the address, or by the token of before. */
export async function open(): Promise<boolean> {
  const code = /^#code=([0-9a-f]+)$/.exec(location.hash)?.[1];
  if (location.hash) history.replaceState(null, "", location.pathname);
  const before = localStorage.getItem(STORED);
  const guesses: object[] = [];
  if (code) guesses.push({ code });
  if (before) guesses.push({ token: before });
  let why: Failure | null = null;
  for (const guess of guesses) {
    try {
      await enter(guess);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      why ??= "token" in guess && error.status === 401 ? restarted : error.failure;
    }
  }
  locked.value = why ?? failure("closed", "This window has no key to the studio.", "Run `deepdream studio` again: it opens a new window of the studio that runs.");
  return false;
}

export async function enter(guess: object): Promise<void> {
  token = "";
  const session = await json<{ token: string; key: string }>("POST", "/api/session", guess);
  token = session.token;
  key.value = session.key;
  locked.value = null;
  if (localStorage.getItem(STORED) !== token) localStorage.setItem(STORED, token);
}

/** A new window of a studio that was started again has its token for this one. */
export function onNewToken(act: () => void): void {
  window.addEventListener("storage", (event) => {
    if (event.key === STORED && event.newValue && event.newValue !== token) act();
  });
}

export const small = (file: string): string => `/files/${key.value}/small/${file}.jpg`;
export const photo = (id: string, longest: number): string => `/files/${key.value}/photo/${id}.jpg?max=${longest}`;
export const asset = (id: string, kind: "png" | "jpg"): string => `/files/${key.value}/asset/${id}.${kind}`;
/** The small picture of a card, and the large one of a card that was dreamt again. */
export const card = (id: string): string => `/files/${key.value}/card/${id}.jpg`;
export const again = (id: string, longest: number): string => `/files/${key.value}/again/${id}.jpg?max=${longest}`;
export const unfinished = (): string => `/files/${key.value}/save/unfinished.jpg`;
export const saved = (kind: string): string => `/files/${key.value}/save/dream.${kind}`;
