// Every view, with real data, in light and dark and on a phone: it shows what is there, breaks no
// rule of accessibility, asks nobody but its server, and runs nothing that a key holds.

const { accessible, check, main } = require("./browser");
const { SCRIPT, fill } = require("./data");

const ORDERS = "#/streams/0/orders";

/** Each view: its name, where it is, and a text that it must show. */
const VIEWS = [
  ["overview", "#/overview", "Duplicates caught"],
  ["streams", "#/streams", "telemetry:north"],
  ["entries", `${ORDERS}/entries`, "MessagePack"],
  ["delayed", `${ORDERS}/delayed`, "remind"],
  ["stream-groups", `${ORDERS}/groups`, "kitchen"],
  ["stream-idempotence", `${ORDERS}/idempotence`, "till-3"],
  ["groups", "#/groups", "billing"],
  ["group", `${ORDERS}/groups/kitchen`, "carl"],
  ["idempotence", "#/idempotence", "payments"],
  ["durability", "#/durability", "Requests in a commit"],
  ["keys", "#/keys", "session:81"],
  ["key", "#/keys/0/session%3A81", "12345678901234567890"],
  ["clients", "#/clients", "console"],
  ["slow-log", "#/slow", "SLOWLOG"],
  ["hostile-stream", `#/streams/0/${encodeURIComponent(SCRIPT)}/entries`, SCRIPT],
  ["hostile-group", `#/streams/0/${encodeURIComponent(SCRIPT)}/groups/${encodeURIComponent(SCRIPT)}`, SCRIPT],
];

main(async ({ origin, client, page, picture }) => {
  await fill(client);
  for (const [colours, viewport] of [
    ["light", { width: 1280, height: 860 }],
    ["dark", { width: 1280, height: 860 }],
    ["phone", { width: 390, height: 800 }],
  ]) {
    const tab = await page({ colorScheme: colours === "dark" ? "dark" : "light", viewport });
    await tab.goto(`${origin}/`);
    await tab.getByText("Ready").waitFor();
    for (const [name, place, text] of VIEWS) {
      await tab.evaluate((place) => void (location.hash = place), place);
      if (name === "entries") {
        for (const row of [0, 1]) await tab.locator(".entry").nth(row).click();
      }
      await tab.getByText(text, { exact: false }).first().waitFor();
      // A curve is drawn by the second sample.
      if (colours !== "phone" && ["overview", "stream-idempotence"].includes(name)) await tab.waitForTimeout(2500);
      if (colours !== "phone" || !name.startsWith("hostile")) await accessible(tab, `${name}, ${colours}`);
      await tab.screenshot({ path: picture(`${name}-${colours}`) });
      const wide = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(`${name} fits into the width of ${colours} (${wide} too wide)`, wide <= 0);
    }
    check("nothing of a key became an element", (await tab.locator('main img, main script').count()) === 0);
    await tab.context().close();
  }
});
