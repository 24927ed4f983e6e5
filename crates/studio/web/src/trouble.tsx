// What has gone wrong and has no other place, said wherever one looks: on the stage, and in dialogs, which hide the
// stage.

import { bytes, networksOpen } from "./behind";
import { Choose } from "./choose";
import { connected, fetchNeeded, give, needsFile, needsNetwork, trouble } from "./state";
import type { Failure } from "./types";

/** The way out of a failure for want of a network. */
export function FetchNeeded({ failure }: { failure: Failure }) {
  const network = needsNetwork(failure);
  if (!network) return null;
  return (
    <button
      type="button"
      class="primary"
      onClick={() => {
        fetchNeeded(network, failure);
        networksOpen.value = true;
      }}
    >
      Fetch {network.title}, {[network.bytes !== null && bytes(network.bytes), network.licence].filter(Boolean).join(", ")}
    </button>
  );
}

export function Trouble() {
  const failure = trouble.value;
  return (
    <>
      {!connected.value && (
        <div class="message warn" role="status">
          <p>The studio does not answer. Is it still running in its terminal?</p>
        </div>
      )}
      {failure && (
        <div class="message danger">
          <p>{failure.detail}</p>
          {failure.ways_out.map((way) => (
            <p class="dim">{way}</p>
          ))}
          {needsFile(failure) && <Choose class="primary" label="Give the file…" name="Give the file" accept="image/*" onFile={(file) => void give(file)} />}
          <FetchNeeded failure={failure} />
          <button onClick={() => (trouble.value = null)}>Close</button>
        </div>
      )}
    </>
  );
}
