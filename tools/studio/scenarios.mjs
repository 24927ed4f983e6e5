// Goes through the studio's page in Chromium, as people do. Each scenario waits for what is seen; an error in
// the page's console or a breach of its policy fails any of them.

import { spawn, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import behind from "./behind.mjs";
import foreign from "./foreign.mjs";
import history from "./history.mjs";
import rare from "./rare.mjs";
import steering from "./steering.mjs";

const [given, shots, only] = process.argv.slice(2);
const program = resolve(given);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const photo = "examples/coffee.png";
const home = mkdtempSync(join(tmpdir(), "studio-"));

function must(is, what) {
  if (!is) throw new Error(what);
}

const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");

// The program, on a port of its own.
class Program {
  async start(port, folder = home) {
    const args = ["studio", "--no-browser", "--port", String(port), "--threads", "2"];
    this.child = spawn(program, args, { env: { ...process.env, DEEPDREAM_HOME: folder }, stdio: ["ignore", "inherit", "pipe"] });
    this.port = port;
    this.link = await new Promise((done, fail) => {
      let text = "";
      const timer = setTimeout(() => fail(new Error(`no link: ${text}`)), 60000);
      this.child.stderr.on("data", (data) => {
        text += data;
        const link = /http:\/\/\S+#code=[0-9a-f]+/.exec(text)?.[0];
        if (link && text.includes("Ctrl-C ends it")) {
          clearTimeout(timer);
          done(link);
        }
      });
    });
    return this;
  }
  async end(signal = "SIGINT") {
    if (this.child.exitCode !== null) return;
    const gone = new Promise((done) => this.child.once("exit", done));
    this.child.kill(signal);
    await gone;
  }
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const port = Number(process.env.STUDIO_PORT ?? 8137);
const studio = await new Program().start(port);
const address = `http://127.0.0.1:${studio.port}`;
let link = studio.link;
let token = null;

const problems = [];
const allowed = [];
async function window_(options = {}, token_ = token) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options });
  if (token_) await context.addInitScript((token) => localStorage.setItem("deepdream-token", token), token_);
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const text = message.text();
    if (!allowed.some((pattern) => pattern.test(text))) problems.push(text);
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  return page;
}
// A window of the studio, or of another one by its link.
const open = async (options, other) => {
  const page = await window_(options, other ? null : token);
  await page.goto(other?.link ?? `${address}/`);
  return page;
};
async function expecting(pattern, act) {
  allowed.push(pattern);
  try {
    const answer = await act();
    // What the console says comes by another way than what is seen.
    await new Promise((done) => setTimeout(done, 200));
    return answer;
  } finally {
    allowed.splice(allowed.indexOf(pattern), 1);
  }
}

const text = (page) => page.locator(".progress .text").textContent();
// The whole dream of what is on the desk is drawn, and the page knows of all that the server has.
const whole = async (page) => {
  // What was asked for just now has reached the desk by then.
  await page.waitForTimeout(150);
  const { desk } = await state(page);
  await page.waitForFunction(
    (rev) => {
      const progress = document.querySelector(".progress");
      const drawn = document.querySelector(".frame")?.dataset.rev;
      const exact = /exact$/.test(progress?.querySelector(".text")?.textContent ?? "");
      return exact && drawn === progress.dataset.rev && Number(drawn) >= rev;
    },
    desk.rev,
    { timeout: 90000 },
  );
};
const api = (page, method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const headers = { authorization: `Bearer ${localStorage.getItem("deepdream-token")}`, "content-type": "application/json" };
      const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
      const raw = await answer.text();
      return { status: answer.status, body: raw.startsWith("{") || raw.startsWith("[") ? JSON.parse(raw) : raw };
    },
    [method, path, body],
  );
