// The stage: the picture, as it is dreamt, and what it is compared with.

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { again, key, photo, card as small } from "./api";
import { span } from "./behind";
import { Place } from "./channels";
import { against, compare } from "./compare";
import { cardOf, checked, isMade } from "./history";
import { Painted } from "./mask";
import { act, answerOffer, changedAt, connected, desk, dream, elsewhere, offered, phase, recipe, say, settle, showStep, start, uploading } from "./state";
import { clear, region } from "./strokes";
import type { Difference, Dream } from "./types";
import { FetchNeeded, Trouble } from "./trouble";
import { Variations } from "./variations";

/** Where the split is, 0–100. */
export const split = signal(50);
/** Whether the original is held up. */
export const held = signal(false);
export const surround = signal<"black" | "grey" | "white">("black");
export const wide = signal(false);
/** How large the picture is shown against what fits, and how far it is moved, in CSS pixels. */
export const zoom = signal(1);
export const pan = signal<[number, number]>([0, 0]);
/** The picture that is drawn: its size and whether it is the whole dream. */
const drawn = signal<{ start: string; width: number; height: number; whole: boolean; rev: number } | null>(null);

export function fit(): void {
  zoom.value = 1;
  pan.value = [0, 0];
}

export function nextSurround(): void {
  surround.value = surround.value === "black" ? "grey" : surround.value === "grey" ? "white" : "black";
}

/** The size of the box in which the picture fits, set by the stage as its own size changes. */
const room = signal<[number, number]>([0, 0]);

const box = (): [number, number] => {
  const [width, height] = room.value;
  const picture = start.value;
  if (!picture || !width) return [0, 0];
  const columns = compare.value === "side" ? 2 : 1;
  const scale = Math.min((width - 8 * (columns - 1)) / columns / picture.width, height / picture.height);
  return [Math.max(1, picture.width * scale), Math.max(1, picture.height * scale)];
};

/** A pixel of the picture a pixel of the screen. */
export function actualSize(): void {
  const [width] = box();
  const shown = drawn.value;
  if (width && shown) zoom.value = shown.width / window.devicePixelRatio / width;
}

/** The longest side of a frame, in pixels: the server gives no larger ones. */
const LARGEST = 4096;

/** How good and how large frames are, the faster a link is the better. */
const LINKS = [
  { quality: 80, most: Infinity },
  { quality: 60, most: Infinity },
  { quality: 60, most: 480 },
  { quality: 60, most: 320 },
];

/** Fetches frames and draws them, one request at a time, as long as there is something new to see. */
function useFrames(canvas: { current: HTMLCanvasElement | null }): void {
  useEffect(() => {
    let after = 0;
    // A slow link gets coarser frames, then smaller ones.
    let slow = 0;
    // The longest side of the whole dream that is drawn, if it could be larger.
    let limit = Infinity;
    let over = false;
    let wake = (): void => undefined;
    const stop = effect(() => {
      void [dream.value?.frame, dream.value?.phase, desk.value?.start?.id, key.value, connected.value, room.value, zoom.value, compare.value];
      wake();
    });
    // Who wants little to move sees an octave at a time.
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    let octave = "";
    const news = (): boolean => {
      const state = dream.value;
      if (!state || !key.value || !connected.value || document.visibilityState !== "visible") return false;
      // Where it goes is not known yet.
      if (box()[0] === 0) return false;
      if (calm.matches && state.phase === "dreaming") return octave !== `${state.rev} ${state.step.octave}`;
      return state.phase === "dreaming" || state.frame > after || sharp() > limit;
    };
    // The longest side that can be seen. It grows by steps: who turns a wheel does not fetch at each notch.
    const sharp = (): number => {
      const larger = 2 ** Math.ceil(Math.log2(Math.max(zoom.value, 1)));
      return Math.min(LARGEST, Math.round(Math.max(...box(), 64) * Math.min(window.devicePixelRatio, 2) * larger));
    };
    const loop = async (): Promise<void> => {
      while (!over) {
        if (!news()) {
          await new Promise<void>((done) => {
            wake = done;
            setTimeout(done, 2000);
          });
          continue;
        }
        octave = `${dream.value?.rev} ${dream.value?.step.octave}`;
        try {
          const { quality, most } = LINKS[slow]!;
          // What is whole is looked at for long.
          const longest = phase.value === "dreaming" && sharp() <= limit ? Math.min(sharp(), most) : sharp();
          // The same frame again, larger.
          const last = sharp() > limit ? after - 1 : after;
          const answer = await fetch(`/frames/${key.value}?after=${last}&max=${longest}&q=${quality}`);
          const came = performance.now();
          if (answer.status !== 200) {
            if (!answer.ok) await new Promise((done) => setTimeout(done, 500));
            continue;
          }
          const head = (name: string): number => Number(answer.headers.get(name));
          const [frame, rev, at, whole] = [head("x-frame"), head("x-rev"), head("x-octave"), head("x-whole") === 1];
          const bitmap = await createImageBitmap(await answer.blob());
          after = frame;
          limit = whole && Math.max(bitmap.width, bitmap.height) >= longest ? longest : Infinity;
          // The time until there was something new is none that the link takes.
          const took = performance.now() - came;
          if (!whole && took > 250) slow = Math.min(slow + 1, LINKS.length - 1);
          else if (!whole && took < 100) slow = Math.max(slow - 1, 0);
          const picture = start.value;
          const fresh = drawn.value?.start !== picture?.id;
          // No flash of blur at each move: what was whole stays for a moment.
          const early = !whole && at < 3 && performance.now() - changedAt.value < 250;
          const old = rev < (desk.value?.rev ?? 0);
          if (picture && !over && (fresh || (!early && !old))) {
            const { width, height } = bitmap;
            show(canvas.current, bitmap);
            const last = drawn.value;
            // Most frames differ from the one before in nothing but their pixels.
            if (fresh || last?.width !== width || last.height !== height || last.whole !== whole || last.rev !== rev) {
              drawn.value = { start: picture.id, width, height, whole, rev };
            }
            showStep();
          }
          bitmap.close();
        } catch {
          await new Promise((done) => setTimeout(done, 500));
        }
      }
    };
    void loop();
    return () => {
      over = true;
      stop();
      wake();
    };
  }, []);
}

