// Networks: those that are here, and those that can be fetched.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { request } from "./api";
import { bytes, networksOpen } from "./behind";
import { act, change, fail, fetching, networks, newGesture, recipe, start } from "./state";
import { Trouble } from "./trouble";
import type { Network } from "./types";

export function Networks() {
  const dialog = useRef<HTMLDialogElement>(null);
  const filter = useSignal("");
  useEffect(() => {
    if (networksOpen.value) dialog.current?.showModal();
  }, [networksOpen.value]);
  const wanted = filter.value.trim().toLowerCase();
  const found = networks.value.filter((network) => `${network.name} ${network.title} ${network.about}`.toLowerCase().includes(wanted));
  const list = [...found.filter((network) => network.ready), ...found.filter((network) => !network.ready)];
  return (
    <dialog ref={dialog} class="networks" onClose={() => (networksOpen.value = false)} aria-label="Networks">
      <h2>Networks</h2>
      {networksOpen.value && <Trouble />}
      <p class="dim">What a dream is made of is what its network has learnt to see.</p>
      <input
        class="filter"
        type="search"
        placeholder="Filter"
        aria-label="Filter networks"
        value={filter.value}
        onInput={(event) => (filter.value = event.currentTarget.value)}
      />
      <ul class="scroll" tabIndex={0} aria-label="Networks">
        {networksOpen.value && list.map((network) => <Row key={network.name} network={network} />)}
        {list.length === 0 && <li class="dim">No network has that name.</li>}
      </ul>
      <form method="dialog">
        <button class="primary">Close</button>
      </form>
    </dialog>
  );
}

function Row({ network }: { network: Network }) {
  const on = recipe.value?.network === network.name;
  const fetch = fetching.value?.name === network.name ? fetching.value : null;
  const facts = [network.built_in ? "built in" : network.bytes !== null && bytes(network.bytes), network.licence].filter(Boolean).join(" · ");
  const runs = fetch?.state === "running";
  return (
    <li data-on={on}>
      <div>
        <p>
          {network.title} <code class="mono">{network.name}</code>
        </p>
        <p class="dim">{network.about}</p>
        <p class="facts">{facts}</p>
        {fetch?.failure && <p class="why">{[fetch.failure.detail, ...fetch.failure.ways_out].join(" ")}</p>}
        {fetch?.state === "cancelled" && <p class="dim">Cancelled; it goes on from there.</p>}
        {fetch && runs && (
          <p class="dim" role="status">
            {fetch.total ? `${Math.floor((100 * fetch.done) / fetch.total)} % of ${bytes(fetch.total)}` : "Connecting…"}
          </p>
        )}
      </div>
      {network.ready && on && <span class="dim">in use</span>}
      {network.ready && !on && (
        <button
          disabled={!start.value}
          onClick={() => {
            newGesture();
            change({ network: { name: network.name } });
          }}
        >
          Use
        </button>
      )}
      {!network.ready && !runs && (
        <button disabled={fetching.value?.state === "running"} aria-label={`Fetch ${network.title}`} onClick={() => act(`/api/networks/${network.name}`)}>
          Fetch
        </button>
      )}
      {runs && (
        <button aria-label={`Cancel ${network.title}`} onClick={() => void request("DELETE", `/api/networks/${network.name}`).catch(fail)}>
          Cancel
        </button>
      )}
    </li>
  );
}
