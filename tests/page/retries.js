// A new user opens the page and starts the producer of the examples on a bad network: replies are
// lost, it sends again, and the page shows that the server caught that, within a second.

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { check, main } = require("./browser");

const [, , port, , , producer, libraries] = process.argv;

/** A network that loses the reply to the third message that is sent on it. */
function network() {
  const it = { sent: 0, retriedAt: null };
  it.server = net.createServer((near) => {
    const far = net.connect(Number(port), "127.0.0.1");
    let isLost = false;
    near.on("data", (data) => {
      if (data.includes("XADD")) {
        it.sent += 1;
        isLost = it.sent === 3;
        if (it.sent === 4) it.retriedAt = Date.now();
      }
      far.write(data);
    });
    far.on("data", (data) => (isLost ? near.destroy() : near.write(data)));
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on("close", () => other.destroy());
      one.on("error", () => other.destroy());
    }
  });
  return new Promise((resolve) => it.server.listen(0, "127.0.0.1", () => resolve(it)));
}

main(async ({ origin, client, page, picture }) => {
  const tab = await page();
  await tab.goto(`${origin}/`);
  await tab.getByText("There is no stream yet").waitFor();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "weir-retries-"));
  const seenAfter = [];
  const caught = tab.locator(".stat", { hasText: "Duplicates caught" }).locator(".value");
  for (const till of [1, 2, 3]) {
    const file = path.join(folder, `till-${till}`);
    fs.writeFileSync(file, "tea\nmilk\nbread\nhoney\napples\noat cakes\n");
    const bad = await network();
    const address = `127.0.0.1:${bad.server.address().port}`;
    const run = spawn("node", [producer, address, "orders", file], { env: { ...process.env, NODE_PATH: libraries } });
    let said = "";
    run.stderr.on("data", (data) => (said += data));
    const ended = new Promise((resolve) => run.on("exit", resolve));
    await caught.filter({ hasText: new RegExp(`^${till}$`) }).waitFor();
    seenAfter.push(Date.now() - bad.retriedAt);
    check(`the producer ends well: ${said}`, (await ended) === 0);
    check("it had to send again", bad.retriedAt !== null && said.includes("again in"));
    bad.server.close();
  }
  fs.rmSync(folder, { recursive: true });
  console.log(`duplicates are seen after ${seenAfter.join(", ")} ms`);
  const median = seenAfter.sort((a, b) => a - b)[1];
  check(`a duplicate is seen within a second (${median} ms)`, median < 1000);
  check("each message is there once", (await client.ask("XLEN orders")) === 18);

  // The window's use: the row of each producer, in the stream's own view.
  await tab.evaluate(() => void (location.hash = "#/streams/0/orders/idempotence"));
  for (const till of [1, 2, 3]) {
    const row = tab.locator("tr", { hasText: `till-${till}` });
    await row.getByRole("cell", { name: "6", exact: true }).waitFor();
  }
  await tab.getByText("The window is large enough").waitFor();
  await tab.screenshot({ path: picture("retries") });
});
