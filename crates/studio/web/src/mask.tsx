// The mask: where the dream counts. Its tools, and its tint over the picture, which is there as long as it counts.

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Choose } from "./choose";
import { shares } from "./pointer";
import { Range } from "./range";
import { say, set, start, value } from "./state";
import { add, byBrightness, clear, draw, drawn, erases, fromFile, live, mask, region } from "./strokes";
import type { Stroke } from "./strokes";

type Tool = "brush" | "eraser" | "rectangle" | "ellipse";

/** Whether the pointer paints. */
export const painting = signal(false);
const tool = signal<Tool>("brush");
const brush = signal(0.12);
const soft = signal(0.4);

const TINTS = [
  ["red", "#ff4d4d"],
  ["green", "#3ddc84"],
  ["blue", "#4d9dff"],
] as const;
const tint = signal<(typeof TINTS)[number][0]>("blue");

/** How strongly the tint covers the picture, while it is painted and while it only says that the mask counts. */
const COVER = { paints: 0.5, counts: 0.2 };

effect(() => {
  if (!start.value) painting.value = false;
});

export function togglePainting(): void {
  if (!start.value) return;
  painting.value = !painting.value;
  say(painting.value ? "Painting where the dream counts." : "No longer painting.");
}

export function Mask() {
  const box = useSignal([25, 25, 50, 50]);
  const there = region();
  const shape = tool.value === "rectangle" || tool.value === "ellipse";
  const put = (takes: boolean): void => {
    const [left, top, width, height] = box.value.map((side) => side / 100);
    const kind = tool.value === "ellipse" ? "ellipse" : "rectangle";
    add({ kind, erase: erases(takes), soft: soft.value, box: [left!, top!, width!, height!] });
  };
  return (
    <details class="group mask" open={painting.value || Boolean(there)}>
      <summary>
        Mask
        {there && <span class="count">counts</span>}
      </summary>
      <fieldset disabled={!start.value}>
        <legend class="hidden">Mask</legend>
        {!there && <p class="note">Paint where the dream counts; elsewhere the photo stays as it is.</p>}
        <p class="tools">
          <button class={painting.value ? "" : "primary"} aria-pressed={painting.value} title="Paint (M)" onClick={togglePainting}>
            {painting.value ? "Done" : there ? "Paint on" : "Paint a mask"}
          </button>
          <Choose label="From a file…" name="A mask from a file" accept="image/*" onFile={(file) => void fromFile(file)} />
          {there && <button onClick={clear}>Remove</button>}
        </p>
        {painting.value && (
          <>
            <p class="segments" role="group" aria-label="Tool">
              {(["brush", "eraser", "rectangle", "ellipse"] as const).map((name) => (
                <button key={name} aria-pressed={tool.value === name} onClick={() => (tool.value = name)}>
                  {{ brush: "Brush", eraser: "Eraser", rectangle: "Rectangle", ellipse: "Ellipse" }[name]}
                </button>
              ))}
            </p>
            {!shape && <Slide label="Size of the brush" at={brush.value} from={0.01} to={0.6} usual={0.12} log onMove={(to) => (brush.value = to)} />}
            <Slide label="Softness of what is painted" at={soft.value} from={0} to={1} usual={0.4} onMove={(to) => (soft.value = to)} />
            {shape && (
              <>
                <div class="sides" role="group" aria-label={`The ${tool.value} by numbers, in percent`}>
                  {["left", "top", "width", "height"].map((name, index) => (
                    <label key={name}>
                      {name}
                      <input
                        type="number"
                        min={index < 2 ? -100 : 1}
                        max={200}
                        value={box.value[index]}
                        onChange={(event) => (box.value = box.value.map((side, at) => (at === index ? event.currentTarget.valueAsNumber || 0 : side)))}
                      />
                    </label>
                  ))}
                </div>
                <p class="tools">
                  <button onClick={() => put(false)}>Add it</button>
                  <button onClick={() => put(true)}>Take it away</button>
                </p>
              </>
            )}
            <p class="tools">
              <button onClick={() => add({ kind: "fill", erase: erases(false) })}>Fill</button>
              <button onClick={() => add({ kind: "invert" })}>Invert</button>
              {!start.value?.noise && (
                <button title="The brighter the photo is, the more the dream counts" onClick={() => void byBrightness()}>
                  By brightness
                </button>
              )}
            </p>
          </>
        )}
        {there && (
          <>
            <div class="knob">
              <span>Soft border, all of it</span>
              <output>{value("regions.mask.feather") ?? there.feather}</output>
              <Range
                label="Soft border of the mask"
                shape={{ label: "Soft border", from: 0, to: 0.2, step: 0.005 }}
                now={value("regions.mask.feather") ?? String(there.feather)}
                usual="0"
                onMove={(to) => set("regions.mask.feather", to)}
                onReset={() => set("regions.mask.feather", 0)}
              />
            </div>
            <p class="tints" role="group" aria-label="Colour of the tint">
              <span>Tint</span>
              {TINTS.map(([name, color]) => (
                <button key={name} class="tint" aria-pressed={tint.value === name} aria-label={name} title={name} onClick={() => (tint.value = name)}>
                  <i style={{ background: color }} />
                </button>
              ))}
            </p>
          </>
        )}
      </fieldset>
    </details>
  );
}

