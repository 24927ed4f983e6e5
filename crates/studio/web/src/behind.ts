// What outlives the program: photos, and the queue of what is rendered.

import { signal } from "@preact/signals";
import { key, request, send } from "./api";
import { fail, hear, latest, reason, say } from "./state";
import type { Failure } from "./types";

export interface Photo {
  id: string;
  name: string;
  width: number;
  height: number;
  bytes: number;
  used: number;
}

/** A video: how many seconds it has, and frames in each of them. */
export interface Video extends Photo {
  moves: [number, number];
}

export interface Trash {
  pictures: Photo[];
  /** Cards of the history that go with them, or that were removed by themselves. */
  cards: number;
}

export type Wanted =
  | { kind: "picture"; longest: number | null; extension: string; sixteen: boolean }
  | { kind: "zoom"; seconds: number; motion: string | null; fps: number; longest: number }
  | { kind: "video"; start: number | null; end: number | null; longest: number | null; coherence: string }
  | { kind: "sample"; at: number[]; longest: number };

export interface Job {
  id: string;
  number: number;
  state: "waiting" | "running" | "held" | "paused" | "done" | "failed" | "cancelled";
  ended: number | null;
  output: string | null;
  failure: Failure | null;
  name: string;
  title: string;
  wanted: Wanted;
  size: [number, number];
  seconds: number | null;
  draft: boolean;
}

export interface Summary {
  open: number;
  running: boolean;
  failed: number;
  paused: boolean;
  seconds: number;
  failure: Failure | null;
}

export interface Running {
  id: string;
  state: Job["state"] | null;
  done: { share: number; left: number | null; frame: number | null; frames: number | null; joins: boolean };
}

export interface Plan {
  seconds: number | null;
  foreseen: { width: number; height: number; octaves: number; frames: number | null; memory: number; free: number; disk: number };
}

export const photos = signal<Photo[]>([]);
/** Videos of the library, and the one that is to be dreamt on. */
export const videos = signal<Video[]>([]);
export const video = signal<string | null>(null);
/** A video on its way: its name, how much of it is there. */
export const coming = signal<{ name: string; share: number } | null>(null);
/** Why one was refused. */
export const unread = signal<Failure | null>(null);
export const trash = signal<Trash>({ pictures: [], cards: 0 });
/** Bytes of the small pictures of layers and looks, which can be made again. */
export const cache = signal(0);
export const summary = signal<Summary | null>(null);
export const running = signal<Running | null>(null);
export const jobs = signal<Job[]>([]);
/** Where the studio's files are. */
export const folder = signal("");

const askPictures = latest<{ pictures: Photo[]; videos: Video[]; trash: Trash }>("/api/pictures", (list) => {
  photos.value = list.pictures;
  videos.value = list.videos;
  trash.value = list.trash;
});

/** Asks how many bytes the small pictures have. */
export const askCache = latest<{ bytes: number }>("/api/cache", (now) => (cache.value = now.bytes));

const askJobs = latest<{ jobs: Job[]; folder: string }>("/api/jobs", (list) => {
  for (const job of list.jobs) {
    const then = jobs.value.find((known) => known.id === job.id)?.state;
    if (job.draft || !then || then === job.state) continue;
    if (job.state === "done") say(`${job.title} on ${job.name} is rendered.`);
    if (job.state === "failed") say(`${job.title} on ${job.name} could not be rendered.`);
  }
  jobs.value = list.jobs;
  folder.value = list.folder;
});

hear({
  pictures: (): void => {
    askPictures().catch(fail);
  },
  queue: (state: Summary): void => {
    const before = summary.value;
    summary.value = state;
    if (state.failure && state.failure.detail !== before?.failure?.detail) say(state.failure.detail);
    askJobs().catch(fail);
  },
  render: (state: Running | null): void => {
    running.value = state;
  },
});

/** Whether the list of networks is shown. */
export const networksOpen = signal(false);

