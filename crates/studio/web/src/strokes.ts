// A mask as what was painted: strokes that are drawn again whenever one is added or taken back. The server gets
// the picture of them, under its hash; what a hash was painted with is remembered while the page is open.

import { effect, signal } from "@preact/signals";
import { asset, key, photo, request } from "./api";
import { keep } from "./guide";
import { change, fail, newGesture, recipe, start } from "./state";

type Box = [number, number, number, number];

/** Places are shares of the picture's sides, sizes shares of its longest one. */
export type Stroke =
  | { kind: "brush"; erase: boolean; size: number; soft: number; points: [number, number][] }
  | { kind: "rectangle"; erase: boolean; soft: number; box: Box }
  | { kind: "ellipse"; erase: boolean; soft: number; box: Box }
  | { kind: "fill"; erase: boolean }
  | { kind: "invert" }
  | { kind: "picture"; erase: boolean; picture: CanvasImageSource };

/** The longest side of a mask, in pixels: it is enlarged softly. */
const LONGEST = 1024;

export const strokes = signal<Stroke[]>([]);
/** The stroke that is being made. */
export const live = signal<Stroke | null>(null);
/** The mask of the strokes, white where the dream counts and clear elsewhere; it changes with `drawn`. */
export const drawn = signal(0);
let canvas: HTMLCanvasElement | null = null;

const known = new Map<string, Stroke[]>();
let commits = 0;
let order: Promise<void> = Promise.resolve();

export const region = (): { sha256: string; invert: boolean; feather: number } | null => recipe.value?.regions?.["mask"] ?? null;

/** Whether a stroke that lets the dream count, or `takes` that away, erases: a mask that is turned round is painted by erasing. */
export const erases = (takes: boolean): boolean => takes !== (region()?.invert ?? false);

/** The size of masks for the picture on the desk. */
export function size(): [number, number] {
  const picture = start.value;
  if (!picture) return [1, 1];
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  return [Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale))];
}

function blank(): HTMLCanvasElement {
  const made = document.createElement("canvas");
  [made.width, made.height] = size();
  return made;
}

/** The mask as it is painted, the stroke that is being made left out. */
export function mask(): HTMLCanvasElement {
  if (!canvas) {
    canvas = blank();
    for (const stroke of strokes.value) draw(canvas, stroke);
  }
  return canvas;
}

/** Draws a stroke onto a mask. */
export function draw(onto: HTMLCanvasElement, stroke: Stroke): void {
  const pen = onto.getContext("2d")!;
  const { width, height } = onto;
  const longest = Math.max(width, height);
  pen.save();
  pen.fillStyle = pen.strokeStyle = "#fff";
  if (stroke.kind === "fill" || stroke.kind === "invert") {
    // What is clear becomes white and the other way round.
    if (stroke.kind === "invert") pen.globalCompositeOperation = "source-out";
    else if (stroke.erase) pen.globalCompositeOperation = "destination-out";
    pen.fillRect(0, 0, width, height);
  } else if (stroke.kind === "picture") {
    pen.clearRect(0, 0, width, height);
    pen.drawImage(stroke.picture, 0, 0, width, height);
    const pixels = pen.getImageData(0, 0, width, height);
    const { data } = pixels;
    for (let at = 0; at < data.length; at += 4) {
      const luma = 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
      const counts = Math.round((luma * data[at + 3]!) / 255);
      data[at + 3] = stroke.erase ? 255 - counts : counts;
      data[at] = data[at + 1] = data[at + 2] = 255;
    }
    pen.putImageData(pixels, 0, 0);
  } else {
    if (stroke.erase) pen.globalCompositeOperation = "destination-out";
    const reach = stroke.kind === "brush" ? stroke.size * longest : Math.min(Math.abs(stroke.box[2] * width), Math.abs(stroke.box[3] * height));
    const soft = stroke.soft * reach * 0.5;
    // A shadow without what casts it is a soft shape in every browser.
    const away = 3 * longest;
    if (soft >= 0.5) {
      pen.shadowColor = "#fff";
      pen.shadowBlur = soft;
      pen.shadowOffsetX = away;
      pen.translate(-away, 0);
    }
    if (stroke.kind === "brush") {
      pen.lineWidth = Math.max(1, reach - soft / 2);
      pen.lineCap = pen.lineJoin = "round";
      pen.beginPath();
      stroke.points.forEach(([x, y], index) => {
        pen.lineTo(x * width, y * height);
        // A dot is a line too.
        if (index === 0) pen.lineTo(x * width + 0.01, y * height);
      });
      pen.stroke();
    } else {
      const [left, top, across, down] = stroke.box;
      const [x, y, w, h] = [left * width, top * height, across * width, down * height];
      pen.beginPath();
      if (stroke.kind === "rectangle") pen.rect(x, y, w, h);
      else pen.ellipse(x + w / 2, y + h / 2, Math.abs(w) / 2, Math.abs(h) / 2, 0, 0, 2 * Math.PI);
      pen.fill();
    }
  }
  pen.restore();
}

