// Dreams in Node: run.mjs MODULE OUTPUT writes the dream's bytes.

import { readFile, writeFile } from "node:fs/promises";

const [path, output] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(await readFile(path), {});
const { memory, dream, length } = instance.exports;
const start = dream();
await writeFile(output, new Uint8Array(memory.buffer, start, length()));