function resize(canvas: HTMLCanvasElement, picture: ImageBitmap): void {
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
  }
}

/** Draws a copy of a picture. */
function draw(canvas: HTMLCanvasElement | null, picture: ImageBitmap): void {
  if (!canvas) return;
  resize(canvas, picture);
  canvas.getContext("2d")?.drawImage(picture, 0, 0);
}

/** Puts a picture on the screen as it is, which paints nothing else, and takes it. */
function show(canvas: HTMLCanvasElement | null, picture: ImageBitmap): void {
  if (!canvas) return;
  resize(canvas, picture);
  canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(picture);
}

/** Wheel, drag, pinch and a held finger on the stage. */
function useHands(stage: { current: HTMLElement | null }): void {
  useEffect(() => {
    const element = stage.current;
    if (!element) return;
    const fingers = new Map<number, [number, number]>();
    let hold = 0;
    let moved = 0;
    const bounded = (value: number): number => Math.min(32, Math.max(1, value));
    const zoomAt = (to: number, x: number, y: number): void => {
      const frame = element.getBoundingClientRect();
      const [px, py] = [x - frame.left - frame.width / 2, y - frame.top - frame.height / 2];
      const ratio = bounded(to) / zoom.value;
      pan.value = [px - (px - pan.value[0]) * ratio, py - (py - pan.value[1]) * ratio];
      zoom.value = bounded(to);
      if (zoom.value === 1) pan.value = [0, 0];
    };
    const wheel = (event: WheelEvent): void => {
      if (!start.value) return;
      event.preventDefault();
      zoomAt(zoom.value * Math.exp(-event.deltaY / 400), event.clientX, event.clientY);
    };
    const down = (event: PointerEvent): void => {
      if ((event.target as Element).closest("button, input, [data-paints=true]")) return;
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
      element.setPointerCapture(event.pointerId);
      moved = 0;
      clearTimeout(hold);
      if (event.pointerType === "touch" && fingers.size === 1) {
        hold = window.setTimeout(() => {
          if (fingers.size === 1 && moved < 8) held.value = true;
        }, 250);
      }
    };
    const move = (event: PointerEvent): void => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
      moved += Math.abs(dx) + Math.abs(dy);
      if (fingers.size === 2) {
        const other = [...fingers].find(([id]) => id !== event.pointerId)![1];
        const far = (x: number, y: number): number => Math.hypot(x - other[0], y - other[1]) || 1;
        zoomAt((zoom.value * far(event.clientX, event.clientY)) / far(...before), other[0], other[1]);
      } else if (zoom.value > 1) {
        pan.value = [pan.value[0] + dx, pan.value[1] + dy];
      }
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
    };
    const up = (event: PointerEvent): void => {
      fingers.delete(event.pointerId);
      clearTimeout(hold);
      held.value = false;
    };
    element.addEventListener("wheel", wheel, { passive: false });
    element.addEventListener("pointerdown", down);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", up);
    element.addEventListener("dblclick", fit);
    const sizes = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      room.value = [width, height];
    });
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      element.removeEventListener("wheel", wheel);
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", up);
      element.removeEventListener("dblclick", fit);
    };
  }, []);
}

