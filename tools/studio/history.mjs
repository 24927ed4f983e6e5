// What is kept of dreams: cards and branches, checks, variations, saved looks, the command line.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export default function history({ api, download, drop, expecting, hash, home, must, open, page: main, pixels, program, shot, state, whole }) {
  const small = join(home, "small.png");
  const cards = async () => (await api(main(), "GET", "/api/nodes")).body;
  const until = async (what, is, most = 30000) => {
    for (const begun = Date.now(); ; await main().waitForTimeout(100)) {
      const answer = await is();
      if (answer) return answer;
      must(Date.now() - begun < most, `never: ${what}`);
    }
  };
  // What is on the desk is a card, and the page shows it.
  const kept = async () => {
    await whole(main());
    const node = await until("a card", async () => (await state(main())).desk.node);
    await main().locator(`.past[data-id="${node}"][data-on=true] img`).waitFor();
    return node;
  };
  const seed = async (text) => {
    const field = main().locator(".seed .typed");
    await field.fill(text);
    await field.press("Enter");
    await until(`seed ${text}`, async () => (await state(main())).desk.recipe.values.seed === text);
    return kept();
  };
  const undo = async () => {
    await main().locator(".stage").focus();
    await main().keyboard.press("Control+z");
    await whole(main());
  };
  return {
    async "what stands becomes a card, and a change of an older one a branch"() {
      await main().locator(".bar .name").first().waitFor();
      await api(main(), "PATCH", "/api/dream", { rev: (await state(main())).desk.rev, changes: [{ set: { path: "ascent.iterations", value: 6 } }] });
      await whole(main());
      const first = await seed("1001");
      const second = await seed("1002");
      const third = await seed("1003");
      const before = await pixels(main());
      await undo();
      must((await state(main())).desk.node === second, "undo did not walk to the parent");
      const branch = await seed("1004");
      const all = await cards();
      const parent = (id) => all.find((card) => card.id === id)?.parent;
      must(parent(second) === first && parent(third) === second && parent(branch) === second, JSON.stringify(all));
      must(await main().locator(`.past[data-id="${branch}"][data-branch=true], .past[data-id="${third}"][data-branch=true]`).count(), "no branch is seen");
      await shot(main(), "50 history");
      // By keys: along the cards, and one is shown.
      await main().locator(`.past[data-id="${branch}"] .take`).focus();
      await main().keyboard.press("ArrowLeft");
      await main().locator(`.past[data-id="${third}"] .take:focus`).waitFor();
      await main().keyboard.press("Enter");
      await until("the card", async () => (await state(main())).desk.node === third);
      await whole(main());
      must((await pixels(main())) === before, "the card's dream is another one");
      await main().reload();
      await whole(main());
      await main().locator(`.past[data-id="${third}"][data-on=true]`).waitFor();
      must((await main().locator(".past").count()) === all.length, "not all cards are there after loading again");
    },
    async "cards are starred, named, put into the trash and taken back"() {
      const card = main().locator(".past[data-on=true]");
      const more = async (name) => {
        await card.hover();
        await card.locator(".dots").click();
        await card.getByRole("button", { name, exact: true }).click();
      };
      await more("Star");
      await card.locator(".star").waitFor();
      await card.locator(".dots").click();
      await main().waitForTimeout(100);
      await shot(main(), "51 a card's menu");
      await card.getByRole("button", { name: "Name…" }).click();
      await main().keyboard.type("two eyes");
      await main().keyboard.press("Enter");
      await until("a name", async () => (await cards()).some((one) => one.title === "two eyes" && one.star));
      const count = await main().locator(".past").count();
      await more("To the trash");
      await main().waitForFunction((count) => document.querySelectorAll(".past").length === count - 1, count);
      await shot(main(), "52 in the trash");
      await main().locator(".gone").getByRole("button", { name: "Undo" }).click();
      await main().waitForFunction((count) => document.querySelectorAll(".past").length === count, count);
    },
    async "a card is dreamt again to the same pixels, and compared with"() {
      const card = main().locator(".past[data-on=false]").first();
      await card.hover();
      await card.locator(".dots").click();
      await card.getByRole("button", { name: /^Check/ }).click();
      await card.locator(".list [role=status]", { hasText: /^The same pixels again$/ }).waitFor({ timeout: 60000 });
      await shot(main(), "53 checked");
      // While one is dreamt again another is compared with: it waits for its turn.
      const other = main().locator(".past[data-on=false]").nth(1);
      await other.hover();
      await other.locator(".dots").click();
      const [first, second] = [await card.getAttribute("data-id"), await other.getAttribute("data-id")];
      must((await api(main(), "POST", `/api/nodes/${first}/check`)).status === 204, "it is not checked");
      await other.getByRole("button", { name: "Compare with this" }).click();
      await main().locator(`.pictures .over[src*='/again/${second}']`).waitFor();
      await card.hover();
      await card.locator(".dots").click();
      await card.getByRole("button", { name: "Compare with this" }).click();
      await main().getByRole("slider", { name: /other dream ends/ }).waitFor();
      await main().locator(".pictures .over[src*='/again/']").waitFor();
      await main().waitForTimeout(300);
      await shot(main(), "54 compared");
      must((await main().getByLabel("Compare with").inputValue()) !== "", "it is compared with the original");
      await main().getByLabel("Compare with").selectOption("");
      await main().getByRole("slider", { name: /original ends/ }).waitFor();
      await main().getByRole("button", { name: "Dream", exact: true }).click();
    },
    async "four variations grow, and one is taken"() {
      const base = Number((await state(main())).desk.recipe.values.seed);
      await main().locator(".stage").focus();
      await main().keyboard.press("v");
      await main().locator(".variations img").nth(3).waitFor();
      await shot(main(), "55 variations");
      await until("grown", async () => (await state(main())).variations?.tiles.every((tile) => tile.share === 1), 90000);
      await main().waitForTimeout(300);
      await shot(main(), "56 variations, grown");
      await main().keyboard.press("v");
      await until("the next four", async () => (await state(main())).variations?.first === 5);
      await main().locator(".variations img").nth(3).waitFor();
      await main().keyboard.press("2");
      await main().locator(".variations").waitFor({ state: "detached" });
      await main().waitForFunction((seed) => document.querySelector(".seed .typed").value === seed, String(base + 6));
      await kept();
      await main().keyboard.press("v");
      await main().locator(".variations img").first().waitFor();
      await main().keyboard.press("Escape");
      await main().locator(".variations").waitFor({ state: "detached" });
    },
    async "a look is saved, and used with another seed"() {
      const knob = main().getByRole("slider", { name: "Colour" });
      await knob.focus();
      await knob.press("PageDown");
      await kept();
      const { values } = (await state(main())).desk.recipe;
      await main().getByRole("button", { name: "+ Keep this look…" }).click();
      await main().getByLabel("Name of the look").fill("pale");
      await main().keyboard.press("Enter");
      const look = main().locator(".looks .card", { hasText: "pale" });
      await look.locator("img").waitFor({ timeout: 60000 });
      await shot(main(), "56 a saved look");
      await knob.focus();
      await knob.press("PageUp");
      await whole(main());
      await look.locator(".take").click();
      await until("the look's colours", async () => (await state(main())).desk.recipe.values["ascent.chroma"] === values["ascent.chroma"]);
      await whole(main());
      const after = (await state(main())).desk.recipe.values;
      must(after["ascent.chroma"] === values["ascent.chroma"] && after.seed === values.seed, JSON.stringify([after, values]));
      // All of it but the layers, and then all of it.
      const layers = async () => JSON.stringify((await state(main())).desk.recipe.objective.map((term) => term.layer));
      const own = await layers();
      const others = [{ set: { path: "objective", value: [{ layer: "fire3/concat", weight: 1 }] } }, { set: { path: "ascent.chroma", value: 1.3 } }];
      await api(main(), "PATCH", "/api/dream", { rev: (await state(main())).desk.rev, changes: others });
      await whole(main());
      await look.hover();
      await look.getByRole("button", { name: "The look pale, but your layers" }).click();
      await until("the look's colours", async () => (await state(main())).desk.recipe.values["ascent.chroma"] === values["ascent.chroma"]);
      must((await layers()) === '["fire3/concat"]', `the look has brought its layers: ${await layers()}`);
      await look.locator(".take").click();
      await until("the look's layers", async () => (await layers()) === own);
      await whole(main());
      await look.hover();
      await look.getByRole("button", { name: /Remove the look/ }).click();
      await look.waitFor({ state: "detached" });
      await main().getByRole("button", { name: "Take pale back" }).click();
      await look.waitFor();
    },
    async "a look has another name, and a name that is taken can be mended"() {
      const field = main().getByLabel("Name of the look");
      const look = (name) => main().locator(".looks .card .name", { hasText: new RegExp(`^${name}$`) });
      await look("pale").hover();
      await main().getByRole("button", { name: "Another name for the look pale" }).click();
      await main().keyboard.type("paler");
      await main().keyboard.press("Enter");
      await look("paler").waitFor();
      await main().getByRole("button", { name: "+ Keep this look…" }).click();
      await expecting(/422/, async () => {
        await main().keyboard.type("paler");
        await main().keyboard.press("Enter");
        await main().locator(".stage .message.danger").waitFor();
      });
      await shot(main(), "56 a name that is taken");
      must((await field.inputValue()) === "paler", "what was typed is lost");
      await field.press("End");
      await main().keyboard.type(" still");
      await main().keyboard.press("Enter");
      await look("paler still").waitFor();
      await field.waitFor({ state: "detached" });
      await main().locator(".stage .message").getByRole("button", { name: "Close" }).click();
    },
    async "the command line that is copied makes the same picture"() {
      await main().context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await main().getByRole("button", { name: "Save", exact: true }).click();
      await main().getByRole("button", { name: "Copy the command line" }).click();
      await main().getByText("Copied").waitFor();
      await shot(main(), "58 save");
      const line = await main().evaluate(() => navigator.clipboard.readText());
      const saved = await download(main(), () => main().getByRole("button", { name: "Picture, PNG" }).click());
      const again = join(home, "typed.png");
      const typed = line.replace("deepdream image", `'${program}' image`).replace(/'(small cup|steered cup)\.png'/, `'${(await state(main())).desk.start.name.startsWith("small") ? small : join(home, "steered cup.png")}'`);
      execFileSync("sh", ["-c", `${typed} -o '${again}' --quiet --force`], { env: { ...process.env, DEEPDREAM_HOME: home }, cwd: home });
      must(hash(readFileSync(saved)) === hash(readFileSync(again)), `another picture: ${line}`);
    },
    async "a dream's picture has three answers, and is opened with its original"() {
      const node = await kept();
      await main().getByRole("button", { name: "Save", exact: true }).click();
      const saved = await download(main(), () => main().getByRole("button", { name: "Picture, PNG" }).click());
      await drop(main(), saved, "again.png");
      await main().getByRole("button", { name: /Open it with its original/ }).waitFor();
      await shot(main(), "57 three answers");
      await main().getByRole("button", { name: "Dream on from this picture" }).click();
      await main().locator(".bar .name", { hasText: "again" }).waitFor();
      await drop(main(), saved, "again.png");
      await main().getByRole("button", { name: /Open it with its original/ }).click();
      await main().locator(".bar .name", { hasText: "cup" }).waitFor();
      await whole(main());
      must((await state(main())).desk.node === node, "another dream is open");
    },
    async "the past on a phone, by touch"() {
      const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
      await whole(page);
      await page.getByRole("tab", { name: "Past" }).tap();
      await page.locator(".past img").first().waitFor();
      await page.waitForTimeout(300);
      await shot(page, "59 phone past");
      await page.locator(".past .dots").first().tap();
      await page.getByRole("button", { name: "Compare with this" }).waitFor();
      await shot(page, "60 phone card");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Save", exact: true }).tap();
      await page.getByRole("button", { name: "Four variations" }).tap();
      await page.locator(".variations img").nth(3).waitFor();
      await shot(page, "61 phone variations");
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      must(wide <= 360, `the page is ${wide} pixels wide`);
      await page.getByRole("button", { name: "None of these" }).tap();
      await page.context().close();
    },
  };
}
