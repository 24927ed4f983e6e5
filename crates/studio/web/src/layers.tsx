// Looks and layers, as pictures of one's own photo: choosing by looking.

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { request, small } from "./api";
import { setObjective, termName } from "./knobs";
import { change, connected, form, gallery, layers, newGesture, recipe, start } from "./state";
import type { Layer, Term } from "./types";

/** Which panels can be seen, and which of their cards. */
const shown = { looks: signal(new Set<string>()), layers: signal(new Set<string>()) };
const order = signal<"best" | "depth" | "name">("best");

/** The network's own layers, then those worth trying, then the rest. */
const worth = (layer: Layer): number => (layer.default ? 0 : layer.worth_trying ? 1 : 2);

// What is in view is made first, then the layers worth trying, then the rest.
let asked = "";
let timer = 0;
effect(() => {
  const visible = shown.layers.value;
  const looks = [...shown.looks.value];
  const all = layers.value;
  const [id, network] = [start.value?.id, recipe.value?.network];
  if (!id || !connected.value) return;
  const rank = (layer: Layer): number => (visible.has(layer.name) ? -1 : worth(layer));
  const wanted = visible.size ? [...all].sort((a, b) => rank(a) - rank(b)).map((layer) => layer.name) : [];
  const body = { looks, layers: wanted };
  const text = JSON.stringify([id, network, recipe.value?.own_objective, body]);
  if (text === asked) return;
  asked = text;
  clearTimeout(timer);
  timer = window.setTimeout(() => void request("PUT", "/api/gallery", body).catch(() => (asked = "")), 150);
});

/** Notes which cards of a panel are in view. */
function useInView(kind: "looks" | "layers", names: string[]): { current: HTMLDivElement | null } {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const seen = new Set<string>();
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const name = (entry.target as HTMLElement).dataset["name"]!;
        if (entry.isIntersecting) seen.add(name);
        else seen.delete(name);
      }
      shown[kind].value = new Set(seen);
    });
    for (const card of list.current?.querySelectorAll("[data-name]") ?? []) observer.observe(card);
    return () => {
      observer.disconnect();
      shown[kind].value = new Set();
    };
  }, [names.join("\n")]);
  return list;
}

function Picture({ file, name }: { file: string | false | undefined; name: string }) {
  if (file) return <img src={small(file)} alt="" draggable={false} />;
  return (
    <span class={file === false ? "blank none" : "blank"} aria-hidden="true">
      {file === false ? "too small a picture" : name}
    </span>
  );
}

export function Looks() {
  const looks = (form.value?.looks ?? []).filter((look) => look.name !== "visualise" || start.value?.noise);
  const names = looks.map((look) => look.name);
  const list = useInView("looks", names);
  const now = recipe.value?.look === "figures" ? "default" : recipe.value?.look;
  return (
    <section class="looks" aria-label="Looks">
      <h2>Looks</h2>
      <div class="cards" ref={list} role="group" aria-label="Looks" onKeyDown={walk}>
        {looks.map((look) => (
          <div class="card" key={look.name} data-name={look.name} data-on={look.name === now}>
            <button
              class="take"
              disabled={!start.value}
              aria-pressed={look.name === now}
              title={look.about}
              onClick={() => {
                newGesture();
                change({ look: { name: look.name } });
              }}
            >
              <Picture file={gallery.value.looks[look.name]} name={look.name} />
              <span class="name">{look.name}</span>
            </button>
          </div>
        ))}
      </div>
    </section>
  );
}

/** Whole layers of the mix, by name. */
const weightOf = (terms: Term[], layer: string): Term | undefined => terms.find((term) => termName(term) === layer);

export function Layers() {
  const filter = useSignal("");
  const terms = recipe.value?.objective ?? [];
  const wanted = filter.value.trim().toLowerCase();
  const all = layers.value.filter((layer) => layer.name.toLowerCase().includes(wanted));
  if (order.value === "name") all.sort((a, b) => a.name.localeCompare(b.name));
  if (order.value === "best") all.sort((a, b) => worth(a) - worth(b));
  const list = useInView("layers", all.map((layer) => layer.name));
  const ready = all.filter((layer) => gallery.value.layers[layer.name]).length;
  const take = (layer: string): void => {
    newGesture();
    setObjective([{ layer, weight: 1 }]);
  };
  const mix = (layer: string): void => {
    newGesture();
    const rest = terms.filter((term) => termName(term) !== layer);
    setObjective(rest.length === terms.length ? [...terms, { layer, weight: 1 }] : rest);
  };
  return (
    <section class="layers" aria-label="Layers">
      <div class="head">
        <h2>Layers</h2>
        <label class="hidden" for="order">
          Order
        </label>
        <select id="order" value={order.value} onChange={(event) => (order.value = event.currentTarget.value as "best" | "depth" | "name")}>
          <option value="best">best first</option>
          <option value="depth">by depth</option>
          <option value="name">A–Z</option>
        </select>
      </div>
      <input
        class="filter"
        type="search"
        placeholder="Filter"
        aria-label="Filter layers"
        value={filter.value}
        onInput={(event) => (filter.value = event.currentTarget.value)}
      />
      <div class="cards scroll" ref={list} role="group" aria-label="Layers" onKeyDown={walk}>
        {all.map((layer) => {
          const term = weightOf(terms, layer.name);
          const only = term && terms.length === 1;
          return (
            <div class="card" key={layer.name} data-name={layer.name} data-on={Boolean(term)}>
              <button
                class="take"
                disabled={!start.value}
                aria-pressed={Boolean(term)}
                title={`${layer.name}: ${layer.channels} channels, depth ${layer.depth}. Dream of this layer alone.`}
                onClick={() => take(layer.name)}
              >
                <Picture file={gallery.value.layers[layer.name]} name={layer.name} />
                <span class="name mono">{layer.name}</span>
              </button>
              {start.value && !only && (
                <button
                  class="mix"
                  aria-label={term ? `Leave ${layer.name} out of the mix` : `Add ${layer.name} to the mix`}
                  title={term ? "Out of the mix" : "Into the mix"}
                  onClick={() => mix(layer.name)}
                >
                  {term ? "−" : "+"}
                </button>
              )}
            </div>
          );
        })}
      </div>
      <p class="count" role="status">
        {start.value && all.length > 0 ? `${ready} of ${all.length}` : ""}
        {start.value && all.length === 0 && wanted ? "No layer is called like that." : ""}
      </p>
    </section>
  );
}

/** Arrows walk from card to card; Enter takes, as on any button; + puts into the mix. */
function walk(event: KeyboardEvent): void {
  const cards = [...(event.currentTarget as Element).querySelectorAll<HTMLButtonElement>(".take")];
  const at = cards.indexOf(document.activeElement as HTMLButtonElement);
  if (at < 0) return;
  if (event.key === "+") {
    event.stopPropagation();
    cards[at]!.parentElement?.querySelector<HTMLButtonElement>(".mix")?.click();
    return;
  }
  const top = cards[0]!.getBoundingClientRect().top;
  const columns = Math.max(1, cards.findIndex((card) => card.getBoundingClientRect().top > top + 4));
  const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
  if (by === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  cards[at + by]?.focus();
  cards[at + by]?.scrollIntoView({ block: "nearest" });
}
