// node-redis: the same as with ioredis, by its own way of scripts, streams and channels.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { createClient, defineScript } = require("redis");
const jobs = require("./jobs.js");

const move = defineScript({
  NUMBER_OF_KEYS: 2,
  SCRIPT: fs.readFileSync(path.join(__dirname, "move.lua"), "utf8"),
  parseCommand(parser, from, to, now) {
    parser.pushKey(from);
    parser.pushKey(to);
    parser.push(String(now));
  },
  transformReply: (reply) => reply,
});

async function client() {
  const redis = createClient({
    url: `redis://127.0.0.1:${jobs.port}`,
    socket: { reconnectStrategy: () => 100 },
    scripts: { move },
  });
  redis.on("error", (error) => console.log(`redis: ${error}`));
  await redis.connect();
  return redis;
}

async function produce() {
  const redis = await client();
  await jobs.produce((number, delay) =>
    delay
      ? redis.zAdd("delayed", { score: Date.now() + delay, value: String(number) })
      : redis.xAdd("jobs", "*", { number: String(number) }),
  );
  redis.destroy();
}

async function work() {
  const redis = await client();
  const listener = await client();
  await listener.subscribe("finished", (text) => console.log(`finished: ${text}`));
  await redis.xGroupCreate("jobs", "workers", "0", { MKSTREAM: true }).catch((error) => {
    if (!error.message.startsWith("BUSYGROUP")) throw error;
  });
  const name = `worker-${process.pid}`;
  for (;;) {
    try {
      await redis.move("delayed", "jobs", Date.now());
      const claimed = await redis.xAutoClaim("jobs", "workers", name, 1000, "0", { COUNT: 5 });
      const read = await redis.xReadGroup(
        "workers", name, { key: "jobs", id: ">" }, { COUNT: 5, BLOCK: 200 },
      );
      for (const { id, message } of claimed.messages.concat(read ? read[0].messages : [])) {
        await jobs.work(Number(message.number));
        await redis.multi().xAck("jobs", "workers", id).publish("finished", message.number).exec();
      }
    } catch (error) {
      console.log(`${error}`); // what failed stays pending, and is claimed later
      await jobs.sleep(50);
    }
  }
}

if (jobs.mode === "produce") {
  produce();
} else {
  work();
}
