// Where a pointer is.

/** Its place on what hears of it, right and down in shares of that. */
export function shares(event: MouseEvent): [number, number] {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}