/** Whether a file seems to be a video. */
export const isVideo = (file: File): boolean => file.type.startsWith("video/") || /\.(mkv|avi|mov|wmv|mpe?g|m4v)$/i.test(file.name);

/** What the dialog that fills the queue shows. */
export const renderOpen = signal<"picture" | "zoom" | "video" | null>(null);

/** How many videos were taken: the last is the one that counts. */
let taken = 0;

/** Takes a video in, for a movie of its dreams. */
export async function takeVideo(file: File): Promise<void> {
  coming.value = { name: file.name, share: 0 };
  unread.value = null;
  renderOpen.value = "video";
  const turn = ++taken;
  try {
    const path = `/api/videos?name=${encodeURIComponent(file.name || "video")}`;
    const { id } = (await send(path, file, (share) => turn === taken && (coming.value = { name: file.name, share }))) as { id: string };
    if (turn === taken) video.value = id;
  } catch (error) {
    const why = reason(error);
    if (turn === taken) unread.value = why;
  } finally {
    if (turn === taken) coming.value = null;
  }
}

/** Puts a photo of the library on the desk. */
export const openPhoto = (id: string): Promise<unknown> => request("POST", `/api/pictures/${id}/open`).catch(fail);

export const changePhoto = (id: string, change: { name: string } | { trashed: boolean }, done?: () => void): void => {
  request("PATCH", `/api/pictures/${id}`, change).then(done, fail);
};

export const changeJob = (id: string, change: "pause" | "resume" | "cancel" | { move: "up" | "down" | "first" }): Promise<unknown> =>
  request("PATCH", `/api/jobs/${id}`, change).catch(fail);

export const forgetJob = (id: string): Promise<unknown> => request("DELETE", `/api/jobs/${id}`).catch(fail);

export const changeQueue = (change: "pause" | "resume" | "cancel-waiting"): Promise<unknown> => request("PATCH", "/api/queue", change).catch(fail);

/** Adds a job. One request makes one job, however often it has to be sent. */
export async function addJob(wanted: Wanted, draft = false, of: string | null = null): Promise<Job> {
  const name = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const headers = { "idempotency-key": name };
  const send = async (): Promise<Job> => (await request("POST", "/api/jobs", { wanted, draft, video: of }, { headers })).json() as Promise<Job>;
  try {
    return await send();
  } catch (error) {
    if (error instanceof Error && "failure" in error) throw error;
    return send();
  }
}

export const thumb = (id: string): string => `/files/${key.value}/thumb/${id}.jpg`;
export const made = (id: string): string => `/files/${key.value}/made/${id}`;
export const smallMade = (job: Job): string => `/files/${key.value}/small-made/${job.id}.jpg?${job.state}`;

/** What is in the trash, in words. */
export function inTrash(): string {
  const { pictures, cards } = trash.value;
  const many = (count: number, one: string): string => (count === 0 ? "" : count === 1 ? `1 ${one}` : `${count} ${one}s`);
  const size = pictures.reduce((sum, photo) => sum + photo.bytes, 0);
  return [many(pictures.length, "photo"), many(cards, "card"), size > 0 && bytes(size)].filter(Boolean).join(", ");
}

export const emptyTrash = (): Promise<unknown> => request("DELETE", "/api/trash").catch(fail);
export const clearCache = (): Promise<unknown> => request("DELETE", "/api/cache").then(askCache).catch(fail);

/** A time as people say it. */
export function span(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 10 && whole % 60) return `${minutes} min ${whole % 60} s`;
  if (minutes < 60) return `${Math.round(whole / 60)} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** So many bytes as people say it. */
export function bytes(count: number): string {
  if (count < 1e6) return `${Math.max(1, Math.round(count / 1e3))} kB`;
  if (count < 1e9) return `${Math.round(count / 1e6)} MB`;
  return `${(count / 1e9).toFixed(1)} GB`;
}
