// Looks that people have kept, as pictures of the photo at hand.

import { effect, signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { json, key, request } from "./api";
import { Picture } from "./cards";
import { changedCards } from "./history";
import { connected, fail, gallery, latest, newGesture, say, start } from "./state";

interface Saved {
  id: string;
  name: string;
}

export const saved = signal<Saved[]>([]);
/** What a name is asked for: a look that is new, or one that is there. */
const naming = signal<Saved | "new" | null>(null);
/** The look that was removed last, for as long as it can be taken back. */
const gone = signal<{ name: string; recipe: string } | null>(null);

const ask = latest<Saved[]>("/api/looks", (list) => (saved.value = list));

let asked = "";
effect(() => {
  const question = `${changedCards()} ${key.value}`;
  if (!connected.value || !key.value || question === asked) return;
  asked = question;
  ask().catch(() => (asked = ""));
});

async function remove(look: Saved): Promise<void> {
  try {
    const removed = await json<{ name: string; recipe: string }>("DELETE", `/api/looks/${look.id}`);
    gone.value = removed;
    say(`The look ${look.name} is removed.`);
    setTimeout(() => {
      if (gone.value === removed) gone.value = null;
    }, 10_000);
  } catch (error) {
    fail(error);
  }
}

export function SavedLooks() {
  return (
    <>
      {saved.value.map((look) => (
        <div class="card" key={look.id} data-name={look.id}>
          <button
            class="take"
            disabled={!start.value}
            title={`Your look ${look.name}`}
            onClick={() => {
              newGesture();
              request("POST", `/api/looks/${look.id}/use`, { layers: true }).catch(fail);
            }}
          >
            <Picture file={gallery.value.looks[look.id]} name={look.name} />
            <span class="name">{look.name}</span>
          </button>
          {start.value && (
            <button
              class="corner but-layers"
              aria-label={`The look ${look.name}, but your layers`}
              title="All of it but the layers: those that are in use stay"
              onClick={() => {
                newGesture();
                request("POST", `/api/looks/${look.id}/use`, { layers: false }).catch(fail);
              }}
            >
              ⚙
            </button>
          )}
          <button class="corner name-it" aria-label={`Another name for the look ${look.name}`} title="Another name" onClick={() => (naming.value = look)}>
            ✎
          </button>
          <button class="corner" aria-label={`Remove the look ${look.name}`} title="Remove this look" onClick={() => void remove(look)}>
            ×
          </button>
        </div>
      ))}
    </>
  );
}

/** Keeps what is set, without the photo, as a look; or gives one another name. */
export function SaveLook() {
  const asks = naming.value;
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, [asks]);
  if (!start.value) return null;
  if (!asks) {
    return (
      <p class="tools">
        <button class="quiet" onClick={() => (naming.value = "new")}>
          + Keep this look…
        </button>
        {gone.value && (
          <button
            class="link"
            onClick={() => {
              request("POST", "/api/looks", gone.value).then(() => (gone.value = null), fail);
            }}
          >
            Take {gone.value.name} back
          </button>
        )}
      </p>
    );
  }
  return (
    <form
      key={asks === "new" ? "" : asks.id}
      class="name-look"
      onSubmit={(event) => {
        event.preventDefault();
        const name = (event.currentTarget.elements.namedItem("name") as HTMLInputElement).value.trim();
        const done = (): void => {
          if (naming.value === asks) naming.value = null;
        };
        if (!name) return done();
        const sent = asks === "new" ? request("POST", "/api/looks", { name }) : request("PATCH", `/api/looks/${asks.id}`, { name });
        sent.then(() => {
          done();
          say(`The look is kept as ${name}.`);
        }, fail);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        naming.value = null;
      }}
    >
      <label class="hidden" for="look-name">
        Name of the look
      </label>
      <input id="look-name" name="name" class="filter" placeholder="Its name" maxLength={60} defaultValue={asks === "new" ? "" : asks.name} ref={field} />
      <button>Keep</button>
    </form>
  );
}
