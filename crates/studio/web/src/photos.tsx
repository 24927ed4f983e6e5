// The photos of the library, by what they look like.

import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { changePhoto, emptyTrash, inTrash, openPhoto, photos, thumb, trash } from "./behind";
import type { Photo } from "./behind";
import { Choose, PICTURES } from "./choose";
import { start } from "./state";
import { Trouble } from "./trouble";
import { upload } from "./upload";

export const photosOpen = signal(false);

/** What was removed last, until it is taken back or the list is closed. */
const removed = signal<Photo | null>(null);

export function Photos() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (photosOpen.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [photosOpen.value]);
  const close = (): void => {
    photosOpen.value = false;
    removed.value = null;
  };
  return (
    <dialog ref={dialog} class="sheet photos" onClose={close} aria-label="Photos">
      <h2>Photos</h2>
      {photosOpen.value && <Trouble />}
      {photos.value.length === 0 && <p class="dim">Photos that you drop on the page stay here.</p>}
      {photosOpen.value && photos.value.length > 0 && (
        <ul class="scroll" tabIndex={0} aria-label="Photos">
          {photos.value.map((photo) => (
            <Card key={photo.id} photo={photo} />
          ))}
        </ul>
      )}
      {removed.value && (
        <p class="undo" role="status">
          <span>{removed.value.name} is in the trash.</span>
          <button
            onClick={() => {
              changePhoto(removed.value!.id, { trashed: false }, () => (removed.value = null));
            }}
          >
            Undo
          </button>
        </p>
      )}
      {trash.value.pictures.length > 0 && (
        <details class="trash">
          <summary>In the trash</summary>
          <ul>
            {trash.value.pictures.map((photo) => (
              <li key={photo.id}>
                <span title={photo.name}>{photo.name}</span>
                <button aria-label={`Take ${photo.name} back`} onClick={() => changePhoto(photo.id, { trashed: false })}>
                  Take it back
                </button>
              </li>
            ))}
          </ul>
        </details>
      )}
      <form method="dialog" class="ends">
        {inTrash() && (
          <button type="button" onClick={() => void emptyTrash().then(() => (removed.value = null))}>
            Empty the trash: {inTrash()}
          </button>
        )}
        <span class="space" />
        <Choose
          label="Choose another…"
          name="Choose another photo"
          accept={`${PICTURES},.toml`}
          onFile={(file) => {
            close();
            void upload(file);
          }}
        />
        <button class="primary" autofocus>
          Close
        </button>
      </form>
    </dialog>
  );
}

function Card({ photo }: { photo: Photo }) {
  const naming = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (naming.value) field.current?.select();
  }, [naming.value]);
  const here = start.value?.id === photo.id;
  const rename = (): void => {
    const name = field.current?.value.trim();
    naming.value = false;
    if (name && name !== photo.name) changePhoto(photo.id, { name });
  };
  return (
    <li data-on={here}>
      <button
        class="take"
        aria-label={`Open ${photo.name}`}
        aria-current={here}
        onClick={() => {
          void openPhoto(photo.id);
          photosOpen.value = false;
        }}
      >
        <img src={thumb(photo.id)} alt="" loading="lazy" />
      </button>
      {naming.value ? (
        <input
          ref={field}
          aria-label={`Name of ${photo.name}`}
          maxLength={120}
          defaultValue={photo.name}
          onBlur={rename}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Enter") rename();
            if (event.key === "Escape") {
              event.preventDefault();
              naming.value = false;
            }
          }}
        />
      ) : (
        <p title={photo.name}>{photo.name}</p>
      )}
      <p class="dim">
        {photo.width} × {photo.height}
      </p>
      <p class="does">
        <button aria-label={`Rename ${photo.name}`} onClick={() => (naming.value = true)}>
          Rename
        </button>
        <button
          aria-label={`Remove ${photo.name}`}
          onClick={() => {
            changePhoto(photo.id, { trashed: true }, () => (removed.value = photo));
          }}
        >
          Remove
        </button>
      </p>
    </li>
  );
}

/** The latest photos, on the empty page. */
export function Before() {
  const last = photos.value.slice(0, 6);
  if (last.length === 0) return null;
  return (
    <div class="before">
      <p class="dim">Or go on with an earlier photo</p>
      <ul>
        {last.map((photo) => (
          <li key={photo.id}>
            <button aria-label={`Open ${photo.name}`} title={photo.name} onClick={() => void openPhoto(photo.id)}>
              <img src={thumb(photo.id)} alt="" />
            </button>
          </li>
        ))}
      </ul>
      {photos.value.length > last.length && <button onClick={() => (photosOpen.value = true)}>All {photos.value.length} photos…</button>}
    </div>
  );
}
