// The page stays true: two tabs see what producers do, a live list can be paused, a server that
// goes away is told of and found again, and keys do what the help says.

const { accessible, check, main, until } = require("./browser");
const net = require("node:net");

main(async ({ origin, client, page, watch, picture }) => {
  const first = await page();
  await first.goto(`${origin}/`);
  await first.getByText("There is no stream yet").waitFor();
  await accessible(first, "an empty server");
  await first.screenshot({ path: picture("empty") });
  const second = await first.context().newPage();
  watch(second);
  await second.goto(`${origin}/#/streams/0/orders/entries`);
  await second.getByText("It may have been deleted").waitFor();

  // The producer of the README: it sends each message, and sends it again.
  const retries = async (n) => {
    for (let again = 0; again < 2; again += 1) await client.ask("XADD", "orders", "IDMP", "till-7", `sale-${n}`, "*", "item", `tea ${n}`);
  };
  await retries(0);
  const began = Date.now();
  await first.locator(".stat", { hasText: "Duplicates caught" }).locator(".value", { hasText: /^1$/ }).waitFor();
  const took = Date.now() - began;
  check(`a duplicate is seen within two seconds (${took} ms)`, took < 2000);
  await first.getByText("Streams that catch retries").waitFor();
  await second.getByText("tea 0").waitFor();

  // Both go on, and the live list can be paused.
  await second.getByRole("button", { name: "Live", exact: true }).click();
  await second.getByText("New entries appear here").waitFor();
  await retries(1);
  await second.getByText("tea 1").waitFor();
  await second.keyboard.press("p");
  await second.getByText("Paused").waitFor();
  await retries(2);
  await second.getByText("1 waiting").waitFor();
  check("a paused list stands still", (await second.getByText("tea 2").count()) === 0);
  await second.keyboard.press("p");
  await second.getByText("tea 2").waitFor();
  await first.locator(".stat", { hasText: "Duplicates caught" }).locator(".value", { hasText: /^3$/ }).waitFor();

  // The server is killed, and comes back: both tabs say so, and go on.
  const told = net.connect(Number(process.argv[5]), "127.0.0.1");
  told.write("kill\n");
  await first.getByText("The server does not answer.").waitFor();
  await first.getByText("Not reachable").waitFor();
  await accessible(first, "a server that is gone");
  await first.screenshot({ path: picture("gone") });
  await second.getByText("The server does not answer.").waitFor();
  told.write("start\n");
  for (const tab of [first, second]) {
    await tab.getByText("The server does not answer.").waitFor({ state: "detached" });
    await tab.getByText("Ready").waitFor();
  }
  // What was acknowledged is there, and so is what is remembered of producers.
  await first.locator(".stat", { hasText: "Streams" }).locator(".value", { hasText: /^1$/ }).waitFor();
  await second.getByText("tea 2").waitFor();

  // By keys alone: to the streams, to the first of them, to its first entry, and the help.
  await first.bringToFront();
  await first.keyboard.press("g");
  await first.keyboard.press("s");
  await first.getByRole("heading", { name: "Streams", exact: true }).waitFor();
  await first.locator("[data-row]").first().waitFor();
  await first.keyboard.press("j");
  await first.keyboard.press("Enter");
  await first.getByRole("heading", { name: "orders" }).waitFor();
  await first.locator(".entry").first().waitFor();
  await first.keyboard.press("j");
  await first.keyboard.press("Enter");
  await first.locator(".opened").waitFor();
  await first.keyboard.press("/");
  await first.keyboard.type("tea 1");
  await first.getByText("3 searched").waitFor();
  await until("what the server found", async () => (await first.locator(".entry").count()) === 1);
  await first.keyboard.press("Escape");
  await first.keyboard.press("t");
  const theme = () => first.evaluate(() => document.documentElement.dataset.theme);
  await until("the light theme", async () => (await theme()) === "light");
  await first.keyboard.press("?");
  await first.getByRole("heading", { name: "Keyboard" }).waitFor();
  await accessible(first, "the help");
  await first.keyboard.press("Escape");
  await first.locator("dialog").waitFor({ state: "detached" });
});
