// Each action: it says first what it would do and changes nothing, and then changes the server.

const { accessible, check, main, until } = require("./browser");

const GROUP = "#/streams/0/orders/groups/kitchen";

main(async ({ origin, client, page, picture }) => {
  for (let n = 1; n <= 6; n += 1) await client.ask("XADD", "orders", `${n}-1`, "item", `tea ${n}`);
  await client.ask("XGROUP CREATE orders kitchen 0");
  await client.ask("XREADGROUP GROUP kitchen ann COUNT 5 STREAMS orders >");
  await client.ask("XCFGSET orders IDMP-MAXSIZE 10 IDMP-DURATION 600");
  const tab = await page();
  await tab.goto(`${origin}/${GROUP}`);

  const dialog = tab.locator("dialog");
  /** Looks at what would be done, that nothing is done by looking, and then does it. */
  const act = async (name, verb, says, state, before, after) => {
    await dialog.getByText(says).waitFor();
    check(`${name} changed nothing yet`, JSON.stringify(await state()) === JSON.stringify(before));
    await accessible(tab, name);
    await tab.screenshot({ path: picture(`action-${name}`) });
    await dialog.getByRole("button", { name: verb, exact: true }).click();
    await until(name, async () => JSON.stringify(await state()) === JSON.stringify(after) || (await state()));
    await dialog.waitFor({ state: "detached" });
  };
  const pending = async () => (await client.ask("XPENDING orders kitchen - + 10")).map(([id, consumer]) => `${id} ${consumer}`);
  const choose = async (...ids) => {
    for (const id of ids) await tab.getByLabel(`Choose ${id}`).check();
  };

  await choose("1-1", "2-1");
  await tab.getByRole("button", { name: "Acknowledge" }).click();
  const all = ["1-1 ann", "2-1 ann", "3-1 ann", "4-1 ann", "5-1 ann"];
  await act("ack", "Acknowledge", "acknowledges 2 of 2", pending, all, all.slice(2));

  await tab.getByLabel("Choose 1-1").waitFor({ state: "detached" });
  await choose("3-1");
  await tab.getByRole("button", { name: "Claim for…" }).click();
  await dialog.getByText("Fill in the fields").waitFor();
  await dialog.getByLabel("Who gets them").fill("bob");
  await act("claim", "Claim", "gives to the consumer 1 of 1", pending, all.slice(2), ["3-1 bob", "4-1 ann", "5-1 ann"]);

  await tab.getByText("bob").first().waitFor();
  await choose("4-1");
  await tab.getByRole("button", { name: "Give back" }).click();
  const claimed = ["3-1 bob", "4-1 ann", "5-1 ann"];
  await act("nack", "Give back", "gives back to the group 1 of 1", pending, claimed, ["3-1 bob", "4-1 ", "5-1 ann"]);

  const lastDelivered = async () => (await client.ask("XINFO GROUPS orders"))[0][7];
  await tab.getByRole("button", { name: "Set where it reads on" }).click();
  await dialog.getByLabel("Above this ID").fill("2-1");
  await act("set-id", "Set", "reads on above 2-1 instead of 5-1", lastDelivered, "5-1", "2-1");

  // An entry, twice by its idempotent ID, so that the second is a duplicate.
  const length = () => client.ask("XLEN orders");
  await tab.evaluate(() => void (location.hash = "#/streams/0/orders/entries"));
  for (const [before, after] of [[6, 7], [7, 7]]) {
    await tab.getByRole("button", { name: "Add an entry" }).click();
    await dialog.getByLabel("Field", { exact: true }).fill("item");
    await dialog.getByLabel("Value", { exact: true }).fill('{"sku": "A-1"}');
    await dialog.getByText("ID, and once only").click();
    await dialog.getByRole("textbox", { name: /^Producer/ }).fill("till-7");
    await dialog.getByRole("textbox", { name: /^Idempotent ID/ }).fill("sale-1");
    await act(`add-${before}`, "Add the entry", "appends an entry", length, before, after);
  }
  await tab.locator(".entry").first().getByText("A-1").waitFor();

  // The window is full: the page says so and why, and the button makes it larger.
  for (let n = 0; n < 9; n += 1) await client.ask("XADD", "orders", "IDMP", "till-7", `more-${n}`, "*", "n", n);
  const maxsize = async () => (await client.ask("XCFGGET orders")).map(String).join(" ").match(/maxsize (\d+)/i)?.[1];
  await tab.evaluate(() => void (location.hash = "#/streams/0/orders/idempotence"));
  await tab.getByText("windows of 1 producers are full", { exact: false }).waitFor();
  await tab.getByRole("button", { name: /^Remember [\d,]+…/ }).click();
  // How large it should be depends on how fast that was; here it is set.
  check("the advice is larger", Number(await dialog.getByLabel("IDs of each producer").inputValue()) >= 20);
  await dialog.getByLabel("IDs of each producer").fill("1000");
  await dialog.getByText("forgets 0 IDs").waitFor();
  await dialog.getByLabel("Keep what is remembered").uncheck();
  await dialog.getByText("All 10 IDs that are remembered now are forgotten").waitFor();
  await dialog.getByLabel("Keep what is remembered").check();
  await act("settings", "Apply", "IDs for each producer instead of 10", maxsize, "10", "1000");
  const counted = async () => (await client.ask("XCFGGET orders")).map(String).join(" ").match(/stats (\w+)/i)?.[1];
  await tab.getByRole("button", { name: "Count it", exact: true }).click();
  await act("stats", "Count it", "idmp-stats is 'ON' instead of 'OFF'", counted, "OFF", "ON");

  // Dead letters go back to their group.
  await client.ask("XGROUP SETCFG orders kitchen DEADLETTER letters");
  await client.ask("XGROUP SETID orders kitchen $");
  await client.ask("XNACK orders kitchen FATAL IDS 1 5-1");
  await tab.evaluate((group) => void (location.hash = group), GROUP);
  await tab.getByRole("button", { name: "Redrive dead letters" }).click();
  const letters = () => client.ask("XLEN letters");
  await act("redrive", "Redrive", "gives 1 dead letters back", letters, 1, 0);

  // What the group does by itself.
  const told = async () => (await client.ask("XGROUP GETCFG orders kitchen")).flat().map(String).join(" ");
  const before = await told();
  await tab.locator(".card", { hasText: "What it does by itself" }).getByRole("button", { name: "Change…" }).click();
  await dialog.getByLabel("Given to another after").fill("30000");
  await dialog.getByLabel("Deliveries, at most").fill("5");
  await dialog.getByLabel("First pause").fill("100");
  await dialog.getByLabel("Longest pause").fill("5000");
  await dialog.getByLabel("Pending of a consumer, at most").fill("50");
  const changed = before
    .replace(/claim 0/i, "claim 30000")
    .replace(/maxdeliveries 0/i, "maxdeliveries 5")
    .replace(/maxpending 0/i, "maxpending 50")
    .replace(/backoff 0 0/i, "backoff 100 5000");
  await act("group-settings", "Apply", "claim is '30000' instead of '0'", told, before, changed);
  await tab.getByText("after 30 s").waitFor();
  await tab.getByText("100 ms, then longer, up to 5 s").waitFor();

  // An entry that waits is shown, and taken back.
  await client.ask("XADD orders DELAY 3600000 * remind ann");
  await client.ask("XADD orders DELAY 7200000 * remind bob");
  await tab.evaluate(() => void (location.hash = "#/streams/0/orders/delayed"));
  await tab.getByText("2 in all, the next to come first").waitFor();
  await tab.locator(".delayed").first().getByText("ann").waitFor();
  await tab.locator(".delayed .entry").first().click();
  await tab.getByText(/^due \d{4}-/).waitFor();
  const waiting = async () => (await client.ask("XDELAYED orders")).length;
  await tab.getByRole("button", { name: /^Take back/ }).first().click();
  await act("take-back", "Take it back", "takes back an entry", waiting, 2, 1);
  await tab.locator(".delayed", { hasText: "ann" }).waitFor({ state: "detached" });
  await tab.getByText("1 in all").waitFor();
  await tab.evaluate((group) => void (location.hash = group), GROUP);

  // Names that no path can have.
  for (const name of ["", ".", ".."]) {
    await client.ask("XADD", name, "1-1", "f", `in '${name}'`);
    await client.ask("XGROUP", "CREATE", name, name, "0");
    await tab.evaluate((name) => void (location.hash = `#/streams/0/${name}/groups/${name}`), name);
    await tab.getByText("Nobody has read with this group yet").waitFor();
    await tab.evaluate((name) => void (location.hash = `#/streams/0/${name}/entries`), name);
    await tab.getByText(`in '${name}'`).waitFor();
    await tab.getByRole("button", { name: "Add an entry" }).click();
    await dialog.getByLabel("Field", { exact: true }).fill("by");
    await dialog.getByLabel("Value", { exact: true }).fill("hand");
    await act(`add-to-${name.length}`, "Add the entry", "appends an entry", () => client.ask("XLEN", name), 1, 2);
    await client.ask("DEL", name);
    await client.ask("SET", name, `value of '${name}'`);
    await tab.evaluate((name) => void (location.hash = `#/keys/0/${name}`), name);
    await tab.getByText(`value of '${name}'`).waitFor();
  }
  await tab.evaluate((group) => void (location.hash = group), GROUP);

  // What is refused is said, and the dialog stays.
  await tab.getByRole("button", { name: "Set where it reads on" }).click();
  await dialog.getByLabel("Above this ID").fill("9-9");
  await dialog.getByText("reads on above 9-9").waitFor();
  await client.ask("DEL orders");
  await dialog.getByRole("button", { name: "Set", exact: true }).click();
  await dialog.getByRole("alert").waitFor();
  await tab.keyboard.press("Escape");
  await tab.getByRole("alert").first().waitFor();
});