const state = async (page) => (await api(page, "GET", "/api/state")).body;
// The canvas's pixels, so that dreams can be told apart.
const pixels = async (page) => {
  const { width, height, url } = await page.evaluate(() => {
    const canvas = document.querySelector(".frame > canvas[role=img]");
    return { width: canvas.width, height: canvas.height, url: canvas.toDataURL() };
  });
  return `${width} × ${height}, ${hash(url)}`;
};
async function drop(page, path, name = "coffee.png", type = "image/png") {
  const bytes = readFileSync(path).toString("base64");
  await page.evaluate(
    ([bytes, name, type]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }));
      document.querySelector(".stage").dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
    },
    [bytes, name, type],
  );
}
async function shot(page, name, check = true) {
  await page.screenshot({ path: join(shots, `${name}.png`) });
  if (!check) return;
  const report = await page.evaluate(`(() => { ${axe}; return axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }); })()`);
  const found = report.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ") + " " + (node.any[0]?.message ?? "")).slice(0, 3).join("; ")}`);
  must(found.length === 0, `${name}: ${found.join("\n  ")}`);
}
async function download(page, act) {
  const [file] = await Promise.all([page.waitForEvent("download"), act()]);
  const path = join(home, file.suggestedFilename());
  await file.saveAs(path);
  return path;
}

let main;

// A picture that the page draws by itself, so that none has to lie here.
async function drawn(name, width, height, paint) {
  const bytes = await main.evaluate(
    async ([width, height, paint]) => {
      const canvas = new OffscreenCanvas(width, height);
      const pen = canvas.getContext("2d");
      const cup = await createImageBitmap(await (await fetch("/coffee.jpg")).blob());
      if (paint === "cup") pen.drawImage(cup, 0, 0, width, height);
      for (let at = 0; paint === "rings" && at < 60; at += 1) {
        pen.strokeStyle = `hsl(${(at * 47) % 360} 80% ${30 + (at % 3) * 20}%)`;
        pen.lineWidth = 3;
        pen.beginPath();
        pen.arc(((at * 73) % width), ((at * 41) % height), 8 + (at % 7) * 6, 0, 7);
        pen.stroke();
      }
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    },
    [width, height, paint],
  );
  const path = join(home, name);
  writeFileSync(path, Buffer.from(bytes, "base64"));
  return path;
}

