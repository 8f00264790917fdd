// BullMQ: lists, sorted sets, hashes and streams, all by Lua scripts that use cmsgpack.
"use strict";

const { Queue, Worker } = require("bullmq");
const jobs = require("./jobs.js");

const connection = { host: "127.0.0.1", port: jobs.port, maxRetriesPerRequest: null };

async function produce() {
  const queue = new Queue("jobs", { connection });
  queue.on("error", (error) => console.log(`queue: ${error}`));
  await jobs.produce((number, delay) =>
    queue.add("job", { number }, {
      jobId: `job-${number}`,
      delay,
      attempts: 5,
      backoff: { type: "fixed", delay: 200 },
    }),
  );
  await queue.close();
}

function work() {
  const worker = new Worker("jobs", (job) => jobs.work(job.data.number), {
    connection,
    concurrency: 4,
    lockDuration: 2000,
    stalledInterval: 1000,
    maxStalledCount: 10,
  });
  worker.on("error", (error) => console.log(`worker: ${error}`));
  worker.on("failed", (job, error) => console.log(`failed: ${error}`));
}

if (jobs.mode === "produce") {
  produce();
} else {
  work();
}
