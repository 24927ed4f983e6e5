// The dialog that fills the queue: what is on the stage as a picture of any size, or as a movie that falls into it.

import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { json } from "./api";
import { addJob, bytes, coming, jobs, made, renderOpen, running, span, takeVideo, unread, video, videos } from "./behind";
import type { Plan, Wanted } from "./behind";
import { Choose } from "./choose";
import { queueOpen } from "./queue";
import { connected, desk, fail, networks, reason, recipe, say, start } from "./state";
import type { Failure } from "./types";
import { FetchNeeded, Trouble } from "./trouble";

const picture = signal({ longest: null as number | null, extension: "png", sixteen: false });
/** Whether its longest side is typed. */
const typed = signal(false);
const zoom = signal({ seconds: 10, motion: null as string | null, fps: 30, longest: 640 });

const clip = signal({ start: 0, end: null as number | null, longest: 640 as number | null, coherence: "flow" });

const COHERENCES: [string, string][] = [
  ["flow", "Dreams move along with what is seen"],
  ["blend", "The last dream shows through"],
  ["independent", "Each frame by itself: it flickers"],
];

/** The draft that is made of a movie. */
const draft = signal<string | null>(null);

const MOTIONS: [string, string][] = [
  ["", "A slow fall"],
  ["drift", "A slow pan"],
  ["spiral", "Fall and turn"],
  ["google", "A quick fall, as Google's notebook has it"],
  ["sentdex", "The slow fall of sentdex's movies"],
  ["still", "Nothing moves; the dream only grows"],
];

function wanted(): Wanted {
  switch (renderOpen.value) {
    case "zoom":
      return { kind: "zoom", ...zoom.value };
    case "video": {
      const { start, end, longest, coherence } = clip.value;
      const one = videos.value.find((known) => known.id === video.value);
      const side = longest !== null && one && longest < Math.max(one.width, one.height) ? longest : null;
      return { kind: "video", start: start > 0 ? start : null, end, longest: side, coherence };
    }
    default: {
      const { longest, extension, sixteen } = picture.value;
      const own = Math.max(start.value?.width ?? 0, start.value?.height ?? 0);
      // A side that was chosen for a larger photo is this one's own.
      const side = typed.value || (longest ?? own) < own ? longest : null;
      return { kind: "picture", longest: side, extension, sixteen: sixteen && deep(extension) };
    }
  }
}

/** Takes a longest side that would do. */
function useSide(longest: number): void {
  if (renderOpen.value === "video") {
    clip.value = { ...clip.value, longest };
    draft.value = null;
  } else {
    typed.value = true;
    picture.value = { ...picture.value, longest };
  }
}

const deep = (extension: string): boolean => extension === "png" || extension === "tiff";

