// The queue: what is rendered behind the dream, in its order, and what became of it.

import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { askCache, bytes, cache, changeJob, changeQueue, clearCache, emptyTrash, folder, forgetJob, inTrash, jobs, made, running, smallMade, span, summary } from "./behind";
import type { Job } from "./behind";
import { connected, fail } from "./state";
import { Trouble } from "./trouble";

export const queueOpen = signal(false);

/** A job whose result is shown large. */
const shown = signal<Job | null>(null);

const WORDS: Record<Job["state"], string> = {
  waiting: "Waiting",
  running: "Rendering",
  held: "Held: the page goes first",
  paused: "Paused",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

const ended = (job: Job): boolean => ["done", "failed", "cancelled"].includes(job.state);

/** What the queue has left to do, for the bar. */
export function QueueButton() {
  const state = summary.value;
  if (!state) return null;
  const left = state.seconds + (running.value?.done.left ?? 0);
  const parts = [
    state.open > 0 ? `${state.open}` : "",
    state.open > 0 && state.paused ? "paused" : "",
    state.open > 0 && !state.paused && left > 0 ? span(left) : "",
    state.failed > 0 ? `${state.failed} failed` : "",
  ].filter(Boolean);
  return (
    <button class="queue-button" data-failed={state.failed > 0 || state.failure !== null} title="Queue (Q)" onClick={() => (queueOpen.value = true)}>
      Queue {parts.length > 0 && <span class="long">{parts.join(" · ")}</span>}
      {parts.length > 0 && <span class="short">{state.open > 0 ? parts[0] : parts.at(-1)}</span>}
    </button>
  );
}

export function Queue() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (queueOpen.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [queueOpen.value]);
  const full = summary.value?.failure?.fault === "disk";
  useEffect(() => {
    // What could make room is of now.
    if (queueOpen.value && full) askCache().catch(fail);
  }, [queueOpen.value, full]);
  const list = jobs.value.filter((job) => !job.draft);
  const open = list.filter((job) => !ended(job));
  const waiting = list.filter((job) => job.state === "waiting").length;
  const state = summary.value;
  return (
    <>
      <dialog ref={dialog} class="sheet queue" onClose={() => (queueOpen.value = false)} aria-label="Queue">
        <h2>Queue</h2>
        {queueOpen.value && <Trouble />}
        {state?.failure && (
          <p class="why" role="alert">
            {[state.failure.detail, ...state.failure.ways_out].join(" ")}
          </p>
        )}
        {full && (
          <p class="tools">
            {inTrash() && <button onClick={() => void emptyTrash()}>Empty the trash: {inTrash()}</button>}
            {cache.value > 0 && <button onClick={() => void clearCache()}>Clear the small pictures: {bytes(cache.value)}</button>}
          </p>
        )}
        {list.length === 0 && <p class="dim">The queue is empty. “Render…” adds what is on the stage, at any size.</p>}
        {queueOpen.value && list.length > 0 && (
          <ul class="scroll" tabIndex={0} aria-label="Jobs" inert={!connected.value}>
            {open.map((job, place) => (
              <Row key={job.id} job={job} first={place === 0} last={place === open.length - 1} />
            ))}
            {list.filter(ended).map((job) => (
              <Row key={job.id} job={job} />
            ))}
          </ul>
        )}
        <form method="dialog" class="ends">
          {state?.paused ? (
            <button type="button" disabled={!connected.value} onClick={() => void changeQueue("resume")}>
              Go on
            </button>
          ) : (
            <button type="button" disabled={open.length === 0 || !connected.value} onClick={() => void changeQueue("pause")}>
              Pause all
            </button>
          )}
          {waiting > 0 && (
            <button type="button" disabled={!connected.value} onClick={() => void changeQueue("cancel-waiting")}>
              {waiting === 1 ? "Cancel the waiting job" : `Cancel ${waiting} waiting jobs`}
            </button>
          )}
          <span class="space" />
          <button class="primary" autofocus>
            Close
          </button>
        </form>
      </dialog>
      <Shown />
    </>
  );
}