interface SlideProps {
  label: string;
  at: number;
  from: number;
  to: number;
  usual: number;
  log?: boolean;
  onMove: (to: number) => void;
}

function Slide({ label, at, from, to, usual, log, onMove }: SlideProps) {
  const percent = (share: number): string => String(Math.round(100 * share));
  return (
    <div class="knob">
      <span>{label}</span>
      <output>{percent(at)} %</output>
      <Range
        label={label}
        shape={{ label, from: 100 * from, to: 100 * to, step: 1, ...(log ? { log } : {}) }}
        now={percent(at)}
        usual={percent(usual)}
        onMove={(moved) => onMove(moved / 100)}
        onReset={() => onMove(usual)}
      />
    </div>
  );
}

/** The mask's border, a thin line for the size that the mask has. */
function edge(pen: CanvasRenderingContext2D, width: number, height: number): Path2D {
  const { data } = pen.getImageData(0, 0, width, height);
  const inside = (x: number, y: number): boolean => data[4 * (y * width + x) + 3]! >= 128;
  const path = new Path2D();
  const thick = Math.max(1, Math.round(Math.max(width, height) / 400));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = inside(x, y);
      const right = x + 1 < width && inside(x + 1, y) !== at;
      const below = y + 1 < height && inside(x, y + 1) !== at;
      if (right || below) path.rect(x - thick / 2, y - thick / 2, thick, thick);
    }
  }
  return path;
}

/** The tint, and the hand that paints. */
export function Painted() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const at = useSignal<[number, number] | null>(null);
  const there = region();
  const paints = painting.value;
  const shown = Boolean(there) || paints;
  useEffect(() => {
    const onto = canvas.current;
    if (!onto) return;
    const painted = mask();
    [onto.width, onto.height] = [painted.width, painted.height];
    const pen = onto.getContext("2d")!;
    pen.drawImage(painted, 0, 0);
    if (live.value) draw(onto, live.value);
    if (there?.invert) draw(onto, { kind: "invert" });
    const border = paints ? null : edge(pen, onto.width, onto.height);
    const color = TINTS.find(([name]) => name === tint.value)![1];
    pen.globalCompositeOperation = "source-in";
    pen.globalAlpha = paints ? COVER.paints : COVER.counts;
    pen.fillStyle = color;
    pen.fillRect(0, 0, onto.width, onto.height);
    pen.globalCompositeOperation = "source-over";
    pen.globalAlpha = 1;
    if (border) pen.fill(border);
  }, [drawn.value, live.value, tint.value, there?.invert, shown, paints]);
  if (!shown) return null;
  const begin = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    const [x, y] = shares(event);
    const erase = erases(tool.value === "eraser");
    live.value =
      tool.value === "brush" || tool.value === "eraser"
        ? { kind: "brush", erase, size: brush.value, soft: soft.value, points: [[x, y]] }
        : { kind: tool.value, erase, soft: soft.value, box: [x, y, 0, 0] };
  };
  const move = (event: PointerEvent): void => {
    const [x, y] = shares(event);
    at.value = [x, y];
    const stroke = live.value;
    if (stroke?.kind === "brush") live.value = { ...stroke, points: [...stroke.points, [x, y]] };
    else if (stroke && "box" in stroke) {
      const [left, top] = stroke.box;
      live.value = { ...stroke, box: [left, top, x - left, y - top] };
    }
  };
  const end = (): void => {
    const stroke = live.value;
    live.value = null;
    if (!stroke) return;
    if ("box" in stroke) {
      const [x, y, w, h] = stroke.box;
      if (Math.abs(w) < 0.005 || Math.abs(h) < 0.005) return;
      add({ ...stroke, box: [Math.min(x, x + w), Math.min(y, y + h), Math.abs(w), Math.abs(h)] } as Stroke);
    } else add(stroke);
  };
  const round = tool.value === "brush" || tool.value === "eraser";
  const picture = start.value;
  const longest = picture ? Math.max(picture.width, picture.height) : 1;
  const across = picture ? `${(100 * brush.value * longest) / picture.width}%` : "0";
  const down = picture ? `${(100 * brush.value * longest) / picture.height}%` : "0";
  return (
    <>
      <canvas
        ref={canvas}
        class="tinted"
        data-paints={paints}
        role="img"
        aria-label={there ? "The mask: tinted where the dream counts" : "The mask, empty"}
        onPointerDown={paints ? begin : undefined}
        onPointerMove={paints ? move : undefined}
        onPointerUp={paints ? end : undefined}
        onPointerCancel={() => (live.value = null)}
        onPointerLeave={() => (at.value = null)}
      />
      {paints && round && at.value && <i class="brush" style={{ left: `${100 * at.value[0]}%`, top: `${100 * at.value[1]}%`, width: across, height: down }} />}
    </>
  );
}

