// Looks and layers, as pictures of one's own photo: choosing by looking.

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { request } from "./api";
import { Picture, walk } from "./cards";
import { SaveLook, SavedLooks, saved } from "./looks";
import { Channels, Pointing, channelsOf, wanted as channels } from "./channels";
import { change, connected, form, gallery, layers, newGesture, recipe, start } from "./state";
import { alone, inMix, mix, ofLayer, terms } from "./terms";
import type { Layer } from "./types";

/** Which panels can be seen, and which of their cards. */
const shown = { looks: signal(new Set<string>()), layers: signal(new Set<string>()) };
const order = signal<"best" | "depth" | "name">("best");

/** The network's own layers, then those worth trying, then the rest. */
const worth = (layer: Layer): number => (layer.default ? 0 : layer.worth_trying ? 1 : 2);

// Channels that are looked at are made first, what else is in view, then the layers worth trying, then the rest.
let asked = "";
let timer = 0;
effect(() => {
  const visible = shown.layers.value;
  const own = new Set(saved.value.map((look) => look.id));
  const looks = [...shown.looks.value].filter((name) => !own.has(name));
  const all = layers.value;
  const [id, network] = [start.value?.id, recipe.value?.network];
  if (!id || !connected.value) return;
  const rank = (layer: Layer): number => (visible.has(layer.name) ? -1 : worth(layer));
  const wanted = visible.size ? [...all].sort((a, b) => rank(a) - rank(b)).map((layer) => layer.name) : [];
  const body = { looks, saved: [...shown.looks.value].filter((name) => own.has(name)), layers: wanted, in_view: all.filter((layer) => visible.has(layer.name)).length, channels: channels.value };
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

export function Looks() {
  const looks = (form.value?.looks ?? []).filter((look) => look.name !== "visualise" || start.value?.noise);
  const names = [...looks.map((look) => look.name), ...saved.value.map((look) => look.id)];
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
        <SavedLooks />
      </div>
      <SaveLook />
    </section>
  );
}

export function Layers() {
  return channelsOf.value ? <Channels layer={channelsOf.value} /> : <AllLayers />;
}

function AllLayers() {
  const filter = useSignal("");
  const wanted = filter.value.trim().toLowerCase();
  const all = layers.value.filter((layer) => layer.name.toLowerCase().includes(wanted));
  if (order.value === "name") all.sort((a, b) => a.name.localeCompare(b.name));
  if (order.value === "best") all.sort((a, b) => worth(a) - worth(b));
  const list = useInView("layers", all.map((layer) => layer.name));
  const ready = all.filter((layer) => gallery.value.layers[layer.name]).length;
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
      <Pointing />
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
          const term = inMix(layer.name);
          const only = term && terms().length === 1;
          return (
            <div class="card" key={layer.name} data-name={layer.name} data-on={Boolean(term)}>
              <button
                class="take"
                disabled={!start.value}
                aria-pressed={Boolean(term)}
                title={`${layer.name}: ${layer.channels} channels, depth ${layer.depth}. Dream of this layer alone.`}
                onClick={() => {
                  newGesture();
                  alone(ofLayer(layer.name));
                }}
              >
                <Picture file={gallery.value.layers[layer.name]} name={layer.name} />
                <span class="name mono">{layer.name}</span>
              </button>
              <button
                class="inside"
                disabled={!start.value}
                aria-label={`The ${layer.channels} channels of ${layer.name}`}
                title={`Its ${layer.channels} channels`}
                onClick={() => (channelsOf.value = layer.name)}
              >
                ›
              </button>
              {start.value && !only && (
                <button
                  class="corner mix"
                  aria-label={term ? `Leave ${layer.name} out of the mix` : `Add ${layer.name} to the mix`}
                  title={term ? "Out of the mix" : "Into the mix"}
                  onClick={() => {
                    newGesture();
                    mix(ofLayer(layer.name));
                  }}
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
        {start.value && all.length === 0 && wanted ? "No layer has that name." : ""}
      </p>
    </section>
  );
}