export function Render() {
  const dialog = useRef<HTMLDialogElement>(null);
  const plan = useSignal<Plan | null>(null);
  const refused = useSignal<Failure | null>(null);
  /** The video that they are about. */
  const planned = useRef<string | null>(null);
  const open = renderOpen.value;
  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  const of = open === "video" ? video.value : null;
  const asked = open && (open !== "video" || (of && !coming.value)) ? JSON.stringify({ wanted: wanted(), video: of }) : "";
  useEffect(() => {
    if (!asked) {
      [plan.value, refused.value] = [null, null];
      return;
    }
    let over = false;
    // Why another video was refused is not said of this one.
    if (of !== planned.current) [plan.value, refused.value, planned.current] = [null, null, of];
    json<Plan>("POST", "/api/plan", JSON.parse(asked)).then(
      (answer) => {
        if (over) return;
        [plan.value, refused.value] = [answer, null];
      },
      (error: unknown) => {
        if (over) return;
        const why = reason(error);
        if (why) [plan.value, refused.value] = [null, why];
      },
    );
    return () => {
      over = true;
    };
  }, [asked, desk.value?.rev, coming.value, networks.value]);
  const add = (): void => {
    addJob(wanted(), false, of).then(
      () => {
        renderOpen.value = null;
        queueOpen.value = true;
        say("It is in the queue.");
      },
      (error: unknown) => (refused.value = reason(error)),
    );
  };
  const photo = start.value && !start.value.noise;
  const name = open === "video" ? videos.value.find((one) => one.id === of)?.name : start.value?.name;
  return (
    <dialog ref={dialog} class="sheet render" onClose={() => (renderOpen.value = null)} aria-label="Render">
      {open && (
        <>
          <h2>Render</h2>
          <Trouble />
          <p class="dim">
            {recipe.value?.title ?? "The usual dream"} {name && `on ${name}`}
          </p>
          <span class="segments" role="group" aria-label="What">
            <button aria-pressed={open === "picture"} disabled={!start.value} onClick={() => (renderOpen.value = "picture")}>
              Picture
            </button>
            <button aria-pressed={open === "zoom"} disabled={!photo} title={photo ? undefined : "A zoom falls into a photo"} onClick={() => (renderOpen.value = "zoom")}>
              Zoom movie
            </button>
            <button aria-pressed={open === "video"} onClick={() => (renderOpen.value = "video")}>
              Video
            </button>
          </span>
          <fieldset disabled={!connected.value}>
            <legend class="hidden">What is rendered</legend>
            {open === "picture" && <PictureFields />}
            {open === "zoom" && <ZoomFields />}
            {open === "video" && <VideoFields />}
          </fieldset>
          <p class="estimate" role="status" aria-live="polite">
            {plan.value && !refused.value && <Estimate plan={plan.value} />}
          </p>
          {refused.value && (
            <p class="why" role="alert">
              {[refused.value.detail, ...refused.value.ways_out].join(" ")}
            </p>
          )}
          {refused.value && (
            <p class="tools">
              <FetchNeeded failure={refused.value} />
            </p>
          )}
          {refused.value?.fault === "memory" && refused.value.value && open !== "zoom" && (
            <p class="tools">
              <button onClick={() => useSide(Number(refused.value!.value))}>Use {refused.value.value} pixels</button>
            </p>
          )}
          <fieldset disabled={!connected.value}>
            <legend class="hidden">A draft of it</legend>
            {open === "zoom" && <Draft />}
            {open === "video" && of && !coming.value && !refused.value && <Draft of={of} />}
          </fieldset>
          <form method="dialog" class="ends">
            <span class="space" />
            <button>Close</button>
            <button type="button" class="primary" disabled={!connected.value || refused.value !== null || (open === "video" && (!of || coming.value !== null))} onClick={add}>
              Put into the queue
            </button>
          </form>
        </>
      )}
    </dialog>
  );
}

function Estimate({ plan }: { plan: Plan }) {
  const { width, height, octaves, frames, memory, free, disk } = plan.foreseen;
  const parts = [
    `${width} × ${height}`,
    frames !== null && `${frames} frames`,
    `${octaves} ${octaves === 1 ? "octave" : "octaves"}`,
    plan.seconds !== null && `about ${span(plan.seconds)}`,
    `${bytes(memory)} of memory (${bytes(free)} free)`,
    frames !== null && `up to ${bytes(disk)} on the disk`,
  ];
  return <>{parts.filter(Boolean).join(", ")}</>;
}

