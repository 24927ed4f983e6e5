// The page as a whole: bar, panels, stage and foot; what is dropped on it; the door.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { enter, locked, request, saved } from "./api";
import { KEYS, helpOpen, keysOn, saveOpen, tab } from "./keys";
import { Knobs } from "./knobs";
import { Layers, Looks } from "./layers";
import { Networks, networksOpen } from "./networks";
import { Progress, Stage, actualSize, compare, fit, held, nextSurround, surround, wide, zoom } from "./stage";
import { act, begin, change, connected, desk, dream, fail, networks, newGesture, phase, recipe, said, sample, start, undo, upload } from "./state";

export function App() {
  const over = useSignal(false);
  useEffect(() => {
    let depth = 0;
    const files = (event: DragEvent): boolean => Boolean(event.dataTransfer?.types.includes("Files"));
    const enters = (event: DragEvent): void => {
      if (!files(event)) return;
      depth += 1;
      over.value = true;
    };
    const leaves = (): void => {
      depth = Math.max(0, depth - 1);
      over.value = depth > 0;
    };
    const drops = (event: DragEvent): void => {
      event.preventDefault();
      depth = 0;
      over.value = false;
      const file = event.dataTransfer?.files[0];
      if (file) void upload(file);
    };
    const pastes = (event: ClipboardEvent): void => {
      const file = event.clipboardData?.files[0];
      if (file) void upload(file);
    };
    const stays = (event: DragEvent): void => event.preventDefault();
    window.addEventListener("dragenter", enters);
    window.addEventListener("dragleave", leaves);
    window.addEventListener("dragover", stays);
    window.addEventListener("drop", drops);
    window.addEventListener("paste", pastes);
    return () => {
      window.removeEventListener("dragenter", enters);
      window.removeEventListener("dragleave", leaves);
      window.removeEventListener("dragover", stays);
      window.removeEventListener("drop", drops);
      window.removeEventListener("paste", pastes);
    };
  }, []);
  useEffect(() => {
    const name = start.value?.name;
    const share = dream.value?.step.total ? Math.floor((100 * dream.value.step.done) / dream.value.step.total) : 0;
    const running = phase.value === "dreaming";
    document.title = name ? `${running ? `${share} % ` : ""}${name} · deepdream` : "deepdream";
  }, [start.value?.name, phase.value, dream.value?.step.octave]);
  if (locked.value) return <Door />;
  return (
    <div
      class="app"
      data-wide={wide.value}
      data-held={held.value}
      data-empty={!start.value}
      data-tab={tab.value}
      inert={!connected.value && desk.value === null}
    >
      <a class="skip" href="#stage">
        To the picture
      </a>
      <Bar />
      <nav class="left" aria-label="Looks and layers">
        <div class="panel" data-panel="look">
          <Looks />
        </div>
        <div class="panel" data-panel="layers">
          <Layers />
        </div>
      </nav>
      <main class="middle">
        <Stage />
        {desk.value && !start.value && <Empty />}
        <Progress />
      </main>
      <aside class="right panel" data-panel="knobs" aria-label="Knobs">
        <Knobs />
      </aside>
      <Tabs />
      <Foot />
      {over.value && (
        <div class="drop" aria-hidden="true">
          <p>Drop it: the dream begins</p>
        </div>
      )}
      <p class="hidden" role="status" aria-live="polite">
        {said.value}
      </p>
      <Help />
      <Networks />
    </div>
  );
}

/** A button that lets one choose a file. */
function Choose({ label, primary }: { label: string; primary?: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button class={primary ? "primary" : ""} onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        class="hidden"
        type="file"
        accept="image/png,image/jpeg,image/webp,image/tiff,image/bmp,.toml"
        tabIndex={-1}
        aria-label={label}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) void upload(file);
        }}
      />
    </>
  );
}

const noise = (): void => act("/api/noise", { width: 960, height: 600 });

function Empty() {
  return (
    <div class="empty">
      <h1>Drop a photo here</h1>
      <p class="ways">
        <Choose label="Choose a photo…" primary />
        <button onClick={noise}>Start from noise</button>
        <button onClick={() => void sample()}>Try the coffee cup</button>
      </p>
      <p class="dim">Photos go to this program and nowhere else.</p>
    </div>
  );
}

function Bar() {
  const ready = networks.value.filter((network) => network.ready);
  return (
    <header class="bar">
      <span class="brand">deepdream</span>
      {start.value && (
        <>
          <span class="name" title={start.value.name}>
            {start.value.name}
          </span>
          <Choose label="New photo…" />
          <button class="noise" onClick={noise}>
            Noise
          </button>
        </>
      )}
      <span class="space" />
      {recipe.value && ready.length > 0 && (
        <>
          <label for="network" class="label">
            network
          </label>
          <select
            id="network"
            aria-label="Network"
            value={recipe.value.network}
            onChange={(event) => {
              newGesture();
              change({ network: { name: event.currentTarget.value } });
            }}
          >
            {ready.map((network) => (
              <option key={network.name} value={network.name}>
                {network.name}
              </option>
            ))}
          </select>
        </>
      )}
      <button onClick={() => (networksOpen.value = true)}>Networks…</button>
      <button class="icon" aria-label="Keys" title="Keys (?)" onClick={() => (helpOpen.value = true)}>
        ?
      </button>
    </header>
  );
}

