// socket.io with the adapter that keeps messages in a stream. A message that is sent to all goes from
// one server through the stream to the clients of the other; that client says what it has done, and
// what it has not is sent again.
"use strict";

const { createServer } = require("node:http");
const { Redis } = require("ioredis");
const { Server } = require("socket.io");
const { io: connect } = require("socket.io-client");
const { createAdapter } = require("@socket.io/redis-streams-adapter");
const jobs = require("./jobs.js");

function server(http) {
  const redis = new Redis(jobs.port, { maxRetriesPerRequest: null, retryStrategy: () => 100 });
  redis.on("error", (error) => console.log(`redis: ${error}`));
  return new Server(http, {
    adapter: createAdapter(redis, { readCount: 50, blockTimeInMs: 200 }),
    connectionStateRecovery: {},
  });
}

async function produce() {
  const io = server(createServer());
  const done = new Set();
  io.on("done", (number) => done.add(number));
  const later = [];
  await jobs.produce(async (number, delay) => {
    const send = () => io.emit("job", number);
    if (delay) later.push(jobs.sleep(delay).then(send));
    else send();
  });
  await Promise.all(later);
  while (done.size < jobs.COUNT) {
    await jobs.sleep(500);
    for (let number = 0; number < jobs.COUNT; number++) {
      if (!done.has(number)) io.emit("job", number);
    }
  }
  process.exit(0);
}

function work() {
  const http = createServer();
  const io = server(http);
  const done = new Set();
  http.listen(0, "127.0.0.1", () => {
    const client = connect(`http://127.0.0.1:${http.address().port}`);
    client.on("job", async (number) => {
      try {
        if (!done.has(number)) {
          await jobs.work(number);
          done.add(number);
        }
        io.serverSideEmit("done", number);
      } catch (error) {
        console.log(`${error}`);
      }
    });
  });
}

if (jobs.mode === "produce") {
  produce();
} else {
  work();
}
