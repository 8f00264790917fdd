// 100,000 streams: the page is there at once, and scrolling shows rows wherever it stops.

const { check, main, until } = require("./browser");

const STREAMS = 100_000;

/** How long the first paint may take. Tests run in a debug build beside others: the budget of a
 * release is 300 ms, and what is measured is said. */
const PAINT_MS = Number(process.env.WEIR_PAINT_MS ?? 1000);

main(async ({ origin, client, page, picture }) => {
  for (let begin = 0; begin < STREAMS; begin += 10_000) {
    const sent = [];
    for (let n = begin; n < begin + 10_000; n += 1) {
      sent.push(client.ask("XADD", `stream:${String(n).padStart(6, "0")}`, "1-1", "f", "v"));
    }
    await Promise.all(sent);
  }
  const tab = await page();
  await tab.goto(`${origin}/#/streams`);
  await tab.locator(".grid .row a").first().waitFor();
  const cold = await tab.evaluate(() => performance.now());
  await tab.reload();
  await tab.locator(".grid .row a").first().waitFor();
  const rows = await tab.evaluate(() => performance.now());
  const paint = await tab.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  console.log(`first paint ${Math.round(paint)} ms, rows ${Math.round(rows)} ms, at first ${Math.round(cold)} ms`);
  check(`the first paint takes ${Math.round(paint)} ms of ${PAINT_MS}`, paint < PAINT_MS);
  await tab.getByText("100,000").waitFor();
  await tab.getByRole("button", { name: "Stream", exact: true }).click();
  await tab.getByText("stream:000000").waitFor();
  // To the middle and to the end: only what is seen is in the document.
  const body = tab.locator(".grid .body");
  for (const [part, name] of [[0.5, "stream:0500"], [1, "stream:099999"]]) {
    const began = Date.now();
    await body.evaluate((body, part) => void (body.scrollTop = body.scrollHeight * part), part);
    await tab.getByText(name).first().waitFor();
    console.log(`rows at ${part} of the list in ${Date.now() - began} ms`);
  }
  check("few rows are in the document", (await tab.locator(".grid .row").count()) < 80);
  // Frames while it scrolls: none may take so long that it would be felt.
  const longest = await body.evaluate(async (body) => {
    let [last, longest] = [performance.now(), 0];
    for (let frame = 0; frame < 90; frame += 1) {
      body.scrollTop -= 400;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }
    return longest;
  });
  console.log(`the longest frame while scrolling takes ${Math.round(longest)} ms`);
  await tab.screenshot({ path: picture("many") });
  await tab.getByRole("searchbox").fill("stream:04242?");
  await until("ten streams", async () => (await tab.locator(".grid .row a").count()) === 10);
});
