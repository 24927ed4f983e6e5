// What the dream on the desk is compared with, and how.

import { effect, signal } from "@preact/signals";
import { start, startId } from "./state";

export type Compare = "off" | "split" | "side";

export const compare = signal<Compare>("off");
/** The card that the dream is compared with; none is the original. */
export const against = signal<string | null>(null);

// Cards are those of one picture.
effect(() => {
  void startId.value;
  against.value = null;
});

export function toggleSplit(): void {
  if (!start.value?.noise || against.value) compare.value = compare.value === "split" ? "off" : "split";
}
