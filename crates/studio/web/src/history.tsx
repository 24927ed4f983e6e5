// The history: cards of what was dreamt on this picture, as a tree, and what can be done with each.

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { card, json, key, request } from "./api";
import { walk } from "./cards";
import { against, compare } from "./compare";
import { connected, desk, fail, form, newGesture, part, say, start } from "./state";

export interface Card {
  id: string;
  parent: string | null;
  title: string;
  width: number;
  height: number;
  star: boolean;
  made: number;
}

type Became = "running" | "same" | "other" | "failed";

interface Checked {
  state: Became;
  version?: string | null;
}

interface State {
  changed: number;
  checked: Record<string, Checked>;
  failure: { detail: string; ways_out: string[] } | null;
}

export const cards = signal<Card[]>([]);
const state = part<State>("history", { changed: 0, checked: {}, failure: null });
/** Rises with every change of cards and looks. */
export const changedCards = (): number => state.value.changed;
export const checked = (id: string): Became | undefined => state.value.checked[id]?.state;
/** The card that was put into the trash last. */
const gone = signal<Card | null>(null);

// The list may be long: it is asked for when something in it has changed.
let asked = "";
effect(() => {
  const question = `${start.value?.id} ${state.value.changed} ${key.value}`;
  if (!connected.value || !key.value || question === asked) return;
  asked = question;
  if (!start.value) {
    cards.value = [];
    return;
  }
  json<Card[]>("GET", "/api/nodes").then(
    (list) => {
      if (asked === question) cards.value = list;
    },
    () => (asked = ""),
  );
});

/** Whether the large picture of a card is at hand. */
export const isMade = (id: string): boolean => ["same", "other"].includes(checked(id) ?? "");

/** The card that is on the desk, or the one that what is there came from. */
export const here = (): string | null => desk.value?.node ?? desk.value?.from ?? null;

/** What the dream on the desk came from. */
export const parentOf = (): string | null => (desk.value?.node ? (cardOf(desk.value.node)?.parent ?? null) : (desk.value?.from ?? null));

/** Compares the dream on the desk with a card, or with the original. */
export function compareWith(id: string | null): void {
  against.value = id;
  if (compare.value === "off") compare.value = "split";
}

/** Whether a card is dreamt again: one at a time is. */
const busy = (): boolean => Object.values(state.value.checked).some((one) => one.state === "running");

// What the dream is compared with is dreamt again, once no other card is.
let wished: string | null = null;
effect(() => {
  const id = against.value;
  if (!id || checked(id) || busy()) wished = null;
  else if (id !== wished && connected.value) check((wished = id));
});

export const cardOf = (id: string | null): Card | undefined => cards.value.find((card) => card.id === id);

const go = (id: string): void => {
  newGesture();
  request("POST", `/api/nodes/${id}/show`).catch(fail);
};

const change = (id: string, body: object, done?: () => void): void => {
  request("PATCH", `/api/nodes/${id}`, body).then(done, fail);
};

/** Dreams a card again and compares; its large picture is at hand then. */
export function check(id: string): void {
  request("POST", `/api/nodes/${id}/check`).catch(fail);
}

function trash(card: Card): void {
  change(card.id, { trashed: true }, () => {
    gone.value = card;
    say(`${card.title} is in the trash.`);
    setTimeout(() => {
      if (gone.value === card) gone.value = null;
    }, 10_000);
  });
}

/** Cards in the order of their branches: a branch follows what it came from, its depth says how far in it is. */
function branches(all: Card[]): { card: Card; depth: number; first: boolean }[] {
  const there = new Set(all.map((card) => card.id));
  const of = new Map<string | null, Card[]>();
  for (const card of all) {
    const parent = card.parent && there.has(card.parent) ? card.parent : null;
    const siblings = of.get(parent);
    if (siblings) siblings.push(card);
    else of.set(parent, [card]);
  }
  const rows: { card: Card; depth: number; first: boolean }[] = [];
  // Without recursion: a history may be thousands of cards deep.
  const open = [...(of.get(null) ?? [])].reverse().map((card) => ({ card, depth: 0, first: true }));
  while (open.length) {
    const next = open.pop()!;
    rows.push(next);
    const children = of.get(next.card.id) ?? [];
    // The first goes on in the row, others begin rows of their own.
    children
      .map((card, index) => ({ card, depth: next.depth + (index ? 1 : 0), first: index > 0 }))
      .reverse()
      .forEach((child) => open.push(child));
  }
  return rows;
}

