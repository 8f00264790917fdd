"use strict";
// ioredis in a group of servers: it finds the leader, and goes on when another one leads.

const Redis = require("ioredis");
const { group, mode, ports, run } = require("./group.js");

const nodes = ports.map((port) => ({ host: "127.0.0.1", port }));

// Whoever is paused answers nothing, so nobody is waited for longer than this.
const patience = { connectTimeout: 1000, socketTimeout: 2000 };

function connect() {
  const client =
    mode === "cluster"
      ? new Redis.Cluster(nodes, { redisOptions: patience })
      : new Redis({ sentinels: nodes, name: group, sentinelCommandTimeout: 1000, ...patience });
  // What goes wrong with a request is said by the request.
  client.on("error", () => {});
  return {
    append: (args) => client.call("XADD", ...args),
    pipeline: async (appends) => {
      const pipeline = client.pipeline();
      for (const args of appends) pipeline.call("XADD", ...args);
      const replies = await pipeline.exec();
      const failed = replies.find(([error]) => error);
      if (failed) throw failed[0];
      return replies.map(([, id]) => id);
    },
    read: async (args) => {
      const read = await client.xreadgroup(...args);
      return read ? read[0][1].map(([id]) => id) : [];
    },
    acknowledge: (args) => client.xack(...args),
  };
}

run("ioredis", connect);
