// What steers a dream beside its knobs: classes, channels, a guide, a mask. Whatever the page calls exact is held
// to the program's own bytes.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export default function steering({ api, download, drawn, drop, expecting, hash, home, must, open, page: main, pixels, program, shot, state, whole }) {
  const group = (name) => main().locator("details.group", { has: main().locator("summary", { hasText: name }) });
  // Saves what is on the page, and has the program dream by the recipe in it.
  const exact = async (what) => {
    await main().getByRole("button", { name: "Save", exact: true }).click();
    const saved = await download(main(), () => main().getByRole("button", { name: "Picture, PNG" }).click());
    const again = join(home, `${what} again.png`);
    execFileSync(program, ["image", small, "--recipe", saved, "-o", again, "--quiet", "--force"], { env: { ...process.env, DEEPDREAM_HOME: home }, cwd: home });
    must(hash(readFileSync(saved)) === hash(readFileSync(again)), `with ${what}, the page's picture is not the program's`);
    return saved;
  };
  const undone = async () => {
    await main().locator(".stage").focus();
    await main().keyboard.press("Control+z");
    await whole(main());
  };
  let small;
  let guided;
  return {
    async "a thing is found by its name and mixed in"() {
      small = await drawn("steered cup.png", 300, 200, "cup");
      await drop(main(), small, "steered cup.png");
      await main().locator(".bar .name", { hasText: "steered cup" }).waitFor();
      await api(main(), "PATCH", "/api/dream", { rev: (await state(main())).desk.rev, changes: [{ reset: { path: "" } }] });
      await whole(main());
      const search = main().getByRole("combobox", { name: "Add a thing by its name" });
      await search.fill("no such thing");
      await main().getByText("The network knows no").waitFor();
      await search.fill("cast");
      await main().getByRole("option", { name: /castle/ }).waitFor();
      await shot(main(), "31 classes");
      await search.fill("castle");
      await search.press("Enter");
      await main().locator(".term .what", { hasText: "castle" }).waitFor();
      must((await state(main())).desk.recipe.objective.some((term) => term.class === 483), "no castle");
      await main().getByRole("button", { name: "Only castle" }).click();
      await main().waitForFunction(() => document.querySelectorAll(".term").length === 1);
      // What `--class` takes, is taken here too.
      must((await state(main())).desk.recipe.values["ascent.iterations"] === "40", "a class takes its own steps");
      await main().waitForTimeout(1500);
      await shot(main(), "32 class");
      await undone();
      await undone();
      // Few steps from here on: what counts is which picture it is.
      await api(main(), "PATCH", "/api/dream", { rev: (await state(main())).desk.rev, changes: [{ set: { path: "ascent.iterations", value: 6 } }] });
      await whole(main());
    },
    async "channels are ranked by how they answer, and at the place that is pointed at"() {
      await main().getByLabel("Filter layers").fill("fire8/concat");
      await main().getByRole("button", { name: /channels of fire8\/concat/ }).click();
      await main().locator(".channels .card img").nth(5).waitFor({ timeout: 120000 });
      await shot(main(), "33 channels");
      const order = () => main().evaluate(() => [...document.querySelectorAll(".channels .card")].map((card) => card.dataset.name).join());
      const everywhere = await order();
      await main().getByRole("button", { name: "What does it see here?" }).click();
      const picture = await main().locator(".frame").boundingBox();
      await main().mouse.click(picture.x + 0.3 * picture.width, picture.y + 0.7 * picture.height);
      await main().locator(".channels .note", { hasText: "At 30 % across, 70 % down" }).waitFor();
      for (const begun = Date.now(); [everywhere, ""].includes(await order()); await main().waitForTimeout(100)) must(Date.now() - begun < 20000, "the place has the same channels");
      await main().locator(".channels .card img").nth(5).waitFor({ timeout: 120000 });
      await shot(main(), "34 what it sees here");
      const card = main().locator(".channels .card").first();
      await card.locator(".take").click();
      await main().waitForFunction(() => document.querySelectorAll(".channels .card[data-on=true]").length === 1);
      const other = main().locator(".channels .card").nth(1);
      await other.locator(".take").focus();
      await main().keyboard.press("+");
      await main().waitForFunction(() => document.querySelectorAll(".channels .card[data-on=true]").length === 2);
      await whole(main());
      must(await main().locator(".channels .note", { hasText: "At 30 %" }).count(), "the place is forgotten");
      await exact("channels");
      // By keys alone: a place is walked to.
      await main().getByRole("button", { name: "What does it see here?" }).focus();
      await main().keyboard.press("Enter");
      await main().locator(".pointing:focus").waitFor();
      for (const key of ["ArrowRight", "ArrowUp", "Enter"]) await main().keyboard.press(key);
      await main().locator(".channels .note", { hasText: /At \d+ % across/ }).waitFor();
      await main().getByRole("button", { name: "Everywhere" }).click();
      await main().getByRole("button", { name: "‹ Layers" }).click();
      await main().getByLabel("Filter layers").fill("");
      await undone();
      await undone();
    },
    async "a guide gives its forms, and a rectangle says which"() {
      const rings = await drawn("rings.png", 300, 200, "rings");
      const before = await pixels(main());
      // Over the right side, what is dropped is a guide, and the page says so before.
      const dragged = (kind) =>
        main().evaluate(
          ([kind, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], "rings.png", { type: "image/png" }));
            document.querySelector(".right .scroll").dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
          },
          [kind, readFileSync(rings).toString("base64")],
        );
      await dragged("dragenter");
      await main().getByText("Here, the dream takes its forms").waitFor();
      await shot(main(), "35 a file over the page", false);
      await dragged("drop");
      await main().locator(".guide img").waitFor();
      await whole(main());
      must((await pixels(main())) !== before, "a guide changed nothing");
      await main().waitForTimeout(200);
      await shot(main(), "35 guide");
      const whole_ = await pixels(main());
      const box = await main().locator(".guide .look").boundingBox();
      await main().mouse.move(box.x + 0.1 * box.width, box.y + 0.1 * box.height);
      await main().mouse.down();
      await main().mouse.move(box.x + 0.6 * box.width, box.y + 0.9 * box.height, { steps: 4 });
      await main().mouse.up();
      await main().waitForFunction(() => document.querySelector(".guide .part"));
      await main().waitForFunction(() => document.querySelector(".progress[data-phase=dreaming]"));
      await whole(main());
      must((await pixels(main())) !== whole_, "a part of the guide changed nothing");
      await shot(main(), "36 part of a guide");
      const { guides, objective } = (await state(main())).desk.recipe;
      must(guides.guide.sha256 === hash(readFileSync(rings)) && guides.guide.part.length === 4, JSON.stringify(guides));
      must(objective.every((term) => term.guides?.includes("guide")), "a layer does not look to it");
      guided = await exact("a guide");
      await main().getByRole("button", { name: /Leave out the guide/ }).click();
      await main().locator(".guide").waitFor({ state: "detached" });
      await whole(main());
    },
    async "a recipe that names a guide is taken where the guide is kept"() {
      const before = await pixels(main());
      await drop(main(), guided, "guided.png");
      await main().getByRole("button", { name: "Use its recipe on my photo" }).click();
      await main().locator(".guide img").waitFor();
      await whole(main());
      must((await pixels(main())) !== before, "the recipe changed nothing");
      await undone();
      const text = (await api(main(), "GET", "/api/recipe")).body;
      const other = await drawn("nowhere.png", 200, 200, "rings");
      const elsewhere = join(home, "elsewhere.toml");
      writeFileSync(elsewhere, `${text}\n[guides.guide]\nfile = "nowhere.png"\nsha256 = "${hash(readFileSync(other))}"\nsize = 224\n`);
      await expecting(/422/, async () => {
        await drop(main(), elsewhere, "elsewhere.toml", "application/toml");
        await main().getByText(/needs nowhere\.png/).last().waitFor();
      });
      await shot(main(), "37 a guide that is not here");
      await main().getByLabel("Give the file").setInputFiles(other);
      await main().locator(".guide img").waitFor();
      await main().locator(".message").waitFor({ state: "detached" });
      await undone();
    },
    async "a mask is painted, each stroke one to undo, and a page that is loaded again has it"() {
      await main().locator(".stage").press("m");
      await main().getByRole("button", { name: "Brush" }).waitFor();
      const picture = await main().locator(".frame").boundingBox();
      const stroke = async (from, to) => {
        await main().mouse.move(picture.x + from[0] * picture.width, picture.y + from[1] * picture.height);
        await main().mouse.down();
        await main().mouse.move(picture.x + to[0] * picture.width, picture.y + to[1] * picture.height, { steps: 6 });
        await main().mouse.up();
      };
      const hashOf = async () => (await state(main())).desk.recipe.regions.mask?.sha256 ?? null;
      const changed = async (from) => {
        for (const begun = Date.now(); (await hashOf()) === from; await main().waitForTimeout(100)) must(Date.now() - begun < 20000, "the mask stayed as it was");
      };
      await shot(main(), "38 mask, empty");
      const unread = join(home, "unread.png");
      writeFileSync(unread, "no picture at all");
      await main().getByLabel("A mask from a file").setInputFiles(unread);
      await main().locator(".message", { hasText: "Could not read unread.png" }).waitFor();
      await shot(main(), "38 no mask");
      await main().locator(".message").getByRole("button", { name: "Close" }).click();
      await stroke([0.3, 0.4], [0.6, 0.6]);
      await changed(null);
      const first = await hashOf();
      await whole(main());
      await shot(main(), "39 mask, painted");
      await main().getByRole("button", { name: "Eraser" }).click();
      await stroke([0.4, 0.3], [0.4, 0.8]);
      await changed(first);
      const second = await hashOf();
      await whole(main());
      await main().keyboard.press("Control+z");
      await changed(second);
      must((await hashOf()) === first, "undo took another stroke back");
      await whole(main());
      await main().keyboard.press("Control+Shift+z");
      await changed(first);
      must((await hashOf()) === second, "redo gave another mask");
      // By numbers alone.
      await main().getByRole("button", { name: "Ellipse" }).click();
      await main().getByLabel("left", { exact: true }).last().fill("60");
      await main().getByRole("button", { name: "Add it" }).click();
      await changed(second);
      const third = await hashOf();
      await main().getByRole("button", { name: "Invert" }).click();
      await changed(third);
      await main().getByRole("button", { name: "Done" }).click();
      await whole(main());
      await shot(main(), "40 mask, at work");
      await exact("a mask");
      const before = await pixels(main());
      await main().reload();
      await whole(main());
      await main().locator(".tinted").waitFor();
      await main().waitForTimeout(300);
      const after = await pixels(main());
      must(after === before, `${after} after loading again, before ${before}`);
      const outside = await main().evaluate(() => {
        const tint = document.querySelector(".tinted");
        const at = (x, y) => tint.getContext("2d").getImageData(x * tint.width, y * tint.height, 1, 1).data[3];
        return [at(0.02, 0.02), at(0.85, 0.5)];
      });
      must(outside[0] > 30 && outside[1] === 0, `the tint is not where the mask is: ${outside}`);
      // A photo of other proportions cannot have it: the way out is a button.
      await drop(main(), await drawn("tall.png", 160, 240, "cup"), "tall.png");
      await main().getByRole("button", { name: "Leave the mask out" }).waitFor();
      await shot(main(), "40 a mask that does not fit");
      await main().getByRole("button", { name: "Leave the mask out" }).click();
      await main().locator(".tinted").waitFor({ state: "detached" });
      await whole(main());
      for (const _ of [0, 1]) await main().locator(".stage").press("Control+z");
      await main().locator(".bar .name", { hasText: "steered cup" }).waitFor();
      await main().locator(".tinted").waitFor();
      await whole(main());
      // Of a mask that is turned round, what is filled is where nothing is painted.
      const turned = await hashOf();
      await api(main(), "PATCH", "/api/dream", { rev: (await state(main())).desk.rev, changes: [{ set: { path: "regions.mask.invert", value: true } }] });
      await whole(main());
      await main().locator(".stage").press("m");
      await main().getByRole("button", { name: "Fill" }).click();
      await changed(turned);
      must((await hashOf()) === null, "the mask still leaves something out");
      await main().getByRole("button", { name: "Done" }).click();
      await undone();
      await group("Mask").getByRole("button", { name: "Remove" }).click();
      await main().locator(".tinted").waitFor({ state: "detached" });
      await whole(main());
    },
    async "classes, channels, guide and mask on a phone, by touch"() {
      const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
      await whole(page);
      await page.getByRole("tab", { name: "Layers" }).tap();
      await page.getByRole("button", { name: /channels of/ }).first().tap();
      await page.locator(".channels .card img").first().waitFor({ timeout: 60000 });
      await page.waitForTimeout(400);
      await shot(page, "41 phone channels");
      await page.getByRole("tab", { name: "Knobs" }).tap();
      await page.getByRole("combobox").fill("tabby");
      await page.getByRole("option", { name: /tabby/ }).first().scrollIntoViewIfNeeded();
      await shot(page, "42 phone classes");
      await page.getByRole("combobox").fill("");
      await page.locator(".mask summary").tap();
      await page.getByRole("button", { name: "Paint a mask" }).tap();
      const frame = await page.locator(".frame").boundingBox();
      await page.touchscreen.tap(frame.x + frame.width / 2, frame.y + frame.height / 2);
      await page.getByText("counts", { exact: true }).waitFor();
      await whole(page);
      await page.locator(".mask .tools").first().scrollIntoViewIfNeeded();
      await shot(page, "43 phone mask");
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      must(wide <= 360, `the page is ${wide} pixels wide`);
      await page.getByRole("button", { name: "Remove" }).tap();
      await whole(page);
      await page.context().close();
    },
  };
}