function PictureFields() {
  const own = start.value ? Math.max(start.value.width, start.value.height) : 0;
  const { longest, extension, sixteen } = picture.value;
  const sides = [640, 1280, 1920, 3840].filter((side) => side < own);
  const set = (change: Partial<typeof picture.value>): void => {
    picture.value = { ...picture.value, ...change };
  };
  return (
    <div class="fields">
      <label for="render-side">Longest side</label>
      <span>
        <select
          id="render-side"
          value={typed.value ? "typed" : longest !== null && sides.includes(longest) ? String(longest) : "own"}
          onChange={(event) => {
            const value = event.currentTarget.value;
            typed.value = value === "typed";
            set({ longest: value === "own" ? null : value === "typed" ? Math.min(2 * own, 65535) : Number(value) });
          }}
        >
          {sides.map((side) => (
            <option key={side} value={String(side)}>
              {side}
            </option>
          ))}
          <option value="own">{own}, {start.value?.noise ? "the noise's" : "the photo's"} own</option>
          <option value="typed">another…</option>
        </select>
        {typed.value && (
          <input
            type="number"
            aria-label="Longest side in pixels"
            min={64}
            max={65535}
            value={longest ?? own}
            onChange={(event) => {
              const side = Math.round(Number(event.currentTarget.value));
              if (side > 0) set({ longest: side });
            }}
          />
        )}
      </span>
      <label for="render-format">Format</label>
      <span>
        <select id="render-format" value={extension} onChange={(event) => set({ extension: event.currentTarget.value })}>
          <option value="png">PNG</option>
          <option value="jpg">JPEG</option>
          <option value="webp">WebP</option>
          <option value="tiff">TIFF</option>
        </select>
        <label class="check">
          <input
            type="checkbox"
            checked={sixteen && deep(extension)}
            disabled={!deep(extension)}
            onChange={(event) => set({ sixteen: event.currentTarget.checked })}
          />
          16 bits
        </label>
      </span>
    </div>
  );
}

function ZoomFields() {
  const { seconds, motion, fps, longest } = zoom.value;
  const set = (change: Partial<typeof zoom.value>): void => {
    zoom.value = { ...zoom.value, ...change };
    draft.value = null;
  };
  return (
    <div class="fields">
      <label for="render-motion">Motion</label>
      <select id="render-motion" value={motion ?? ""} onChange={(event) => set({ motion: event.currentTarget.value || null })}>
        {MOTIONS.map(([name, about]) => (
          <option key={name} value={name}>
            {about}
          </option>
        ))}
      </select>
      <label for="render-seconds">Seconds</label>
      <input
        id="render-seconds"
        type="number"
        min={1}
        max={600}
        step="any"
        value={seconds}
        onChange={(event) => set({ seconds: Number(event.currentTarget.value) })}
      />
      <label for="render-fps">Frames a second</label>
      <select id="render-fps" value={String(fps)} onChange={(event) => set({ fps: Number(event.currentTarget.value) })}>
        {[12, 24, 25, 30, 60].map((rate) => (
          <option key={rate} value={String(rate)}>
            {rate}
          </option>
        ))}
      </select>
      <label for="render-size">Longest side</label>
      <select id="render-size" value={String(longest)} onChange={(event) => set({ longest: Number(event.currentTarget.value) })}>
        {[320, 480, 640, 960, 1280, 1920].map((side) => (
          <option key={side} value={String(side)}>
            {side}
          </option>
        ))}
      </select>
    </div>
  );
}

