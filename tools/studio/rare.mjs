// What happens seldom, and has to be right then too: recipes of networks that are not here, files that are none, many
// windows, a keyboard and nothing else, settings that the page has never heard of, links that are slow.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { deflateSync, crc32 } from "node:zlib";
import { join } from "node:path";

export default function rare({ Program, api, download, drop, expecting, home, must, open, page: main, shot, state, studio, whole }) {
  // A PNG's chunk.
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, sum]);
  };
  // As Node 20 has none.
  const crc = crc32 ?? ((bytes) => {
    let sum = ~0;
    for (const byte of bytes) {
      sum ^= byte;
      for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
    }
    return ~sum >>> 0;
  });

  return {
    async "a recipe of a network that is not here offers to fetch it"() {
      const path = join(home, "far.toml");
      const recipe = (await api(main(), "GET", "/api/recipe")).body;
      writeFileSync(path, recipe.replace(/(\[model\][^[]*?name = )"[^"]*"/, '$1"inception5h"').replace(/hash = "[0-9a-f]*"/, 'hash = ""'));
      const before = (await state(main())).desk;
      // Nothing is fetched here.
      let asked = 0;
      await main().route("**/api/networks/inception5h", (route) => {
        asked += 1;
        return route.fulfill({ status: 204 });
      });
      await expecting(/422/, async () => {
        await drop(main(), path, "far.toml", "application/toml");
        await main().locator(".message", { hasText: "inception5h" }).waitFor();
      });
      await shot(main(), "62 a network that is not here");
      await main().getByRole("button", { name: "Fetch Inception5h, 50 MB, Apache-2.0" }).click();
      await main().getByRole("dialog", { name: "Networks" }).waitFor();
      must(asked === 1, `it was asked for ${asked} times`);
      await main().getByRole("dialog", { name: "Networks" }).getByRole("button", { name: "Close" }).click();
      await main().unroute("**/api/networks/inception5h");
      must(JSON.stringify((await state(main())).desk) === JSON.stringify(before), "the desk was changed");
    },
    async "a change that is refused without a knob of its own is said"() {
      const failure = { fault: "network", detail: "`googlenet` is not installed. Download it first.", ways_out: [], knob: "model.name", value: "googlenet" };
      await expecting(/422/, async () => {
        await main().route("**/api/dream", (route) => route.fulfill({ status: 422, json: failure }), { times: 1 });
        await main().getByRole("button", { name: "Another seed" }).click();
        await main().locator(".message", { hasText: "googlenet" }).waitFor();
      });
      await main().locator(".message").getByRole("button", { name: "Close" }).click();
    },
    async "pictures that are cut off or too large are refused in words"() {
      const head = Buffer.alloc(13);
      head.writeUInt32BE(50000, 0);
      head.writeUInt32BE(50000, 4);
      head.set([8, 2, 0, 0, 0], 8);
      const rows = deflateSync(Buffer.alloc(1 << 20));
      const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
      const bomb = Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]);
      const cut = readFileSync("examples/coffee.png").subarray(0, 20000);
      const before = (await state(main())).desk;
      for (const [name, bytes] of [["bomb.png", bomb], ["cut off.png", cut]]) {
        const path = join(home, name);
        writeFileSync(path, bytes);
        await expecting(/422/, async () => {
          await drop(main(), path, name);
          await main().locator(".message", { hasText: name }).waitFor();
        });
        const said = await main().locator(".message").textContent();
        must(!said.includes(home) && said.length > name.length + 20, said);
        console.log(`    ${said.replace("Close", "")}`);
        await main().locator(".message").getByRole("button", { name: "Close" }).click();
      }
      must(JSON.stringify((await state(main())).desk) === JSON.stringify(before), "the desk was changed");
    },
    async "of eight windows the eighth loads and is told"() {
      const context = main().context();
      const pages = [];
      // Without a screen every window is in view: those behind are told that they are not.
      const seen = (page, is) =>
        page.evaluate((is) => {
          Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (is ? "visible" : "hidden") });
          document.dispatchEvent(new Event("visibilitychange"));
        }, is);
      await seen(main(), false);
      for (let count = 1; count < 8; count += 1) {
        if (pages.length > 0) await seen(pages.at(-1), false);
        const page = await context.newPage();
        await page.goto(main().url());
        await page.locator(".bar .name").waitFor();
        pages.push(page);
      }
      const last = pages.at(-1);
      await whole(last);
      await last.getByRole("button", { name: "Another seed" }).click();
      const { desk } = await state(last);
      await last.waitForFunction((rev) => Number(document.querySelector(".progress").dataset.rev) >= rev, desk.rev);
      await last.keyboard.press("Control+z");
      for (const page of pages) await page.close();
      await main().bringToFront();
      await seen(main(), true);
      await whole(main());
    },
    async "a setting that the page has never heard of stands under More, and works"() {
      const made = { path: "made.up", kind: "text", default: "1", about: "Nothing.", whole: false };
      await main().route("**/api/form", async (route) => {
        const answer = await route.fetch();
        const form = await answer.json();
        await route.fulfill({ response: answer, json: { ...form, settings: [...form.settings, made] } });
      });
      await Promise.all([main().waitForResponse("**/api/form"), main().reload()]);
      await main().unroute("**/api/form");
      await whole(main());
      await main().locator("summary", { hasText: "More" }).click();
      const more = main().locator("details.group", { has: main().locator("summary", { hasText: "More" }) });
      await more.getByText("made.up").first().waitFor();
      await shot(main(), "63 more");
      // One that the program knows and the page's table does not.
      const { settings } = (await api(main(), "GET", "/api/form")).body;
      const placed = await main().locator(".knobs details.group:not(:last-of-type) .path, .knobs .first .path").allTextContents();
      const found = settings.find(({ path, kind }) => kind === "choice" && !placed.includes(path));
      must(found, `nothing to choose stands under More: ${settings.map(({ path, kind }) => `${path} ${kind}`).filter((one) => !placed.includes(one.split(" ")[0]))}`);
      const choice = more.locator(".knob", { hasText: found.path }).locator("select");
      const was = await choice.inputValue();
      const other = found.choices.find((one) => one !== was);
      await choice.selectOption(other);
      await main().waitForFunction((path) => [...document.querySelectorAll(".knob")].some((knob) => knob.textContent.includes(path) && knob.querySelector(".dot")), found.path);
      must((await state(main())).desk.recipe.values[found.path] === other, `${found.path} is not set`);
      await main().keyboard.press("Control+z");
      await whole(main());
      await main().locator("summary", { hasText: "More" }).click();
    },
    async "the photo is its own mask, by its brightness"() {
      await main().locator("body").press("m");
      await main().getByRole("button", { name: "By brightness" }).click();
      await main().waitForFunction(() => document.querySelector(".mask summary")?.textContent.includes("counts"));
      await whole(main());
      await shot(main(), "64 mask by brightness");
      await main().keyboard.press("Control+z");
      await main().waitForFunction(() => !document.querySelector(".mask summary")?.textContent.includes("counts"));
      await main().locator("body").press("m");
      await whole(main());
    },
    async "over a slow link frames become smaller, and the whole dream does not"() {
      const page = await open();
      await whole(page);
      const wanted = [];
      page.on("request", (request) => {
        const address = new URL(request.url());
        if (address.pathname.startsWith("/frames/")) wanted.push(Number(address.searchParams.get("max")));
      });
      const session = await page.context().newCDPSession(page);
      const slow = (bytes) => session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: bytes, uploadThroughput: -1 });
      const steps = async (value) => api(page, "PATCH", "/api/dream", { rev: (await state(page)).desk.rev, changes: [{ set: { path: "ascent.iterations", value } }] });
      await slow(30000);
      await steps(2000);
      for (const begun = Date.now(); !wanted.some((most) => most <= 480); await page.waitForTimeout(50)) must(Date.now() - begun < 60000, `frames of ${wanted} pixels were asked for`);
      await steps(12);
      await whole(page);
      await slow(-1);
      await page.waitForTimeout(100);
      must(wanted.at(-1) > 480, `the whole dream is asked for with ${wanted.at(-1)} pixels`);
      await page.keyboard.press("Control+z");
      await page.keyboard.press("Control+z");
      await whole(page);
      await page.context().close();
    },
    async "the first minute by the keyboard alone"() {
      const other = await new Program().start(studio.port + 3, mkdtempSync(join(home, "keys-")));
      try {
        const page = await open({ reducedMotion: "reduce", forcedColors: "active" }, { link: other.link });
        await page.getByText("Drop a photo here").waitFor();
        const reach = async (name) => {
          for (let press = 0; press < 60; press += 1) {
            await page.keyboard.press("Tab");
            const at = await page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent);
            if (at === name) return;
          }
          throw new Error(`${name} is not reached`);
        };
        await reach("Try the coffee cup");
        await page.keyboard.press("Enter");
        await whole(page);
        await page.keyboard.press("]");
        await page.getByText("1 changed").waitFor();
        await whole(page);
        // The colours are the system's: what the page's own would be is not seen.
        await shot(page, "65 keyboard, forced colours", false);
        await page.keyboard.press("s");
        await reach("Picture, JPG");
        const saved = await download(page, () => page.keyboard.press("Enter"));
        must(readFileSync(saved).length > 10000, "nothing was saved");
        await page.context().close();
      } finally {
        await other.end();
      }
    },
  };
}