const px = (value: number): string => `${value}px`;

export function Stage() {
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useHands(stage);
  useFrames(canvas);
  const [width, height] = box();
  const picture = start.value;
  const other = against.value;
  const mode = picture?.noise && !other ? "off" : compare.value;
  const shown = drawn.value;
  const fresh = shown?.start !== picture?.id;
  const size = { width: px(width), height: px(height) };
  const transform = `translate(${pan.value[0]}px, ${pan.value[1]}px) scale(${zoom.value})`;
  const squares = shown?.whole && zoom.value * width * window.devicePixelRatio >= shown.width;
  const longest = desk.value?.longest ?? 1280;
  // A card is shown small until it is dreamt again.
  const card = other && (isMade(other) ? again(other, longest) : small(other));
  const beside = picture && (mode !== "off" && card && !held.value ? card : photo(picture.id, longest));
  const original = picture && (held.value ? !picture.noise : mode !== "off");
  const what = card && !held.value ? "The other dream" : "The original";
  const name = picture ? `${recipe.value?.title ?? "dream"} on ${picture.name}, ${phase.value}` : "";
  return (
    <div class="stage" ref={stage} data-surround={surround.value} id="stage" tabIndex={-1}>
      <div class="pictures" style={{ transform }} data-mode={mode}>
        {mode === "side" && picture && <img class="original" src={beside!} style={size} alt={what} draggable={false} />}
        <div class="frame" style={size} hidden={!picture} data-rev={shown?.whole ? shown.rev : 0}>
          <canvas
            ref={canvas}
            class={squares && zoom.value > 1 ? "squares" : ""}
            role="img"
            aria-label={name}
            hidden={fresh}
          />
          {picture && !picture.noise && fresh && <img class="over" src={photo(picture.id, desk.value?.longest ?? 1280)} alt="" draggable={false} />}
          {original && mode !== "side" && (
            <img
              class="over"
              src={beside!}
              alt={held.value ? what : ""}
              draggable={false}
              style={{ clipPath: held.value ? "none" : `inset(0 ${100 - split.value}% 0 0)` }}
            />
          )}
          {picture && !held.value && <Painted />}
          {picture && !picture.noise && <Place />}
          {mode === "split" && !held.value && <i class="seam" style={{ left: `${split.value}%` }} />}
        </div>
      </div>
      {mode === "split" && !held.value && picture && (
        <input
          class="split"
          type="range"
          min={0}
          max={100}
          step={1}
          value={split.value}
          style={{ width: px(width + 32) }}
          aria-label={other ? "Where the other dream ends and this one begins" : "Where the original ends and the dream begins"}
          onInput={(event) => (split.value = Number(event.currentTarget.value))}
        />
      )}
      {mode === "side" && other && (
        <p class="labels">
          <span>{cardOf(other)?.title ?? "The other dream"}, a card</span>
          <span>{recipe.value?.title ?? "The dream"}, on the desk</span>
        </p>
      )}
      {other && mode !== "off" && !isMade(other) && (
        <p class="chip making">{checked(other) === "failed" ? "It could not be dreamt again: its small picture is shown." : "It is dreamt again, to be compared…"}</p>
      )}
      <Variations />
      {uploading.value && <Uploading />}
      <Messages />
    </div>
  );
}

function Uploading() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = uploading.value?.picture;
  useEffect(() => {
    if (picture) draw(canvas.current, picture);
  }, [picture]);
  return (
    <div class="uploading">
      <canvas ref={canvas} hidden={!picture} aria-hidden="true" />
      <p class="chip">{uploading.value?.name} is coming in…</p>
      <i class="hair" style={{ width: `${100 * (uploading.value?.share ?? 0)}%` }} />
    </div>
  );
}

/** What a recipe would change, in a sentence. */
function changes(all: Difference[]): string {
  if (all.length === 0) return "On your photo it changes nothing.";
  const short = (value: string | null): boolean => value === null || value.length < 12;
  const one = ([path, before, after]: Difference): string => (short(before) && short(after) ? `${path} ${before ?? "unset"} → ${after ?? "unset"}` : path);
  const more = all.length > 4 ? ` and ${all.length - 4} more` : "";
  return `On your photo it changes ${all.slice(0, 4).map(one).join(", ")}${more}.`;
}

