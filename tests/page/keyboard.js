// Keys do all that a pointer does: to each view, through lists that are longer than what is seen,
// through the parts of a stream, and through an action.

const { check, main, until } = require("./browser");

const VIEWS = { o: "overview", s: "streams", g: "groups", i: "idempotence", d: "durability", k: "keys", c: "clients", l: "slow" };

main(async ({ origin, client, page }) => {
  const sent = [];
  for (let n = 0; n < 200; n += 1) sent.push(client.ask("XADD", `stream:${String(n).padStart(3, "0")}`, `${n + 1}-1`, "n", n));
  await Promise.all(sent);
  await client.ask("XGROUP CREATE stream:090 kitchen 0");
  await client.ask("XREADGROUP GROUP kitchen ann STREAMS stream:090 >");
  const tab = await page();
  const hash = () => tab.evaluate(() => location.hash);
  const press = async (...keys) => {
    for (const key of keys) await tab.keyboard.press(key);
  };
  await tab.goto(`${origin}/`);
  await tab.getByText("Ready").waitFor();
  for (const [key, view] of Object.entries(VIEWS)) {
    await press("g", key);
    await until(`g ${key}`, async () => (await hash()) === `#/${view}` || (await hash()));
  }

  // Through a list of which only what is seen is there.
  await press("g", "s");
  await tab.getByRole("button", { name: "Stream", exact: true }).focus();
  await press("Enter");
  await tab.getByText("stream:000").waitFor();
  const focused = () => tab.evaluate(() => document.activeElement?.textContent);
  // Rows may not be there yet.
  await until("the first row", async () => {
    if ((await focused()) === "stream:000") return true;
    await press("j");
    return focused();
  });
  for (let n = 1; n <= 90; n += 1) {
    await press("j");
    const name = `stream:${String(n).padStart(3, "0")}`;
    await until(name, async () => (await focused()) === name || (await focused()));
  }
  await press("k", "j", "Enter");
  await tab.getByRole("heading", { name: "stream:090" }).waitFor();

  // The parts of a stream, and back up.
  await tab.locator("main .tabs a[aria-current]").waitFor();
  for (const [key, part] of [["]", "groups"], ["]", "idempotence"], ["]", "delayed"], ["[", "idempotence"], ["[", "groups"]]) {
    await press(key);
    // The next key counts from the tab that is shown, which comes after the address.
    const here = () => tab.locator("main .tabs a[aria-current]").getAttribute("href");
    await until(`${key} to ${part}`, async () => (await here())?.endsWith(`/${part}`) || (await hash()));
  }
  await tab.locator("main [data-row]").first().waitFor();
  await press("j", "Enter");
  await tab.getByRole("heading", { name: "kitchen" }).waitFor();

  // An action: choose, ask, do.
  await tab.getByLabel("Choose 91-1").waitFor();
  await press("j", "Space");
  await until("it is chosen", () => tab.getByLabel("Choose 91-1").isChecked());
  await press("Tab", "Shift+Tab");
  await tab.getByRole("button", { name: "Acknowledge" }).focus();
  await press("Enter");
  const dialog = tab.locator("dialog");
  await dialog.getByText("acknowledges 1 of 1").waitFor();
  await dialog.getByRole("button", { name: "Acknowledge", exact: true }).focus();
  await press("Enter");
  await dialog.waitFor({ state: "detached" });
  await until("it is acknowledged", async () => (await client.ask("XPENDING stream:090 kitchen"))[0] === 0);
  await press("u");
  await until("up to the groups", async () => (await hash()).endsWith("stream%3A090/groups") || (await hash()));
  await tab.locator("main .tabs a[aria-current]").waitFor();
  await press("u");
  await until("up to the streams", async () => (await hash()) === "#/streams" || (await hash()));
  await press("g", "s");
  await tab.locator("main [data-search]").waitFor();
  await press("/");
  await until("the search", () => tab.evaluate(() => document.activeElement?.hasAttribute("data-search")));
  await tab.keyboard.type("stream:19");
  await until("ten streams", async () => (await tab.locator(".grid .row a").count()) === 10);
  await press("Escape");
  check("a field is left by Esc", (await tab.evaluate(() => document.activeElement?.tagName)) === "BODY");
});
