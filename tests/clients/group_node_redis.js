"use strict";
// node-redis in a group of servers: it finds the leader, and goes on when another one leads.

const { createCluster, createSentinel } = require("redis");
const { group, mode, ports, run, stream } = require("./group.js");

const nodes = ports.map((port) => ({ host: "127.0.0.1", port }));

// Whoever is paused answers nothing, so nobody is waited for longer than this.
const socket = { connectTimeout: 1000, socketTimeout: 2000 };

async function connect() {
  const client =
    mode === "cluster"
      ? createCluster({
          rootNodes: nodes.map((node) => ({ socket: node })),
          defaults: { RESP: 2, socket },
        })
      : createSentinel({
          name: group,
          sentinelRootNodes: nodes,
          RESP: 2,
          nodeClientOptions: { socket },
          sentinelClientOptions: { socket },
        });
  // What goes wrong with a request is said by the request.
  client.on("error", () => {});
  await client.connect();
  const send = (args) =>
    mode === "cluster" ? client.sendCommand(stream, false, args) : client.sendCommand(false, args);
  return {
    append: (args) => send(["XADD", ...args]),
    pipeline: (appends) => {
      const pipeline = mode === "cluster" ? client.multi(stream) : client.multi();
      for (const args of appends) {
        if (mode === "cluster") pipeline.addCommand(stream, false, ["XADD", ...args]);
        else pipeline.addCommand(false, ["XADD", ...args]);
      }
      return pipeline.execAsPipeline();
    },
    read: async (args) => {
      const read = await send(["XREADGROUP", ...args]);
      return read ? read[0][1].map(([id]) => id) : [];
    },
    acknowledge: (args) => send(["XACK", ...args]),
  };
}

run("node-redis", connect);
