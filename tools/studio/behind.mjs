// Scenarios of what outlives the program: photos, and the queue of what is rendered.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export default function behind({ Program, api, download, drop, expecting, hash, home, must, open, page: main, program, shot, state, studio, whole }) {
  const small = join(home, "small.png");
  const dialog = (page, name) => page.getByRole("dialog", { name, exact: true });
  const close = (page, name) => dialog(page, name).getByRole("button", { name: "Close" }).click();
  const jobs = async (page) => (await api(page, "GET", "/api/jobs")).body.jobs.filter((job) => !job.draft);
  const until = async (page, what, is) => {
    for (const begun = Date.now(); Date.now() - begun < 180000; await page.waitForTimeout(50)) if (is(await jobs(page))) return;
    throw new Error(`${what} did not come: ${JSON.stringify(await jobs(page))}`);
  };
  const add = (page, longest) => api(page, "POST", "/api/jobs", { wanted: { kind: "picture", extension: "png", longest } });
  // As keys come, one after another.
  const typed = async (field, text) => {
    await field.selectText();
    await field.pressSequentially(text);
    await field.press("Tab");
  };
  const row = (page, title) => dialog(page, "Queue").getByRole("listitem").filter({ hasText: title });

  return {
    async "photos stay, by what they look like; a removed one is taken back"() {
      const page = main();
      // Whatever the scenarios before have left on the desk.
      const { pictures } = (await api(page, "GET", "/api/pictures")).body;
      await api(page, "POST", `/api/pictures/${pictures.find((one) => one.name === "small cup.png").id}/open`);
      await page.locator(".bar .name", { hasText: "small cup" }).waitFor();
      await api(page, "PATCH", "/api/dream", { rev: (await state(page)).desk.rev, changes: [{ reset: { path: "" } }] });
      await whole(page);
      await page.locator(".bar .name").click();
      const photos = dialog(page, "Photos");
      await photos.getByRole("button", { name: "Open small cup.png" }).waitFor();
      await page.waitForFunction(() => [...document.querySelectorAll(".photos img")].every((image) => image.complete && image.naturalWidth > 0));
      await shot(page, "40 photos");
      const refused = { fault: "internal", detail: "Could not write the library: the disk is gone.", ways_out: [], knob: null, value: null };
      await page.route("**/api/pictures/*", (route) => route.fulfill({ status: 500, json: refused }), { times: 1 });
      await expecting(/500/, async () => {
        await photos.getByRole("button", { name: "Remove coffee.png" }).click();
        await photos.getByText(refused.detail).waitFor();
      });
      must(!(await photos.getByText("coffee.png is in the trash.").count()), "it is said to be in the trash");
      await shot(page, "40 refused in a dialog");
      await photos.locator(".message").getByRole("button", { name: "Close" }).click();
      await photos.getByRole("button", { name: "Rename coffee.png" }).click();
      await photos.getByLabel("Name of coffee.png").fill("morning.png");
      await page.keyboard.press("Enter");
      await photos.getByRole("button", { name: "Remove morning.png" }).click();
      await photos.getByText("morning.png is in the trash.").waitFor();
      await shot(page, "41 removed");
      await photos.getByRole("button", { name: "Undo" }).click();
      await photos.getByRole("button", { name: "Open morning.png" }).click();
      await page.locator(".bar .name", { hasText: "morning" }).waitFor();
      await page.keyboard.press("Control+z");
      await page.locator(".bar .name", { hasText: "small cup" }).waitFor();
      await whole(page);
    },
    async "a render is foreseen, made, shown and saved, with its recipe inside"() {
      const page = main();
      await page.locator("body").press("q");
      await dialog(page, "Queue").getByText("The queue is empty").waitFor();
      await shot(page, "42 empty queue");
      await close(page, "Queue");
      await page.getByRole("button", { name: "Render…" }).click();
      const render = dialog(page, "Render");
      await render.getByText(/320 × 213, \d octaves?, about .* of memory/).waitFor();
      await render.getByLabel("Longest side", { exact: true }).selectOption("typed");
      await typed(render.getByLabel("Longest side in pixels"), "480");
      await render.getByText(/480 × 320/).waitFor();
      await shot(page, "43 render");
      await render.getByRole("button", { name: "Put into the queue" }).click();
      await until(page, "the render", ([job]) => job?.state === "done");
      await page.getByRole("button", { name: /^Show/ }).first().waitFor();
      await page.waitForTimeout(200);
      await shot(page, "44 done");
      await page.getByRole("button", { name: /^Show/ }).first().click();
      await page.waitForFunction(() => document.querySelector(".shown img")?.naturalWidth === 480);
      await shot(page, "45 shown");
      await page.locator(".shown").getByRole("button", { name: "Close" }).click();
      const saved = await download(page, () => row(page, "small cup").getByRole("link", { name: /^Download/ }).first().click());
      const again = join(home, "rendered again.png");
      execFileSync(program, ["image", small, "--recipe", saved, "-o", again, "--quiet"], { env: { ...process.env, DEEPDREAM_HOME: home } });
      must(hash(readFileSync(saved)) === hash(readFileSync(again)), "the render is not what the program makes of its recipe");
      await close(page, "Queue");
    },
    async "what cannot be rendered is said in the dialog"() {
      const page = main();
      await page.locator("body").press("r");
      const render = dialog(page, "Render");
      await expecting(/422/, async () => {
        await render.getByLabel("Longest side", { exact: true }).selectOption("typed");
        await typed(render.getByLabel("Longest side in pixels"), "60000");
        await render.locator(".why").waitFor();
      });
      await shot(page, "46 refused render");
      must(await render.getByRole("button", { name: "Put into the queue" }).isDisabled(), "it can be added");
      // The way out is at hand. There may be less memory by the time that it is taken.
      await expecting(/422/, async () => {
        const [fits, way] = [render.getByText(/octaves, about/), render.getByRole("button", { name: /^Use \d+ pixels$/ })];
        for (let turn = 0; turn < 20 && !(await fits.isVisible()); turn += 1) {
          // It goes as soon as the plan is there.
          await way.click({ timeout: 2000 }).catch(() => undefined);
          await page.waitForTimeout(1000);
        }
        await fits.waitFor();
      });
      await render.getByLabel("Longest side", { exact: true }).selectOption("own");
      await render.getByText(/320 × 213/).waitFor();
      await close(page, "Render");
    },
    async "jobs are paused, moved and cancelled"() {
      const page = main();
      await add(page, 1600);
      await until(page, "the first", (all) => all.some((job) => job.state === "running"));
      await add(page, 400);
      await add(page, 416);
      await add(page, 432);
      await page.locator("body").press("q");
      const rows = dialog(page, "Queue").getByRole("listitem");
      await rows.nth(3).waitFor();
      await page.waitForTimeout(300);
      await shot(page, "47 queue");
      await rows.nth(3).getByRole("button", { name: /^Up/ }).click();
      await until(page, "the move", (all) => all[2].size[0] === 432);
      await dialog(page, "Queue").getByRole("button", { name: "Pause all" }).click();
      await dialog(page, "Queue").getByText("Paused with the queue").waitFor();
      await shot(page, "48 paused queue");
      await dialog(page, "Queue").getByRole("button", { name: "Cancel 3 waiting jobs" }).click();
      await until(page, "the end", (all) => all.filter((job) => job.state === "cancelled").length === 3);
      must((await jobs(page))[0].state !== "cancelled", "the one that runs is cancelled");
      await rows.first().getByRole("button", { name: /^Cancel/ }).click();
      await until(page, "the end", (all) => all.filter((job) => job.state === "cancelled").length === 4);
      await dialog(page, "Queue").getByRole("button", { name: "Go on" }).click();
      await rows.filter({ hasText: "432 × " }).getByRole("button", { name: /^Again/ }).click();
      await until(page, "the job", (all) => all.some((job) => job.state === "done" && job.size[0] === 432));
      for (const job of await jobs(page)) await api(page, "DELETE", `/api/jobs/${job.id}`);
      await close(page, "Queue");
    },
    async "a movie falls into the photo: a draft first, then the queue; it plays in the page"() {
      const page = main();
      await page.getByRole("button", { name: "Render…" }).click();
      const render = dialog(page, "Render");
      await render.getByRole("button", { name: "Zoom movie" }).click();
      await typed(render.getByLabel("Seconds"), "1");
      await render.getByLabel("Frames a second").selectOption("12");
      await render.getByLabel("Longest side", { exact: true }).selectOption("320");
      await render.getByText(/12 frames/).waitFor();
      await shot(page, "49 zoom");
      await render.getByRole("button", { name: "Make a draft" }).click();
      await page.waitForFunction(() => document.querySelector(".draft video")?.readyState >= 2, null, { timeout: 180000 });
      await shot(page, "50 draft");
      await render.getByRole("button", { name: "Put into the queue" }).click();
      await until(page, "the movie", ([job]) => job?.state === "done");
      await page.getByRole("button", { name: /^Show/ }).first().click();
      const moved = await page.evaluate(async () => {
        const video = document.querySelector(".shown video");
        video.muted = true;
        await video.play();
        await new Promise((done) => setTimeout(done, 400));
        return video.currentTime;
      });
      must(moved > 0, "the movie does not move");
      await shot(page, "51 movie");
      await page.locator(".shown").getByRole("button", { name: "Close" }).click();
      await close(page, "Queue");
    },
    async "a video is tried on three frames and dreamt, or what is missing for that is said"() {
      const page = main();
      const path = join(home, "street.mp4");
      let ffmpeg = true;
      try {
        execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x96:rate=6:duration=1", "-pix_fmt", "yuv420p", "-y", path]);
      } catch {
        ffmpeg = false;
        writeFileSync(path, "no video");
      }
      await page.locator("body").press("r");
      const render = dialog(page, "Render");
      await render.getByRole("button", { name: "Video", exact: true }).click();
      await shot(page, "56 video");
      await render.locator("input[type=file]").setInputFiles(path);
      if (!ffmpeg) {
        await expecting(/422/, () => render.getByText("ffmpeg is not installed").waitFor());
        await shot(page, "57 no ffmpeg");
        await close(page, "Render");
        return;
      }
      await render.getByText(/160 × 96, 6 frames/).waitFor();
      await typed(render.getByRole("spinbutton", { name: "To", exact: true }), "0.5");
      await render.getByText(/160 × 96, 3 frames/).waitFor();
      await render.getByRole("button", { name: "Try three frames" }).click();
      await page.waitForFunction(() => document.querySelector(".draft img")?.naturalWidth === 3 * 160 + 8, null, { timeout: 180000 });
      await shot(page, "57 three frames");
      await render.getByRole("button", { name: "Put into the queue" }).click();
      await until(page, "the video", ([job]) => job?.state === "done" && job.wanted.kind === "video");
      await page.waitForTimeout(200);
      await shot(page, "58 video done");
      await close(page, "Queue");
    },
    async "photos, queue and render on a phone"() {
      const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
      await whole(page);
      const fits = async (name) => {
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        must(wide <= 360, `${name}: the page is ${wide} pixels wide`);
        await shot(page, name);
      };
      await page.locator(".bar .name").tap();
      await page.waitForTimeout(300);
      await fits("52 phone photos");
      await close(page, "Photos");
      await page.locator(".queue-button").tap();
      await page.waitForTimeout(300);
      await fits("53 phone queue");
      await close(page, "Queue");
      await page.getByRole("button", { name: "Save", exact: true }).tap();
      await page.getByRole("button", { name: "Render…" }).tap();
      await page.waitForTimeout(300);
      await fits("54 phone render");
      await page.context().close();
    },
    async "a full disk pauses the queue, not the dream"() {
      const disk = mkdtempSync(join(home, "disk-"));
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=540m", "none", disk], { stdio: "ignore" });
      } catch {
        console.log("    left out: no small disk can be mounted here");
        return;
      }
      let other = null;
      const filler = join(disk, "filler");
      try {
        mkdirSync(join(disk, "home"));
        other = await new Program().start(studio.port + 2, join(disk, "home"));
        const page = await open({}, { link: other.link });
        await page.getByText("Drop a photo here").waitFor();
        await drop(page, small, "cup.png");
        await whole(page);
        await page.locator(".layers .card img").first().waitFor();
        writeFileSync(filler, Buffer.alloc(100 << 20));
        must(statfsSync(disk).bavail * statfsSync(disk).bsize < 500e6, "the disk is not full");
        await add(page, 400);
        await page.locator("body").press("q");
        await dialog(page, "Queue").getByText("The disk is full").waitFor();
        const clear = dialog(page, "Queue").getByRole("button", { name: /^Clear the small pictures: / });
        await clear.waitFor();
        await shot(page, "55 disk full");
        // One that was about to be shown may be gone.
        await expecting(/404/, async () => {
          await clear.click();
          await close(page, "Queue");
          const before = (await state(page)).desk.rev;
          await page.getByRole("button", { name: "Another seed" }).click();
          await page.waitForFunction((rev) => Number(document.querySelector(".progress").dataset.rev) > rev, before);
          await whole(page);
        });
        unlinkSync(filler);
        await page.locator("body").press("q");
        await dialog(page, "Queue").getByRole("button", { name: "Go on" }).click();
        await until(page, "the render", ([job]) => job?.state === "done");
        await page.context().close();
      } finally {
        await other?.end();
        execFileSync("umount", [disk]);
        rmSync(disk, { recursive: true, force: true });
      }
    },
  };
}