/** What has gone wrong, beside the picture and never over all of it. */
function Messages() {
  const failure = phase.value === "refused" ? dream.value?.failure : null;
  return (
    <div class="messages">
      <Trouble />
      {offered.value && (
        <div class="message" role="group" aria-label="A picture with a recipe">
          <p>{offered.value.name} was dreamt by a recipe.</p>
          {offered.value.differences && <p class="dim">{changes(offered.value.differences)}</p>}
          <button class="primary" onClick={() => answerOffer("recipe")}>
            Use its recipe on my photo
          </button>
          <button onClick={() => answerOffer("picture")}>Dream on from this picture</button>
          {offered.value.original && <button onClick={() => answerOffer("original")}>Open it with its original, {offered.value.original}</button>}
          <button onClick={() => answerOffer(null)}>Neither</button>
        </div>
      )}
      {elsewhere.value && (
        <div class="message">
          <p>Changed in another window.</p>
          <button onClick={() => settle(false)}>Show it</button>
          <button onClick={() => settle(true)}>Make mine on top</button>
        </div>
      )}
      {failure && (
        <div class="message danger">
          <p>{failure.detail}</p>
          {failure.ways_out.map((way) => (
            <p class="dim">{way}</p>
          ))}
          <FetchNeeded failure={failure} />
          {failure.fault === "memory" && failure.value && <Smaller longest={Number(failure.value)} />}
          {failure.knob === "regions" && region() && <button onClick={clear}>Leave the mask out</button>}
          <button onClick={() => act("/api/dream/undo")}>Undo</button>
        </div>
      )}
    </div>
  );
}

/** The way out of too little memory. */
const Smaller = ({ longest }: { longest: number }) => (
  <button class="primary" onClick={() => act("/api/dream/size", { longest })}>
    Dream at {longest} px
  </button>
);

/** A short time to a tenth of a second. */
const seconds = (value: number): string => (value < 10 ? `${value.toFixed(1)} s` : span(value));

function describe(state: Dream): string {
  const { step, phase } = state;
  const at = (step.octave - 1) * step.steps + step.step;
  switch (phase) {
    case "empty":
      return "";
    case "refused":
      return "Not dreamt";
    case "paused":
      return `Paused at step ${at} of ${step.octaves * step.steps}`;
    case "stopped":
      return "Stopped, unfinished: no recipe makes it as it is";
    case "done":
      return state.size ? `${state.size[0]} × ${state.size[1]}${state.seconds >= 0.05 ? ` in ${seconds(state.seconds)}` : ""} · exact` : "";
    default:
      return step.octave ? `octave ${step.octave} of ${step.octaves} · ${Math.max(step.width, step.height)} px` : "begins…";
  }
}

export function Progress() {
  const state = dream.value;
  const last = useSignal({ phase: "", octave: 0, at: 0 });
  useEffect(() => {
    if (!state) return;
    const before = last.value;
    const now = performance.now();
    if (state.phase !== before.phase) say(state.phase === "dreaming" ? `Dreaming on ${start.value?.name}` : describe(state));
    else if (state.phase === "dreaming" && state.step.octave !== before.octave && now - before.at > 3000) say(describe(state));
    else return;
    last.value = { phase: state.phase, octave: state.step.octave, at: now };
  }, [state?.phase, state?.step.octave]);
  if (!state || state.phase === "empty") return <div class="progress" />;
  const share = state.phase === "done" ? 1 : state.step.total ? state.step.done / state.step.total : 0;
  const runs = state.phase === "dreaming" || state.phase === "paused";
  return (
    <div class="progress" data-phase={state.phase} data-rev={state.rev}>
      <div class="line" role="progressbar" aria-label="The dream" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * share)}>
        <i class="done" style={{ width: `${100 * share}%` }} />
        {state.octaves.slice(0, -1).map((at) => (
          <i class="tick" style={{ left: `${100 * at}%` }} />
        ))}
      </div>
      <span class="text">{describe(state)}</span>
      {state.left !== null && state.left > 3 && <span class="share">{seconds(state.left)} left</span>}
      {runs && <span class="share">{Math.floor(100 * share)} %</span>}
      {state.phase === "dreaming" && <button onClick={() => act("/api/dream/pause")}>Pause</button>}
      {state.phase === "paused" && <button onClick={() => act("/api/dream/resume")}>Go on</button>}
      {runs && <button onClick={() => act("/api/dream/stop")}>Stop</button>}
      {(state.phase === "stopped" || state.phase === "refused") && <button onClick={() => act("/api/dream/resume")}>Begin again</button>}
    </div>
  );
}
