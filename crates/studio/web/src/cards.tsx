// Cards with small pictures, edge to edge: what they show, and how one walks along them.

import { small } from "./api";

export function Picture({ file, name }: { file: string | false | undefined; name: string }) {
  if (file) return <img src={small(file)} alt="" draggable={false} />;
  return (
    <span class={file === false ? "blank none" : "blank"} aria-hidden="true">
      {file === false ? "too small a picture" : name}
    </span>
  );
}

/** Arrows walk from card to card; Enter takes, as on any button; + puts into the mix. */
export function walk(event: KeyboardEvent): void {
  const cards = [...(event.currentTarget as Element).querySelectorAll<HTMLButtonElement>(".take")];
  const at = cards.indexOf(document.activeElement as HTMLButtonElement);
  if (at < 0) return;
  const mix = cards[at]!.parentElement?.querySelector<HTMLButtonElement>(".mix");
  if (event.key === "+" && mix) {
    event.stopPropagation();
    mix.click();
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
