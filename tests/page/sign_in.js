// A server that wants a password: the page asks for it, keeps a token and not the password, and
// says why somebody is not served.

const { accessible, check, main, until } = require("./browser");

main(async ({ origin, client, page, picture }) => {
  await client.ask("AUTH", "open sesame");
  await client.ask("XADD orders IDMP till-7 sale-1 * item tea");
  await client.ask("ACL SETUSER reader on >book ~* +@read +info +hello +select +xinfo +client|no-touch");
  for (const colorScheme of ["light", "dark"]) {
    const tab = await page({ colorScheme });
    await tab.goto(`${origin}/#/streams`);
    await tab.getByRole("heading", { name: "Sign in" }).waitFor();
    await accessible(tab, `signing in, ${colorScheme}`);
    await tab.screenshot({ path: picture(`sign-in-${colorScheme}`) });
    await tab.context().close();
  }
  const tab = await page();
  await tab.goto(`${origin}/#/streams`);
  const password = tab.getByLabel("Password");
  await password.fill("wrong");
  await tab.keyboard.press("Enter");
  await tab.getByRole("alert").getByText("There is no such user with that password").waitFor();
  await password.fill("open sesame");
  await tab.keyboard.press("Enter");
  // The view that was asked for is shown, live.
  await tab.getByText("orders").waitFor();
  await tab.getByText("Ready").waitFor();
  const kept = await tab.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]));
  check("the password is kept nowhere", !kept.includes("sesame") && !kept.includes(btoa("default:open sesame")));
  await tab.reload();
  await tab.getByText("orders").waitFor();
  check("nobody is asked again", (await tab.getByRole("heading", { name: "Sign in" }).count()) === 0);

  // Another user, with fewer rights: what is refused says so.
  await tab.getByRole("button", { name: "Sign out, default" }).click();
  await tab.getByRole("heading", { name: "Sign in" }).waitFor();
  await tab.getByLabel("User").fill("reader");
  await password.fill("book");
  await tab.getByRole("button", { name: "Sign in" }).click();
  await tab.getByText("orders").click();
  await tab.getByRole("button", { name: "Add an entry" }).click();
  const dialog = tab.locator("dialog");
  await dialog.getByLabel("Field", { exact: true }).fill("item");
  await dialog.getByText("Your user may not run this command").waitFor();
  check("the button does nothing", await dialog.getByRole("button", { name: "Add the entry" }).isDisabled());
  await tab.keyboard.press("Escape");

  // Whoever is deleted is asked again, and told why.
  await client.ask("ACL DELUSER reader");
  await tab.getByText("The sign-in has ended").waitFor();
  await password.fill("book");
  await tab.keyboard.press("Enter");
  await tab.getByRole("alert").waitFor();
  await until("nothing is kept", async () => (await tab.evaluate(() => sessionStorage.length)) === 0);
});
