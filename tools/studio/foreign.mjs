// Another page in the same browser, which gets nothing, though it knows the token and the key.

import { createServer } from "node:http";

export default function foreign({ address, browser, must, page: main, state, studio, token }) {
  return {
    async "another page in the browser gets nothing"() {
      const before = (await state(main())).desk;
      must(before.undo > 0, "there is nothing to undo");
      const picture = await main().locator("img[src^='/files/']").first().getAttribute("src");
      const evil = createServer((_, answer) => {
        answer.setHeader("content-type", "text/html");
        answer.end("<!doctype html><title>evil</title><body></body>");
      });
      await new Promise((done) => evil.listen(studio.port + 1, "127.0.0.1", done));
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${studio.port + 1}/`);
      const got = await page.evaluate(
        async ([address, token, key]) => {
          const tries = {
            state: () => fetch(`${address}/api/state`, { headers: { authorization: `Bearer ${token}` } }),
            image: () => new Promise((done, fail) => Object.assign(new Image(), { onload: done, onerror: fail, src: `${address}/coffee.jpg` })),
            events: () => new Promise((done, fail) => Object.assign(new EventSource(`${address}/events/${key}?after=0`), { onopen: done, onerror: fail })),
          };
          const got = [];
          for (const [name, attempt] of Object.entries(tries)) {
            const won = await Promise.race([attempt().then(() => true, () => false), new Promise((done) => setTimeout(() => done(false), 3000))]);
            if (won) got.push(name);
          }
          // What it is answered cannot be read; what it does would be seen on the desk.
          await fetch(`${address}/api/dream/undo`, { method: "POST", mode: "no-cors", body: "{}" }).catch(() => undefined);
          await new Promise((done) => document.body.append(Object.assign(document.createElement("iframe"), { onload: done, src: `${address}/` })));
          return got;
        },
        [address, token(), picture.split("/")[2]],
      );
      must(got.length === 0, `another page got: ${got}`);
      const framed = page.frames().map((frame) => frame.url());
      must(framed.length === 2 && !framed.some((url) => url.startsWith(address)), `the studio is in its frame: ${framed}`);
      await context.close();
      evil.close();
      must(JSON.stringify((await state(main())).desk) === JSON.stringify(before), "the desk was changed");
    },
  };
}
