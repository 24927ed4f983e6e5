// A button that lets one choose a file.

import { useRef } from "preact/hooks";

/** The pictures that the program reads. */
export const PICTURES = "image/png,image/jpeg,image/webp,image/tiff,image/bmp";

interface ChooseProps {
  label: string;
  accept: string;
  onFile: (file: File) => void;
  /** What its field is called; else as the button. */
  name?: string;
  class?: string;
  id?: string | undefined;
  disabled?: boolean;
}

export function Choose({ label, accept, onFile, name, ...button }: ChooseProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" {...button} onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        class="hidden"
        type="file"
        accept={accept}
        tabIndex={-1}
        aria-label={name ?? label}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) onFile(file);
        }}
      />
    </>
  );
}
