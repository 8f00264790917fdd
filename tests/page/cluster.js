// Servers that share a log: who leads, how far each is, how the log is; the lead is handed over,
// after it was said what that would do. A server that is alone shows no such view.

const { accessible, check, main, until } = require("./browser");

main(async ({ origin, client, page, picture }) => {
  const [follower] = process.argv.slice(5);
  for (let number = 0; number < 500; number += 1) await client.ask("XADD", "orders", "*", "number", number);
  for (const [colours, viewport] of [
    ["light", { width: 1280, height: 860 }],
    ["dark", { width: 1280, height: 860 }],
    ["phone", { width: 390, height: 800 }],
  ]) {
    const tab = await page({ colorScheme: colours === "dark" ? "dark" : "light", viewport });
    await tab.goto(`${origin}/`);
    await tab.getByRole("link", { name: "Cluster" }).click();
    await tab.getByText("this one", { exact: true }).waitFor();
    await tab.getByText("has everything").nth(2).waitFor();
    const nodes = tab.getByRole("region", { name: "Servers that share the log" });
    check("all three are listed", (await nodes.getByRole("row").count()) === 4);
    // Those who follow say within a second how far they are.
    await until("none is behind", async () => {
      const behind = await nodes.locator("tbody tr td:nth-child(4)").allTextContents();
      return behind.every((text) => text === "0") || behind;
    });
    if (colours !== "phone") await tab.waitForTimeout(2500);
    await accessible(tab, `cluster, ${colours}`);
    await tab.screenshot({ path: picture(`cluster-${colours}`) });
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(`it fits into the width of ${colours} (${wide} too wide)`, wide <= 0);
    if (colours !== "light") {
      await tab.context().close();
      continue;
    }
    // First what it would do, then the question.
    await tab.getByRole("button", { name: `Hand over to ${follower}` }).click();
    await tab.getByText("FAILOVER TO").waitFor();
    await tab.getByText("Hands the lead over to").waitFor();
    await accessible(tab, `handing over, ${colours}`);
    await tab.screenshot({ path: picture(`cluster-action-${colours}`) });
    await tab.getByRole("button", { name: "Cancel" }).click();
    check("nothing has happened", (await client.ask("ROLE"))[0] === "master");
  }
  const tab = await page();
  await tab.goto(`${origin}/#/cluster`);
  await tab.getByRole("button", { name: `Hand over to ${follower}` }).click();
  await tab.getByText("Hands the lead over to").waitFor();
  await tab.getByRole("button", { name: "Hand over", exact: true }).click();
  await tab.getByText("Follows", { exact: true }).waitFor();
  await tab.getByText(`${follower} leads`).waitFor();
  check("a follower hands nothing over", (await tab.getByRole("button", { name: /Hand over/ }).count()) === 0);
  await tab.screenshot({ path: picture("cluster-follower-light") });
});
