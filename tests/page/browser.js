// What the tests of the page share: a browser, a client of the server, and what each view must be.

const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { chromium } = require("playwright-core");
const axe = require("axe-core");

/** Where Debian and others put the browser. */
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** How long something may take to appear; generous, since test machines are busy. */
const WAIT_MS = 20_000;

/** A connection to the server that sends commands and reads replies of RESP2. */
class Client {
  constructor(port) {
    this.socket = net.connect(port, "127.0.0.1");
    this.received = Buffer.alloc(0);
    this.waiting = [];
    this.socket.on("data", (data) => {
      this.received = Buffer.concat([this.received, data]);
      let found;
      while (this.waiting.length > 0 && (found = parse(this.received, 0))) {
        this.received = this.received.subarray(found.end);
        const { resolve, reject, words } = this.waiting.shift();
        if (found.value instanceof Error) {
          reject(new Error(`${words.join(" ").slice(0, 200)}: ${found.value.message}`));
        } else {
          resolve(found.value);
        }
      }
    });
    this.socket.on("error", (error) => this.waiting.splice(0).forEach(({ reject }) => reject(error)));
  }

  /** The reply to a command: its words, or one text that is split at spaces. */
  ask(...words) {
    if (words.length === 1) words = words[0].split(" ");
    const parts = words.map((word) => (Buffer.isBuffer(word) ? word : Buffer.from(String(word))));
    const pieces = [Buffer.from(`*${parts.length}\r\n`)];
    for (const part of parts) pieces.push(Buffer.from(`$${part.length}\r\n`), part, Buffer.from("\r\n"));
    const reply = new Promise((resolve, reject) => this.waiting.push({ resolve, reject, words }));
    this.socket.write(Buffer.concat(pieces));
    return reply;
  }

  close() {
    this.socket.destroy();
  }
}

function parse(bytes, at) {
  const line = bytes.indexOf("\r\n", at);
  if (line < 0) return null;
  const text = bytes.toString("utf8", at + 1, line);
  const end = line + 2;
  switch (String.fromCharCode(bytes[at])) {
    case "+":
      return { value: text, end };
    case "-":
      return { value: new Error(text), end };
    case ":":
      return { value: Number(text), end };
    case "$": {
      const length = Number(text);
      if (length < 0) return { value: null, end };
      if (bytes.length < end + length + 2) return null;
      return { value: bytes.toString("utf8", end, end + length), end: end + length + 2 };
    }
    default: {
      const value = [];
      let next = end;
      for (let n = 0; n < Number(text); n += 1) {
        const found = parse(bytes, next);
        if (!found) return null;
        value.push(found.value);
        next = found.end;
      }
      return { value, end: next };
    }
  }
}

/** A browser, and what went wrong in any of its pages. */
async function open(origin) {
  const executablePath = BROWSERS.find((path) => fs.existsSync(path));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const wrong = [];
  const page = async (options = {}) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 860 },
      timezoneId: "UTC",
      locale: "en-GB",
      ...options,
    });
    const page = await context.newPage();
    watch(page);
    return page;
  };
  const watch = (page) => {
    page.setDefaultTimeout(WAIT_MS);
    page.on("pageerror", (error) => wrong.push(`in the page: ${error.message}`));
    page.on("dialog", (dialog) => {
      wrong.push(`a script was run: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      const text = message.text();
      // A request that is refused, or not answered, is said by the page itself.
      if (message.type() === "error" && !text.startsWith("Failed to load resource")) wrong.push(text);
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(`${origin}/`)) wrong.push(`asks elsewhere: ${request.url()}`);
    });
  };
  return { browser, page, watch, wrong };
}

/** Fails if the page breaks a rule of accessibility. */
async function accessible(page, name) {
  // A color that is still changing is none that anybody reads. What moves for ever has no end.
  await page.evaluate(() => {
    const changes = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    return Promise.allSettled(changes.map((change) => change.finished));
  });
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.slice(0, 4).map((node) => `${node.target} ${node.html.slice(0, 160)} ${node.any.map((check) => check.message).join("; ")}`).join("\n  ")}`,
  );
  if (found.length > 0) throw new Error(`${name} is not accessible:\n${found.join("\n")}`);
}

/** Waits until a question has the wanted answer. */
async function until(what, question) {
  const deadline = Date.now() + WAIT_MS;
  let last;
  while (Date.now() < deadline) {
    last = await question();
    if (last === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come to be; last: ${JSON.stringify(last)}`);
}

function check(what, is) {
  if (!is) throw new Error(`it is not so that ${what}`);
}

/** Runs a test, and ends the process as it went. */
async function main(test) {
  const [port, http, folder] = process.argv.slice(2);
  const origin = `http://127.0.0.1:${http}`;
  if (folder) fs.mkdirSync(folder, { recursive: true });
  const client = new Client(Number(port));
  const opened = await open(origin);
  let status = 0;
  try {
    await test({ origin, client, ...opened, picture: (name) => path.join(folder, `${name}.png`) });
    if (opened.wrong.length > 0) throw new Error(opened.wrong.join("\n"));
  } catch (error) {
    console.error(error.stack);
    if (opened.wrong.length > 0) console.error(opened.wrong.join("\n"));
    status = 1;
  }
  await opened.browser.close();
  client.close();
  process.exit(status);
}

module.exports = { Client, accessible, check, main, until };