/** How a job stands, in words. */
function stands(job: Job): string {
  const run = running.value?.id === job.id ? running.value : null;
  const state = run?.state ?? job.state;
  if (run && (state === "running" || state === "held")) {
    const { share, left, frame, frames, joins } = run.done;
    const where = frames ? `${joins ? "joining frame" : "frame"} ${frame ?? 0} of ${frames}` : `${Math.floor(100 * share)} %`;
    if (summary.value?.paused) return `Paused with the queue · ${where}`;
    if (state === "held") return `${WORDS.held} · ${where}`;
    return [WORDS.running, where, left !== null && `${span(left)} left`].filter(Boolean).join(" · ");
  }
  if (job.state === "waiting" && job.seconds) return `${WORDS.waiting} · about ${span(job.seconds)}`;
  if (job.state === "paused" && job.wanted.kind === "picture" && !job.failure && !run) return "Paused · begins again";
  return WORDS[job.state];
}

function kindOf(wanted: Job["wanted"]): string {
  switch (wanted.kind) {
    case "picture":
      return `${wanted.extension.toUpperCase()}${wanted.sixteen ? ", 16 bits" : ""}`;
    case "zoom":
      return `zoom, ${wanted.seconds} s, ${wanted.fps} fps`;
    default:
      return "video";
  }
}

function Row({ job, first, last }: { job: Job; first?: boolean; last?: boolean }) {
  const run = running.value?.id === job.id ? running.value : null;
  const name = `${job.title} on ${job.name}`;
  const [width, height] = job.size;
  const kind = kindOf(job.wanted);
  const button = (label: string, does: () => void, disabled = false) => (
    <button aria-label={`${label}: ${name}`} disabled={disabled} onClick={does}>
      {label}
    </button>
  );
  return (
    <li data-state={job.state}>
      <img src={smallMade(job)} alt="" onError={(event) => (event.currentTarget.hidden = true)} />
      <div class="about">
        <p class="title">
          {job.title} <span class="dim">on {job.name}</span>
        </p>
        <p class="facts">
          {width} × {height} · {kind}
        </p>
        <p class={job.state === "failed" || job.failure ? "why" : "dim"}>{job.failure ? [job.failure.detail, ...job.failure.ways_out].join(" ") : stands(job)}</p>
        {run && <progress max={1} value={run.done.share} aria-label={`Progress of ${name}`} />}
        {job.state === "done" && job.output && <Path path={job.output} />}
      </div>
      <p class="does">
        {job.state === "done" && button("Show", () => (shown.value = job))}
        {job.state === "done" && (
          <a class="button" href={`${made(job.id)}?save=true`} download aria-label={`Download: ${name}`}>
            Download
          </a>
        )}
        {!ended(job) && job.state !== "paused" && button("Pause", () => void changeJob(job.id, "pause"))}
        {job.state === "paused" && button(job.failure ? "Start" : "Go on", () => void changeJob(job.id, "resume"))}
        {(job.state === "failed" || job.state === "cancelled") && button("Again", () => void changeJob(job.id, "resume"))}
        {!ended(job) && button("Up", () => void changeJob(job.id, { move: "up" }), first)}
        {!ended(job) && button("Down", () => void changeJob(job.id, { move: "down" }), last)}
        {!ended(job) && button("Cancel", () => void changeJob(job.id, "cancel"))}
        {ended(job) && button(job.state !== "done" && job.wanted.kind !== "picture" ? "Remove with its frames" : "Remove", () => void forgetJob(job.id))}
      </p>
    </li>
  );
}

/** Where a file is, which can be selected as a whole. */
function Path({ path }: { path: string }) {
  return (
    <p class="path mono" title="Where the file is">
      {folder.value}/{path}
    </p>
  );
}

/** What a job has made, large. */
function Shown() {
  const dialog = useRef<HTMLDialogElement>(null);
  const job = shown.value;
  const wrong = useSignal(false);
  useEffect(() => {
    wrong.value = false;
    if (job) dialog.current?.showModal();
  }, [job]);
  return (
    <dialog ref={dialog} class="sheet shown" onClose={() => (shown.value = null)} aria-label={job ? `${job.title} on ${job.name}` : "Nothing"}>
      {job && (
        <>
          {wrong.value && <p class="dim">This browser does not show such a file. Download it instead.</p>}
          {!wrong.value && job.wanted.kind !== "picture" && <video src={made(job.id)} controls loop playsInline onError={() => (wrong.value = true)} />}
          {!wrong.value && job.wanted.kind === "picture" && <img src={made(job.id)} alt={`${job.title} on ${job.name}`} onError={() => (wrong.value = true)} />}
          <form method="dialog" class="ends">
            {job.output && <Path path={job.output} />}
            <span class="space" />
            <a class="button" href={`${made(job.id)}?save=true`} download>
              Download
            </a>
            <button class="primary" autofocus>
            Close
          </button>
          </form>
        </>
      )}
    </dialog>
  );
}
