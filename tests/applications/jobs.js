// The jobs that every application here does, and the notes by which they are accounted for: the
// same as `jobs.py`.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const COUNT = 200;
// Milliseconds by which a delayed job is put off.
const DELAY = 1000;

const [mode, port, folder] = [process.argv[2], Number(process.argv[3]), process.argv[4]];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function note(name, number, when) {
  fs.appendFileSync(path.join(folder, name), `${number} ${(when / 1000).toFixed(3)}\n`);
}

// Does a job. One in ten fails the first time.
async function work(number) {
  note("tried", number, Date.now());
  if (number % 10 === 3) {
    const marker = path.join(folder, `failed-${number}`);
    if (!fs.existsSync(marker)) {
      fs.writeFileSync(marker, "");
      throw new Error(`job ${number} fails the first time`);
    }
  }
  await sleep(20);
  note("done", number, Date.now());
}

// Hands in all jobs, each until the server has taken it. `send` gets a number and a delay in
// milliseconds, or none.
async function produce(send) {
  for (let number = 0; number < COUNT; number++) {
    const delay = number % 20 === 7 ? DELAY : undefined;
    if (delay) note("due", number, Date.now() + delay);
    const deadline = Date.now() + 60000;
    for (;;) {
      try {
        await send(number, delay);
        break;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        console.log(`job ${number} again: ${error}`);
        await sleep(100);
      }
    }
    await sleep(10);
  }
}

module.exports = { COUNT, mode, port, folder, sleep, work, produce };
