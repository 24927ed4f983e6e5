// What can be taken away: pictures, the recipe, the command line.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { request, saved, unfinished } from "./api";
import { renderOpen } from "./behind";
import { saveOpen } from "./keys";
import { act, dream, fail, phase, start } from "./state";
import { vary } from "./variations";

/** Puts a text where it can be pasted from; without HTTPS a page may do no more than select it. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("Could not copy: the browser does not allow it here. Try “Recipe as a file”.");
}

function download(address: string, name?: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name ?? "";
  link.click();
}

/** Whether the browser hands pictures to other programs. */
const shares = (): boolean => Boolean(navigator.canShare?.({ files: [new File([], "dream.png", { type: "image/png" })] }));

async function share(): Promise<void> {
  const blob = await (await request("GET", saved("png"))).blob();
  const name = `${start.value?.name.replace(/\.[^.]*$/, "") ?? "dream"}, dreamt.png`;
  try {
    await navigator.share({ files: [new File([blob], name, { type: "image/png" })] });
  } catch (error) {
    // Who thinks better of it has not failed.
    if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
  }
}

export function Save() {
  const copied = useSignal(false);
  const line = useSignal(false);
  const whole = phase.value === "done";
  const halted = dream.value?.halted ?? false;
  const box = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const away = (event: PointerEvent): void => {
      if (!box.current?.contains(event.target as Node)) saveOpen.value = false;
    };
    window.addEventListener("pointerdown", away);
    return () => window.removeEventListener("pointerdown", away);
  }, []);
  const text = async (): Promise<string> => (await request("GET", "/api/recipe")).text();
  return (
    <span class="menu" ref={box}>
      <button class="primary" disabled={!start.value} aria-expanded={saveOpen.value} aria-haspopup="true" onClick={() => (saveOpen.value = !saveOpen.value)}>
        Save
      </button>
      {saveOpen.value && start.value && (
        <div class="list">
          {(["png", "jpg", "webp"] as const).map((kind) => (
            <button
              key={kind}
              disabled={!whole}
              onClick={() => {
                download(saved(kind));
                saveOpen.value = false;
              }}
            >
              Picture, {kind.toUpperCase()}
            </button>
          ))}
          {halted && (
            <button
              onClick={() => {
                download(unfinished());
                saveOpen.value = false;
              }}
            >
              As it is now, JPG
            </button>
          )}
          {!whole && <p class="dim">{halted ? "Unfinished, it carries no recipe: none makes it." : "Pictures can be saved when the dream is whole."}</p>}
          <button
            onClick={() => {
              text()
                .then(copy)
                .then(() => {
                  copied.value = true;
                  setTimeout(() => (copied.value = false), 1500);
                }, fail);
            }}
          >
            {copied.value ? "Copied" : "Copy the recipe"}
          </button>
          <button
            onClick={() => {
              text().then((recipe) => {
                const address = `data:application/toml;charset=utf-8,${encodeURIComponent(recipe)}`;
                download(address, `${start.value?.name.replace(/\.[^.]*$/, "") ?? "dream"}.toml`);
              }, fail);
              saveOpen.value = false;
            }}
          >
            Recipe as a file
          </button>
          <button
            onClick={() => {
              request("GET", "/api/command")
                .then((answer) => answer.text())
                .then(copy)
                .then(() => {
                  line.value = true;
                  setTimeout(() => (line.value = false), 1500);
                }, fail);
            }}
          >
            {line.value ? "Copied" : "Copy the command line"}
          </button>
          {shares() && (
            <button disabled={!whole} onClick={() => void share().catch(fail)}>
              Share…
            </button>
          )}
          <button
            class="narrow"
            onClick={() => {
              renderOpen.value = "picture";
              saveOpen.value = false;
            }}
          >
            Render…
          </button>
          <button
            class="narrow"
            onClick={() => {
              vary();
              saveOpen.value = false;
            }}
          >
            Four variations
          </button>
          <button
            class="narrow"
            disabled={!whole}
            onClick={() => {
              act("/api/dream/on");
              saveOpen.value = false;
            }}
          >
            Dream on from here
          </button>
          {!halted && <p class="dim">Each picture carries its recipe.</p>}
        </div>
      )}
    </span>
  );
}
