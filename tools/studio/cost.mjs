// What it costs a dream that a page looks at it, and what the page itself takes. Prints figures; checks none.
//
//   node tools/studio/cost.mjs PROGRAM [STEPS]   PROGRAM: the built deepdream; STEPS of each octave, 100 if not given
//
// The browser shares the machine's processors with the dream: on a machine with more of them, or with the page on
// another one, it costs less.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [program, steps = "100"] = process.argv.slice(2);
const photo = "examples/coffee.png";
const home = mkdtempSync(join(tmpdir(), "cost-"));
const env = { ...process.env, DEEPDREAM_HOME: home };
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];

const begun = Date.now();
const studio = spawn(program, ["studio", "--no-browser", "--port", "0", "--threads", "2"], { env, stdio: ["ignore", "ignore", "pipe"] });
// In the page: how long each frame took from its step until it was on the screen, and how long the first of a recipe.
const watch = () => {
  window.shown = { all: [], first: [] };
  let newest;
  const { fetch } = window;
  window.fetch = async (...args) => {
    const answer = await fetch(...args);
    const step = /step;dur=([\d.]+)/.exec(answer.headers.get("server-timing") ?? "");
    // A page that is opened later shows what was dreamt long before.
    if (step) newest = { done: performance.now() - Number(step[1]), rev: answer.headers.get("x-rev"), counts: answer.headers.get("x-whole") === "0" };
    return answer;
  };
  let rev = null;
  const { transferFromImageBitmap } = ImageBitmapRenderingContext.prototype;
  ImageBitmapRenderingContext.prototype.transferFromImageBitmap = function (picture) {
    transferFromImageBitmap.call(this, picture);
    const { done, counts } = newest;
    const isFirst = newest.rev !== rev;
    rev = newest.rev;
    if (!counts) return;
    // After the next frame of the screen has been painted.
    requestAnimationFrame(() => setTimeout(() => {
      const took = performance.now() - done;
      window.shown.all.push(took);
      if (isFirst) window.shown.first.push(took);
    }));
  };
};

const link = await new Promise((done) => {
  let said = "";
  studio.stderr.on("data", (data) => {
    said += data;
    const found = /http:\/\/\S+#code=[0-9a-f]+/.exec(said);
    if (found) done(found[0]);
  });
});
console.log(`it listens after ${Date.now() - begun} ms`);
const address = new URL(link).origin;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage", "--enable-precise-memory-info"] });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
await page.addInitScript(watch);
await page.goto(link);
await page.getByText("Drop a photo here").waitFor();
const token = await page.evaluate(() => localStorage.getItem("deepdream-token"));
const ask = async (method, path, body) => {
  const answer = await fetch(address + path, { method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
  return text && JSON.parse(text);
};
const done = async () => {
  for (;;) {
    const state = await ask("GET", "/api/state");
    if (state.dream.phase === "done" && state.dream.rev === state.desk.rev) return state;
    await sleep(100);
  }
};
let seed = 1;
// Dreams once more and says how many seconds that takes.
const dreamt = async () => {
  const { desk } = await done();
  seed += 1;
  const changes = [{ set: { path: "ascent.iterations", value: Number(steps) } }, { set: { path: "seed", value: seed } }];
  await ask("PATCH", "/api/dream", JSON.stringify({ rev: desk.rev, changes }));
  return (await done()).dream.seconds;
};
// Until all small pictures are made.
const calm = () => sleep(8000);

await ask("POST", "/api/pictures?name=coffee.png", readFileSync(photo));
await done();
const [watched, alone, line, rates, long, all, first] = [[], [], [], [], [], [], []];
let frames = 0;
page.on("response", (answer) => (frames += Number(answer.url().includes("/frames/") && answer.status() === 200)));
const tasks = () =>
  page.evaluate(() => {
    window.long = [];
    new PerformanceObserver((all) => window.long.push(...all.getEntries().map((one) => one.duration))).observe({ entryTypes: ["longtask"] });
  });
const heap = async () => {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  return (await page.evaluate(() => performance.memory.usedJSHeapSize)) / 1e6;
};
const heaps = [];
for (let round = 0; round < 5; round += 1) {
  await page.goto(`${address}/`);
  await dreamt();
  await calm();
  await tasks();
  heaps.push(await heap());
  frames = 0;
  watched.push(await dreamt());
  rates.push(frames / watched.at(-1));
  heaps.push(await heap());
  long.push(...(await page.evaluate(() => window.long)));
  const shown = await page.evaluate(() => window.shown);
  all.push(...shown.all);
  first.push(...shown.first);
  await page.goto("about:blank");
  await sleep(3000);
  alone.push(await dreamt());
  const began = Date.now();
  execFileSync(program, ["image", photo, "--quiet", "--iterations", steps, "--seed", String(seed), "--threads", "2", "--force", "-o", join(home, "dream.png")], { env });
  line.push((Date.now() - began) / 1000);
}
const ratio = (these, others) => median(these.map((seconds, at) => others[at] / seconds)).toFixed(2);
console.log(`steps a second while a page looks, against nobody: ${ratio(watched, alone)}; nobody, against the command line as a process: ${ratio(alone, line)}`);
console.log(`frames a second: ${median(rates).toFixed(1)}`);
const spread = (times) => `median ${median(times).toFixed(0)} ms, at most ${Math.max(...times).toFixed(0)} ms`;
console.log(`from a step to the screen, ${all.length} frames: ${spread(all)}; the first of a recipe: ${spread(first)}`);
console.log(`tasks over 50 ms while dreaming: ${long.length}${long.length ? ` (${long})` : ""}; heap ${Math.min(...heaps).toFixed(1)} to ${Math.max(...heaps).toFixed(1)} MB`);
const ticks = () => readFileSync(`/proc/${studio.pid}/stat`, "utf8").split(") ")[1].split(" ").slice(11, 13).reduce((sum, one) => sum + Number(one), 0);
const before = ticks();
await sleep(10000);
console.log(`processor when nobody looks: ${((ticks() - before) / 10).toFixed(1)} %`);
await browser.close();
studio.kill("SIGINT");
rmSync(home, { recursive: true, force: true });