function Tabs() {
  const tabs = [
    ["look", "Look"],
    ["layers", "Layers"],
    ["knobs", "Knobs"],
  ] as const;
  return (
    <div class="tabs" role="tablist" aria-label="Panels">
      {tabs.map(([name, label]) => (
        <button key={name} role="tab" aria-selected={tab.value === name} onClick={() => (tab.value = name)}>
          {label}
        </button>
      ))}
    </div>
  );
}

function Foot() {
  const has = Boolean(start.value);
  const photo = has && !start.value?.noise;
  return (
    <footer class="foot">
      <button disabled={!desk.value?.undo} onClick={() => undo(false)} title="Undo (Z)">
        Undo
      </button>
      <button disabled={!desk.value?.redo} onClick={() => undo(true)} title="Redo (Shift Z)">
        Redo
      </button>
      <span class="bars" />
      <span class="segments" role="group" aria-label="Compare">
        {(["off", "split", "side"] as const).map((mode) => (
          <button key={mode} disabled={!photo} aria-pressed={compare.value === mode} onClick={() => (compare.value = mode)}>
            {{ off: "Dream", split: "Split", side: "Side by side" }[mode]}
          </button>
        ))}
      </span>
      <button
        class="hold"
        disabled={!photo}
        aria-pressed={held.value}
        title="Hold for the original (\)"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          held.value = true;
        }}
        onPointerUp={() => (held.value = false)}
        onPointerCancel={() => (held.value = false)}
        onKeyDown={(event) => {
          if (event.key === " " || event.key === "Enter") held.value = true;
        }}
        onKeyUp={() => (held.value = false)}
        onBlur={() => (held.value = false)}
      >
        Original
      </button>
      <span class="view">
        <button disabled={!has} onClick={fit} title="Fit (0)" aria-pressed={zoom.value === 1}>
          Fit
        </button>
        <button disabled={!has} onClick={actualSize} title="100 % (1)">
          100 %
        </button>
        <button class="swatch" data-surround={surround.value} aria-label={`Surround: ${surround.value}`} title={`Surround: ${surround.value} (B)`} onClick={nextSurround} />
      </span>
      <span class="space" />
      <Size />
      <button
        class="on"
        disabled={phase.value !== "done"}
        title="The dream becomes the photo of the next one (D)"
        onClick={() => act("/api/dream/on")}
      >
        Dream on
      </button>
      <Save />
    </footer>
  );
}

/** How large the dream is made: its figures stay where they are. */
function Size() {
  const picture = start.value;
  if (!picture || picture.noise) return null;
  const own = Math.max(picture.width, picture.height);
  const now = Math.min(desk.value?.longest ?? own, own);
  const sides = [640, 1280, 1920, 2560].filter((side) => side < own);
  const pixels = (longest: number): string => {
    const scale = longest / own;
    return `${Math.round(picture.width * scale)} × ${Math.round(picture.height * scale)}`;
  };
  if (sides.length === 0) return null;
  if (!sides.includes(now) && now !== own) sides.push(now);
  return (
    <>
      <label for="size" class="label">
        size
      </label>
      <select
        id="size"
        aria-label="Size of the dream"
        value={String(now)}
        onChange={(event) => act("/api/dream/size", { longest: Number(event.currentTarget.value) })}
      >
        {sides.map((side) => (
          <option key={side} value={String(side)}>
            {pixels(side)}
          </option>
        ))}
        <option value={String(own)}>{pixels(own)}, the photo's own</option>
      </select>
    </>
  );
}

/** Puts a text where it can be pasted from; without HTTPS a page may do no more than select it. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function download(address: string, name?: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name ?? "";
  link.click();
}

function Save() {
  const copied = useSignal(false);
  const whole = phase.value === "done";
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
          {!whole && <p class="dim">Pictures can be saved when the dream is whole.</p>}
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
            class="on-phone"
            disabled={!whole}
            onClick={() => {
              act("/api/dream/on");
              saveOpen.value = false;
            }}
          >
            Dream on from here
          </button>
          <p class="dim">Each picture carries its recipe.</p>
        </div>
      )}
    </span>
  );
}

function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (helpOpen.value) dialog.current?.showModal();
  }, [helpOpen.value]);
  return (
    <dialog ref={dialog} class="help" onClose={() => (helpOpen.value = false)} aria-label="Keys">
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="row">
        <input type="checkbox" checked={keysOn.value} onChange={(event) => (keysOn.value = event.currentTarget.checked)} />
        Single keys work
      </label>
      <form method="dialog">
        <button onClick={() => act("/api/quit")}>End the studio</button>
        <button class="primary" autofocus>
          Close
        </button>
      </form>
    </dialog>
  );
}

/** What is seen by who has not come in. */
function Door() {
  const token = useSignal("");
  const why = locked.value;
  return (
    <main class="door">
      <h1>deepdream</h1>
      <p>{why?.detail}</p>
      {why?.ways_out.map((way) => <p class="dim">{way}</p>)}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          enter({ token: token.value.trim() }).then(begin, (error: unknown) => {
            if (error instanceof Error && "failure" in error) locked.value = error.failure as typeof why;
          });
        }}
      >
        <label for="token">Or give its token</label>
        <input id="token" type="password" autocomplete="current-password" value={token.value} onInput={(event) => (token.value = event.currentTarget.value)} />
        <button class="primary">Open</button>
      </form>
    </main>
  );
}
