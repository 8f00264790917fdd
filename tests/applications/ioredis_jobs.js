// ioredis: a stream with a group, a script as a command of its own, and a channel on a second
// connection.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { Redis } = require("ioredis");
const jobs = require("./jobs.js");

const lua = fs.readFileSync(path.join(__dirname, "move.lua"), "utf8");

function client() {
  const redis = new Redis(jobs.port, { maxRetriesPerRequest: null, retryStrategy: () => 100 });
  redis.on("error", (error) => console.log(`redis: ${error}`));
  redis.defineCommand("move", { numberOfKeys: 2, lua });
  return redis;
}

async function produce() {
  const redis = client();
  await jobs.produce((number, delay) =>
    delay
      ? redis.zadd("delayed", Date.now() + delay, number)
      : redis.xadd("jobs", "*", "number", number),
  );
  redis.disconnect();
}

async function work() {
  const redis = client();
  const listener = client();
  listener.on("message", (channel, text) => console.log(`${channel}: ${text}`));
  await listener.subscribe("finished");
  await redis.xgroup("CREATE", "jobs", "workers", "0", "MKSTREAM").catch((error) => {
    if (!error.message.startsWith("BUSYGROUP")) throw error;
  });
  const name = `worker-${process.pid}`;
  for (;;) {
    await redis.move("delayed", "jobs", Date.now());
    const [, claimed] = await redis.xautoclaim("jobs", "workers", name, 1000, "0", "COUNT", 5);
    const read = await redis.xreadgroup(
      "GROUP", "workers", name, "COUNT", 5, "BLOCK", 200, "STREAMS", "jobs", ">",
    );
    for (const [id, fields] of claimed.concat(read ? read[0][1] : [])) {
      try {
        await jobs.work(Number(fields[1]));
        await redis.multi().xack("jobs", "workers", id).publish("finished", fields[1]).exec();
      } catch (error) {
        console.log(`${error}`); // it stays pending, and is claimed later
      }
    }
  }
}

if (jobs.mode === "produce") {
  produce();
} else {
  work();
}