export function History() {
  const list = useRef<HTMLDivElement>(null);
  const menu = useSignal<string | null>(null);
  const at = here();
  const rows = branches(cards.value);
  useEffect(() => {
    list.current?.querySelector('[data-on="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [at, cards.value.length]);
  const failure = state.value.failure;
  return (
    <section class="history panel" aria-label="History" data-panel="past">
      <div class="strip" ref={list} role="group" aria-label="Dreams that were kept" onKeyDown={walk}>
        {rows.length === 0 && start.value && <p class="note">A dream that is whole and stays for a moment is kept here.</p>}
        {rows.map(({ card, depth, first }) => (
          <One key={card.id} card={card} branch={first && rows[0]!.card !== card} depth={depth} on={card.id === at} menu={menu} />
        ))}
      </div>
      {failure && (
        <p class="why" role="alert">
          Not kept: {failure.detail} {failure.ways_out[0]}
        </p>
      )}
      {gone.value && (
        <p class="gone" role="status">
          {gone.value.title} is in the trash.{" "}
          <button
            onClick={() => {
              change(gone.value!.id, { trashed: false }, () => (gone.value = null));
            }}
          >
            Undo
          </button>
        </p>
      )}
    </section>
  );
}

interface OneProps {
  card: Card;
  branch: boolean;
  depth: number;
  on: boolean;
  menu: { value: string | null };
}

/** What became of dreaming a card again, in words. */
function words(id: string): string {
  const { state: became, version } = state.value.checked[id] ?? { state: "failed" };
  const ours = form.value?.version;
  switch (became) {
    case "running":
      return "Dreaming it again…";
    case "same":
      return "The same pixels again";
    case "other":
      return version && version !== ours
        ? `Made by version ${version}; this version gives another picture`
        : "Another picture: it was made on another processor or by another build";
    default:
      return "It could not be dreamt again";
  }
}

function One({ card: it, branch, depth, on, menu }: OneProps) {
  const became = checked(it.id);
  const opened = menu.value === it.id;
  return (
    <div class="past" data-on={on} data-branch={branch} data-id={it.id} title={branch ? `A branch, ${depth} in` : undefined}>
      <button class="take" aria-pressed={on} aria-label={`${it.title}${it.star ? ", starred" : ""}${branch ? ", a branch" : ""}`} title={`${it.title}, ${it.width} × ${it.height}`} onClick={() => go(it.id)}>
        <img src={card(it.id)} alt="" loading="lazy" draggable={false} />
      </button>
      {it.star && (
        <i class="star" aria-hidden="true">
          ★
        </i>
      )}
      {became && (
        <i class="mark" data-state={became} title={words(it.id)} aria-hidden="true">
          {{ running: "…", same: "✓", other: "≠", failed: "!" }[became]}
        </i>
      )}
      <button class="dots" aria-label={`More about ${it.title}`} aria-expanded={opened} aria-haspopup="true" onClick={() => (menu.value = opened ? null : it.id)}>
        ⋯
      </button>
      {opened && <Menu it={it} became={became} close={() => (menu.value = null)} />}
    </div>
  );
}

function Menu({ it, became, close }: { it: Card; became: Became | undefined; close: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const naming = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, [naming.value]);
  const place = useSignal<Record<string, string>>({});
  useEffect(() => {
    // Over all: the strip scrolls and would cut it off.
    const from = box.current!.parentElement!.getBoundingClientRect();
    const left = Math.min(from.left, window.innerWidth - 236);
    place.value = { left: `${Math.max(8, left)}px`, bottom: `${window.innerHeight - from.top + 4}px` };
    box.current?.querySelector("button")?.focus();
    const away = (event: PointerEvent): void => {
      if (!box.current?.parentElement?.contains(event.target as Node)) close();
    };
    window.addEventListener("pointerdown", away);
    return () => window.removeEventListener("pointerdown", away);
  }, []);
  return (
    <div
      ref={box}
      class="list"
      style={place.value}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        close();
        box.current?.parentElement?.querySelector<HTMLElement>(".dots")?.focus();
      }}
    >
      {naming.value ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const title = (event.currentTarget.elements.namedItem("title") as HTMLInputElement).value.trim();
            if (title) change(it.id, { title }, close);
            else close();
          }}
        >
          <label class="hidden" for="card-title">
            Name
          </label>
          <input id="card-title" name="title" class="filter" maxLength={120} defaultValue={it.title} ref={field} />
        </form>
      ) : (
        <p class="dim">{it.title}</p>
      )}
      <button
        onClick={() => {
          change(it.id, { star: !it.star });
          close();
        }}
      >
        {it.star ? "No star" : "Star"}
      </button>
      {!naming.value && <button onClick={() => (naming.value = true)}>Name…</button>}
      <button
        disabled={it.id === here()}
        onClick={() => {
          compareWith(it.id);
          close();
        }}
      >
        Compare with this
      </button>
      <button disabled={busy()} onClick={() => check(it.id)}>
        Check: the same pixels again?
      </button>
      {became && (
        <p class="dim" role="status">
          {words(it.id)}
        </p>
      )}
      <button
        onClick={() => {
          close();
          trash(it);
        }}
      >
        To the trash
      </button>
    </div>
  );
}
