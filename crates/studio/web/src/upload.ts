// What comes in from the person: photos, recipes and videos, dropped, chosen or pasted.

import { request, send } from "./api";
import { isVideo, takeVideo } from "./behind";
import { answerOffer, fail, offered, start, tried, trouble, uploading } from "./state";
import type { Difference, Start } from "./types";

/** Takes a photo in and begins to dream on it; asks what one is for that carries a recipe. */
export async function upload(file: File): Promise<void> {
  trouble.value = null;
  offered.value = null;
  const name = file.name || "photo";
  if (/\.toml$/i.test(name)) {
    const text = await file.text();
    return tried(() => request("POST", "/api/recipes", { text }));
  }
  if (isVideo(file)) return takeVideo(file);
  uploading.value = { name, picture: null, share: 0 };
  createImageBitmap(file, { imageOrientation: "from-image" }).then(
    (picture) => {
      if (uploading.value?.name === name) uploading.value = { ...uploading.value, picture };
    },
    () => undefined,
  );
  try {
    const came = (await send(`/api/pictures?name=${encodeURIComponent(name)}`, file, (share) => {
      if (uploading.value?.name === name) uploading.value = { ...uploading.value, share };
    })) as { start: Start; offered: boolean; original: string | null; differences: Difference[] | null };
    if (came.offered) {
      offered.value = { ...came.start, original: came.original, differences: came.differences };
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