function show(all: Stroke[]): void {
  strokes.value = all;
  canvas = null;
  drawn.value += 1;
}

/** The mask as a file of grey, or nothing if nothing is painted. */
async function file(): Promise<Blob | null> {
  const painted = mask();
  const { width, height } = painted;
  const pixels = painted.getContext("2d")!.getImageData(0, 0, width, height).data;
  let any = false;
  for (let at = 3; at < pixels.length && !any; at += 4) any = pixels[at]! > 0;
  if (!any) return null;
  const grey = blank();
  const pen = grey.getContext("2d")!;
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, width, height);
  pen.drawImage(painted, 0, 0);
  return new Promise((done, lost) => grey.toBlob((blob) => (blob ? done(blob) : lost(new Error("no picture of the mask"))), "image/png"));
}

/** Adds a stroke: the dream begins again with it, and undo takes it back. */
export function add(stroke: Stroke): void {
  const all = stroke.kind === "fill" || stroke.kind === "picture" ? [stroke] : [...strokes.value, stroke];
  show(all);
  commits += 1;
  const picture = file();
  // One after another, so that each is one to undo.
  order = order.then(async () => {
    try {
      const blob = await picture;
      const id = blob ? (await keep(blob, "mask.png")).id : null;
      if (id) known.set(id, all);
      shown = id;
      newGesture();
      change({ mask: { id } });
    } catch (error) {
      fail(error);
    } finally {
      commits -= 1;
    }
  });
}

/** Dreams everywhere again. */
export function clear(): void {
  show([]);
  commits += 1;
  // After the strokes that are on their way, which would bring the mask back.
  order = order.then(() => {
    shown = null;
    newGesture();
    change({ mask: { id: null } });
    commits -= 1;
  });
}

/** Takes a picture as the mask: bright where the dream counts. */
export async function fromFile(picture: File): Promise<void> {
  const read = await createImageBitmap(picture, { imageOrientation: "from-image" }).catch(() => null);
  if (read) add({ kind: "picture", erase: erases(false), picture: read });
  else fail(new Error(`Could not read ${picture.name}: this browser does not know the format. Try a PNG or a JPEG.`));
}

/** Takes the photo as its own mask. */
export async function byBrightness(): Promise<void> {
  const at = start.value;
  if (!at || at.noise) return;
  try {
    const answer = await request("GET", photo(at.id, LONGEST));
    const picture = await createImageBitmap(await answer.blob());
    if (start.value?.id === at.id) add({ kind: "picture", erase: erases(false), picture });
  } catch (error) {
    fail(error);
  }
}

// What is on the desk may be another mask: after undo, from another window, or of a recipe that came in.
let shown: string | null = null;
let sizes = "";
effect(() => {
  const id = region()?.sha256 ?? null;
  const now = size().join();
  void key.value;
  if (now !== sizes) {
    sizes = now;
    canvas = null;
    drawn.value += 1;
  }
  if (id === shown || commits > 0) return;
  shown = id;
  const there = id ? known.get(id) : [];
  if (there) return show(there);
  void load(id!);
});

async function load(id: string): Promise<void> {
  for (const kind of ["png", "jpg"] as const) {
    const answer = await fetch(asset(id, kind)).catch(() => null);
    if (!answer?.ok) continue;
    const picture = await createImageBitmap(await answer.blob());
    const all: Stroke[] = [{ kind: "picture", erase: false, picture }];
    known.set(id, all);
    if (shown === id) show(all);
    return;
  }
}
