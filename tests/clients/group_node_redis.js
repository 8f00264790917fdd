"use strict";
// node-redis in a group of servers: it finds the leader, and goes on when another one leads.

const { createCluster, createSentinel } = require("redis");
const { group, mode, ports, run, stream } = require("./group.js");

const nodes = ports.map((port) => ({ host: "127.0.0.1", port }));

// Whoever is paused answers nothing, so nobody is waited for longer than this.
const socket = { connectTimeout: 1000, socketTimeout: 2000 };

async function open() {
  const client =
    mode === "cluster"
      ? createCluster({
          rootNodes: nodes.map((node) => ({ socket: node })),
          RESP: 2,
          defaults: { socket },
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
  return client;
}

async function connect() {
  let client = await open();

  // A client of a cluster that has waited in vain stays closed, so it is replaced.
  const ask = async (request) => {
    try {
      return await request(client);
    } catch (error) {
      if (/client is closed/.test(error.message)) client = await open();
      throw error;
    }
  };
  const send = (args) =>
    ask((client) =>
      mode === "cluster"
        ? client.sendCommand(stream, false, args)
        : client.sendCommand(false, args),
    );
  return {
    append: (args) => send(["XADD", ...args]),
    pipeline: (appends) =>
      ask((client) => {
        const pipeline = mode === "cluster" ? client.multi(stream) : client.multi();
        for (const args of appends) {
          if (mode === "cluster") pipeline.addCommand(stream, false, ["XADD", ...args]);
          else pipeline.addCommand(false, ["XADD", ...args]);
        }
        return pipeline.execAsPipeline();
      }),
    read: async (args) => {
      const read = await send(["XREADGROUP", ...args]);
      return read ? read[0][1].map(([id]) => id) : [];
    },
    acknowledge: (args) => send(["XACK", ...args]),
  };
}

run("node-redis", connect);
