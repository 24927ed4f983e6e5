// The page as a whole: bar, panels, stage and foot; what is dropped on it; the door.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { enter, locked } from "./api";
import { networksOpen } from "./behind";
import { Choose, PICTURES } from "./choose";
import { Foot } from "./foot";
import { addGuide } from "./guide";
import { History } from "./history";
import { KEYS, helpOpen, keysOn, tab } from "./keys";
import { Knobs } from "./knobs";
import { Layers, Looks } from "./layers";
import { Networks } from "./networks";
import { Before, Photos, photosOpen } from "./photos";
import { Queue, QueueButton } from "./queue";
import { Render } from "./render";
import { Progress, Stage, held, wide } from "./stage";
import { act, change, connect, connected, desk, dream, networks, newGesture, phase, recipe, said, start } from "./state";
import { Trouble } from "./trouble";
import { sample, upload } from "./upload";

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
      const guides = start.value && (event.target as Element).closest?.(".right");
      if (file) void (guides ? addGuide(file) : upload(file));
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
  const name = start.value?.name;
  const step = dream.value?.step;
  const running = phase.value === "dreaming";
  const tenths = running && step?.total ? Math.floor((10 * step.done) / step.total) : null;
  useEffect(() => {
    document.title = name ? `${tenths !== null ? `${10 * tenths} % ` : ""}${name} · deepdream` : "deepdream";
    document.querySelector("link[rel=icon]")?.setAttribute("href", tenths !== null ? `/icon.svg?tenths=${tenths}` : "/icon.svg");
  }, [name, tenths]);
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
      <History />
      <Tabs />
      <Foot />
      {over.value && (
        <div class="drop" aria-hidden="true">
          <p>{start.value ? "Drop it here to dream on it" : "Drop it: the dream begins"}</p>
          {start.value && <p class="as-guide">Here, the dream takes its forms</p>}
        </div>
      )}
      <p class="hidden" role="status" aria-live="polite">
        {said.value}
      </p>
      <Help />
      <Networks />
      <Photos />
      <Queue />
      <Render />
    </div>
  );
}

/** A button for what can be dreamt on. */
const Open = ({ label, kind }: { label: string; kind: string }) => (
  <Choose label={label} class={kind} accept={`${PICTURES},video/*,.toml`} onFile={(file) => void upload(file)} />
);

const noise = (): void => act("/api/noise", { width: 960, height: 600 });

function Empty() {
  return (
    <div class="empty">
      <h1>Drop a photo here</h1>
      <p class="ways">
        <Open label="Choose a photo…" kind="primary" />
        <button onClick={noise}>Start from noise</button>
        <button onClick={() => void sample()}>Try the coffee cup</button>
      </p>
      <Before />
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
          <button class="name" title={`${start.value.name}: photos (P)`} onClick={() => (photosOpen.value = true)}>
            {start.value.name}
          </button>
          <Open label="New photo…" kind="new" />
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
      <QueueButton />
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
    ["past", "Past"],
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

function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (helpOpen.value) dialog.current?.showModal();
  }, [helpOpen.value]);
  return (
    <dialog ref={dialog} class="help" onClose={() => (helpOpen.value = false)} aria-label="Keys">
      <h2>Keys</h2>
      {helpOpen.value && <Trouble />}
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
          enter({ token: token.value.trim() }).then(connect, (error: unknown) => {
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