const scenarios = {
  async "a link opens one window, and its code is gone from the address"() {
    main = await window_();
    await main.goto(link);
    await main.getByText("Drop a photo here").waitFor();
    must(!main.url().includes("code"), main.url());
    token = await main.evaluate(() => localStorage.getItem("deepdream-token"));
    await shot(main, "01 empty");
  },
  async "a used code says so, and a new link opens another window"() {
    const keep = token;
    token = null;
    const page = await window_();
    await expecting(/401/, async () => {
      await page.goto(link);
      await page.getByText("was used already").waitFor();
      await shot(page, "02 door");
      await page.getByLabel("Or give its token").fill(keep);
      await page.getByRole("button", { name: "Open" }).click();
      await page.getByText("Drop a photo here").waitFor();
    });
    await page.context().close();
    token = keep;
  },
  async "a photo that is dropped is dreamt on within two seconds, and whole by itself"() {
    const begun = Date.now();
    await drop(main, photo);
    await main.waitForFunction(() => !document.querySelector("canvas")?.hidden && document.querySelector(".progress[data-phase=dreaming]"));
    const took = Date.now() - begun;
    console.log(`    first frame after ${took} ms`);
    await shot(main, "03 first dream");
    await whole(main);
    console.log(`    ${await text(main)}`);
    await main.waitForTimeout(300);
    await shot(main, "04 whole");
  },
  async "a saved picture carries its recipe, by which the program makes the same bytes"() {
    await main.getByRole("button", { name: "Save", exact: true }).click();
    await shot(main, "05 save");
    const saved = await download(main, () => main.getByRole("button", { name: "Picture, PNG" }).click());
    const again = join(home, "again.png");
    execFileSync(program, ["image", photo, "--recipe", saved, "-o", again, "--quiet"], { env: { ...process.env, DEEPDREAM_HOME: home } });
    must(hash(readFileSync(saved)) === hash(readFileSync(again)), "the page's picture is not the program's");
  },
  async "looks and layers are made behind the dream"() {
    await main.keyboard.press("Escape");
    await main.locator(".looks .card img").nth(5).waitFor({ timeout: 120000 });
    await main.locator(".layers .card img").nth(5).waitFor({ timeout: 120000 });
    // The picture that the README has, as docs/studio.jpg.
    await shot(main, "readme");
  },
  async "a small photo takes its place, for the rest of this"() {
    await drop(main, await drawn("small.png", 320, 213, "cup"), "small cup.png");
    await main.locator(".bar .name", { hasText: "small cup" }).waitFor();
    await whole(main);
  },
  async "a knob changes the dream, and undo brings the very same one back"() {
    const before = await pixels(main);
    const knob = main.getByRole("slider", { name: "Strength" });
    await knob.focus();
    await knob.press("PageUp");
    await main.getByText("1 changed").waitFor();
    await whole(main);
    must((await pixels(main)) !== before, "the dream is the same");
    await shot(main, "06 changed");
    await main.keyboard.press("Control+z");
    await main.getByText("As the look has it").waitFor();
    await whole(main);
    must((await pixels(main)) === before, "undo gave another dream");
  },
  async "of twenty moves in a second the last wins"() {
    const knob = main.getByRole("slider", { name: "Colour" });
    await knob.focus();
    for (let move = 0; move < 20; move += 1) {
      await knob.press("ArrowRight");
      await main.waitForTimeout(40);
    }
    await whole(main);
    const { desk, dream } = await state(main);
    must(Math.abs(Number(desk.recipe.values["ascent.chroma"]) - 1.6) < 1e-6, desk.recipe.values["ascent.chroma"]);
    must(desk.rev === dream.rev, "the dream is of another recipe");
  },
  async "a typed value that cannot be is refused at its knob"() {
    const field = main.locator("#app .knob", { hasText: "ascent.iterations" }).locator(".typed");
    await expecting(/422/, async () => {
      await field.fill("0");
      await field.press("Enter");
      await main.locator(".knob .why").waitFor();
    });
    await shot(main, "07 refused");
    must((await main.locator(".knob .why").textContent()).includes("1 to 100000"), "the range is not said");
    await field.fill("10");
    await field.press("Enter");
    await main.locator(".knob .why").waitFor({ state: "detached" });
  },
  async "layers are chosen by looking, and mixed"() {
    const cards = main.locator(".layers .card");
    await main.locator(".layers .card img").first().waitFor();
    must((await cards.count()) > 10, "too few layers");
    await main.getByLabel("Filter layers").fill("fire5");
    const card = main.locator(".layers .card[data-name='fire5/concat']");
    await card.locator("img").waitFor();
    await card.locator(".take").click();
    await main.waitForFunction(() => document.querySelectorAll(".layers .card[data-on=true]").length === 1);
    await whole(main);
    await main.getByLabel("Filter layers").fill("");
    const other = main.locator(".layers .card[data-name='fire2/concat']");
    await other.scrollIntoViewIfNeeded();
    await other.hover();
    await other.locator(".mix").click();
    await main.locator(".term .what", { hasText: "fire2/concat" }).waitFor();
    const { desk } = await state(main);
    must(desk.recipe.objective.length === 2, JSON.stringify(desk.recipe.objective));
    await whole(main);
    await shot(main, "08 mix");
    await main.getByRole("button", { name: "Leave out fire2/concat" }).click();
    await main.waitForFunction(() => document.querySelectorAll(".term").length === 1);
  },
  async "looks are pictures of one's own photo"() {
    await main.locator(".looks .card img").nth(3).waitFor({ timeout: 120000 });
    await main.locator(".looks .card[data-name=classic] .take").click();
    await main.waitForFunction(() => document.querySelector(".looks .card[data-on=true]")?.dataset.name === "classic");
    await whole(main);
    await shot(main, "09 look");
  },
  async "the original is split, held and laid beside"() {
    await main.locator(".stage").press("x");
    const split = main.getByRole("slider", { name: /original ends/ });
    await split.focus();
    await split.press("ArrowLeft");
    must((await split.inputValue()) === "49", await split.inputValue());
    await shot(main, "10 split");
    await main.getByRole("button", { name: "Side by side" }).click();
    await main.waitForTimeout(100);
    await shot(main, "11 side by side");
    await main.getByRole("button", { name: "Dream", exact: true }).click();
    await main.locator(".stage").focus();
    await main.keyboard.down("\\");
    await main.locator(".app[data-held=true] .over").waitFor();
    // What is dimmed while a key is held is dimmed on purpose.
    await shot(main, "12 held", false);
    await main.keyboard.up("\\");
    await main.locator(".app[data-held=false]").waitFor();
    for (const _ of [0, 1]) await main.locator(".stage").press("b");
    await shot(main, "13 white surround");
    await main.locator(".stage").press("b");
  },
  async "pause, go on, stop"() {
    await api(main, "PATCH", "/api/dream", { rev: (await state(main)).desk.rev, changes: [{ set: { path: "ascent.iterations", value: 100 } }] });
    await main.getByRole("button", { name: "Pause" }).click();
    await main.locator(".progress .text", { hasText: "Paused at step" }).waitFor();
    await shot(main, "14 paused");
    await main.getByRole("button", { name: "Go on" }).click();
    await main.getByRole("button", { name: "Stop" }).click();
    await main.locator(".progress .text", { hasText: "unfinished" }).waitFor();
    await main.getByRole("button", { name: "Save", exact: true }).click();
    must(await main.getByRole("button", { name: "Picture, PNG" }).isDisabled(), "an unfinished dream can be saved");
    await shot(main, "15 stopped");
    const unfinished = await download(main, () => main.getByRole("button", { name: "As it is now, JPG" }).click());
    must(/unfinished\.jpg$/.test(unfinished) && readFileSync(unfinished).length > 1000, `${unfinished} is not what stands there`);
    await main.keyboard.press("Escape");
    await main.keyboard.press("Control+z");
    await whole(main);
  },
  async "a dream's picture is asked about, and its recipe taken"() {
    await main.getByRole("button", { name: "Save", exact: true }).click();
    const saved = await download(main, () => main.getByRole("button", { name: "Picture, PNG" }).click());
    await main.getByRole("button", { name: "Another seed" }).click();
    await whole(main);
    await drop(main, saved, "dreamt.png");
    await main.getByText("was dreamt by a recipe").waitFor();
    await shot(main, "17 a picture with a recipe");
    await main.getByRole("button", { name: "Use its recipe on my photo" }).click();
    await main.waitForFunction(() => document.querySelector(".seed .typed").value === "0");
    await whole(main);
  },
  async "the dream becomes the next one's photo, and undo brings the photo back"() {
    await main.getByRole("button", { name: "Dream on" }).click();
    await main.locator(".bar .name", { hasText: "dreamt" }).waitFor();
    await whole(main);
    await shot(main, "18 dream on");
    await main.keyboard.press("Control+z");
    await main.locator(".bar .name", { hasText: "small cup.png" }).waitFor();
    await whole(main);
  },
  async "what is not a picture is said, and the dream stays"() {
    const path = join(home, "holiday.png");
    writeFileSync(path, "no picture at all");
    await expecting(/422/, async () => {
      await drop(main, path, "holiday.png");
      await main.getByText(/holiday\.png/).last().waitFor();
    });
    await shot(main, "16 not a picture");
    must(!(await main.locator(".message").textContent()).includes(home), "a path is told");
    await main.locator(".message").getByRole("button", { name: "Close" }).click();
  },
  async "a page that is loaded again, and a second one, show the same"() {
    await whole(main);
    const before = await pixels(main);
    await main.reload();
    await whole(main);
    await main.waitForFunction(() => !document.querySelector("canvas").hidden);
    await main.waitForTimeout(300);
    const after = await pixels(main);
    must(after === before, `${after} after loading again, before ${before}`);
    const second = await open();
    await whole(second);
    await second.getByRole("button", { name: "Another seed" }).click();
    await main.waitForFunction((seed) => document.querySelector(".seed .typed").value !== seed, "0");
    await second.context().close();
  },
  async "on a phone, by touch; scrolling over ranges changes none"() {
    const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    await whole(page);
    await page.waitForTimeout(500);
    await shot(page, "20 phone look");
    await page.getByRole("tab", { name: "Layers" }).tap();
    await page.locator(".layers .card img").first().waitFor();
    await page.waitForTimeout(500);
    await shot(page, "21 phone layers");
    await page.getByRole("tab", { name: "Knobs" }).tap();
    await page.waitForTimeout(100);
    await shot(page, "22 phone knobs");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    must(wide <= 360, `the page is ${wide} pixels wide`);
    const before = (await state(page)).desk.recipe.values;
    const session = await page.context().newCDPSession(page);
    const slider = await page.getByRole("slider", { name: "Strength" }).boundingBox();
    await session.send("Input.synthesizeScrollGesture", { x: slider.x + slider.width / 2, y: slider.y + 10, yDistance: -200, gestureSourceType: "touch" });
    await page.waitForTimeout(600);
    const after = (await state(page)).desk.recipe.values;
    const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
    must(changed.length === 0, `scrolling changed ${changed}`);
    await page.context().close();
  },
  async "on a tablet, and with 200 % text at 320 pixels"() {
    const page = await open({ viewport: { width: 820, height: 900 } });
    await whole(page);
    await page.waitForTimeout(400);
    await shot(page, "23 tablet");
    const cut = await page.evaluate(() => [...document.querySelectorAll(".foot > *, .bar > *")].filter((one) => one.getBoundingClientRect().right > innerWidth).map((one) => one.textContent));
    must(cut.length === 0, `out of sight: ${cut}`);
    await page.setViewportSize({ width: 320, height: 640 });
    await page.waitForTimeout(200);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    must(wide <= 320, `the page is ${wide} pixels wide`);
    await shot(page, "24 narrow");
    await page.context().close();
  },
  async "networks are listed, with what fetching one means"() {
    await main.getByRole("button", { name: "Networks…" }).click();
    const dialog = main.getByRole("dialog", { name: "Networks" });
    await dialog.getByText("in use").waitFor();
    await dialog.getByPlaceholder("Filter").fill("inception5h");
    await dialog.getByRole("button", { name: /^Fetch/ }).first().waitFor();
    await shot(main, "27 networks");
    await dialog.getByRole("button", { name: "Close" }).click();
  },
  async "the keys are listed"() {
    await main.locator("body").press("?");
    await main.getByText("hold for the original").waitFor();
    await shot(main, "25 keys");
    await main.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  },
  async "a large photo is dreamt in another size, with the same figures"() {
    const page = await open();
    await whole(page);
    await drop(page, await drawn("large.png", 720, 480, "cup"), "large cup.png");
    await page.locator(".bar .name", { hasText: "large cup.png" }).waitFor();
    await page.getByLabel("Size of the dream").selectOption("640");
    await page.locator(".progress .text", { hasText: "640 × 427" }).waitFor({ timeout: 90000 });
    await shot(page, "26 size");
    // The size is taken back by itself, then the photo.
    await page.keyboard.press("Control+z");
    await page.locator(".progress .text", { hasText: "720 × 480" }).waitFor({ timeout: 90000 });
    await page.keyboard.press("Control+z");
    await page.locator(".bar .name", { hasText: "small cup.png" }).waitFor();
    await page.context().close();
  },
  async "from noise, without a photo"() {
    const page = await open();
    await whole(page);
    await page.getByRole("button", { name: "Noise" }).click();
    await page.locator(".bar .name", { hasText: "noise" }).waitFor();
    await page.waitForFunction(() => document.querySelector(".progress[data-phase=dreaming]"));
    await page.keyboard.press("Control+z");
    await page.context().close();
  },
};
const tools = { Program, address, api, browser, download, drawn, drop, expecting, hash, home, must, open, page: () => main, pixels, program, shot, state, studio, token: () => token, whole };
Object.assign(scenarios, foreign(tools), steering(tools), history(tools), behind(tools), rare(tools));
Object.assign(scenarios, {
  async "the studio goes, and comes back"() {
    await expecting(/ERR_|Failed to load|401/, async () => {
      await studio.end();
      await main.getByText("The studio does not answer").filter({ visible: true }).waitFor();
      await shot(main, "30 gone");
      const again = await new Program().start(studio.port);
      studio.child = again.child;
      const other = await window_();
      await other.goto(again.link);
      await other.getByText("Drop a photo here").waitFor();
      await other.context().close();
    });
  },
});

let failed = 0;
for (const [name, scenario] of Object.entries(scenarios)) {
  if (only && !new RegExp(only).test(name) && !name.startsWith("a link")) continue;
  const begun = Date.now();
  try {
    await scenario();
    must(problems.length === 0, `in the console: ${problems.join("; ")}`);
    console.log(`ok   ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n  ${error.message ?? error}`);
    await main?.screenshot({ path: join(shots, `failed ${failed}.png`) }).catch(() => undefined);
  }
  problems.length = 0;
}
await browser.close();
await studio.end();
rmSync(home, { recursive: true, force: true });
console.log(failed ? `${failed} scenarios failed` : "all scenarios passed");
process.exit(failed ? 1 : 0);