function VideoFields() {
  const one = videos.value.find((known) => known.id === video.value);
  const { start, end, longest, coherence } = clip.value;
  const seconds = one?.moves[0] ?? 0;
  const own = one ? Math.max(one.width, one.height) : 0;
  const set = (change: Partial<typeof clip.value>): void => {
    clip.value = { ...clip.value, ...change };
    draft.value = null;
  };
  return (
    <>
      {unread.value && (
        <p class="why" role="alert">
          {[unread.value.detail, ...unread.value.ways_out].join(" ")}
        </p>
      )}
      {coming.value && (
        <p class="dim" role="status">
          {coming.value.name} is on its way: {Math.floor(100 * coming.value.share)} %
        </p>
      )}
      <div class="fields">
        <label for="render-video">Video</label>
        <span>
          {videos.value.length > 0 && (
            <select
              id="render-video"
              value={video.value ?? ""}
              onChange={(event) => {
                [video.value, unread.value] = [event.currentTarget.value || null, null];
                set({ start: 0, end: null });
              }}
            >
              <option value="">none yet</option>
              {videos.value.map((known) => (
                <option key={known.id} value={known.id}>
                  {known.name}
                </option>
              ))}
            </select>
          )}
          <Choose
            id={videos.value.length > 0 ? undefined : "render-video"}
            disabled={coming.value !== null}
            label="Choose a video…"
            name="Choose a video"
            accept="video/*,.mkv"
            onFile={(file) => void takeVideo(file)}
          />
        </span>
        {one && (
          <>
            <label for="render-from">From, to</label>
            <span>
              <input id="render-from" type="number" min={0} max={seconds} step="any" value={start} onChange={(event) => set({ start: Number(event.currentTarget.value) })} />
              <input
                type="number"
                aria-label="To"
                min={0}
                max={seconds}
                step="any"
                value={end ?? Number(seconds.toFixed(2))}
                onChange={(event) => {
                  const to = Number(event.currentTarget.value);
                  set({ end: to > 0 && to < seconds ? to : null });
                }}
              />
              <span class="dim">of {seconds.toFixed(1)} s</span>
            </span>
            <label for="render-coherence">Frame to frame</label>
            <select id="render-coherence" value={coherence} onChange={(event) => set({ coherence: event.currentTarget.value })}>
              {COHERENCES.map(([name, about]) => (
                <option key={name} value={name}>
                  {about}
                </option>
              ))}
            </select>
            <label for="render-wide">Longest side</label>
            <select id="render-wide" value={longest === null || longest >= own ? "own" : String(longest)} onChange={(event) => set({ longest: event.currentTarget.value === "own" ? null : Number(event.currentTarget.value) })}>
              {[...new Set([320, 480, 640, 960, 1280, longest ?? own])].sort((a, b) => a - b).filter((side) => side < own).map((side) => (
                <option key={side} value={String(side)}>
                  {side}
                </option>
              ))}
              <option value="own">{own}, the video's own</option>
            </select>
          </>
        )}
      </div>
      {!one && !coming.value && <p class="dim">Every frame is dreamt on, and the sound kept. It needs ffmpeg on the machine with the studio.</p>}
    </>
  );
}

/** A little of the movie, small, to be looked at before hours are spent: three seconds of a zoom, three frames of a video. */
function Draft({ of }: { of?: string }) {
  const job = jobs.value.find((one) => one.id === draft.value && one.wanted.kind === (of ? "sample" : "zoom"));
  const run = job && running.value?.id === job.id ? running.value : null;
  const ready = job?.state === "done";
  const make = (): void => {
    const small = 320;
    const zoomed = (): Wanted => {
      const { motion, fps } = zoom.value;
      return { kind: "zoom", seconds: Math.min(3, zoom.value.seconds), motion, fps: Math.min(fps, 24), longest: small };
    };
    const tried = (): Wanted => {
      const { start, end } = clip.value;
      const last = end ?? videos.value.find((one) => one.id === of)?.moves[0] ?? 0;
      const at = [1, 3, 5].map((sixth) => Number((start + ((last - start) * sixth) / 6).toFixed(3)));
      return { kind: "sample", at, longest: small };
    };
    addJob(of ? tried() : zoomed(), true, of ?? null).then((made) => (draft.value = made.id), fail);
  };
  const words = of ? "Try three frames" : "Make a draft: 3 s at 320 px";
  return (
    <div class="draft">
      {ready && !of && <video key={job.id} src={made(job.id)} controls loop muted playsInline />}
      {ready && of && <img key={job.id} src={made(job.id)} alt="Three frames, each dreamt on by itself" />}
      {job?.failure && <p class="why">{[job.failure.detail, ...job.failure.ways_out].join(" ")}</p>}
      {job && !ready && !job.failure && (
        <p class="dim" role="status">
          {!run ? "The draft waits for its turn." : run.done.frames ? `The draft is made: frame ${run.done.frame ?? 0} of ${run.done.frames}` : `The draft is made: ${Math.floor(100 * run.done.share)} %`}
        </p>
      )}
      {(!job || ready || job.failure) && <button onClick={make}>{job ? "Once more" : words}</button>}
    </div>
  );
}
