"use strict";
// What programs in a group of servers have in common. `PROGRAM sentinel|cluster GROUP PORT,PORT,…
// FIRST PACE`: the name of the group, where its servers listen, the number of the first of four
// producers, and the pause between two appends in milliseconds. One producer appends by itself, the
// other three in pipelines; a consumer reads and acknowledges. What the servers have answered is
// printed, a line each:
//
//     appended PRODUCER MESSAGE ID
//     acknowledged STREAM ID
//     again ERROR
//
// It ends when its input does. The same client objects are used all the time.

const [mode, group, portList, firstText, paceText] = process.argv.slice(2);
const ports = portList.split(",").map(Number);
const first = Number(firstText);
const pace = Number(paceText);
const stream = `s${Math.floor(first / 4) % 4}`;

// A request that is still not answered then is lost.
const PATIENCE_MS = 60000;

let stopped = false;
process.stdin.on("end", () => (stopped = true));
process.stdin.resume();

const say = (line) => process.stdout.write(line + "\n");
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks again until there is an answer: nobody knows what became of a request without one. */
async function insist(request) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      say(`again ${String(error).replace(/\s+/g, " ")}`);
      await rest(20);
    }
  }
}

/** The arguments of XADD, as a raw command: its reply says the same to a retry. */
function append(producer, message) {
  const fields = ["producer", `${producer}`, "message", `${message}`];
  return [stream, "IDMP", `p${producer}`, `${message}`, "*", ...fields];
}

async function produce(client) {
  for (let message = 0; !stopped; message += 1) {
    const id = await insist(() => client.append(append(first, message)));
    say(`appended ${first} ${message} ${id}`);
    await rest(pace);
  }
}

/** Each producer has one append on its way, so that a part of a pipeline can be sent again. */
async function produceInPipelines(client) {
  const producers = [first + 1, first + 2, first + 3];
  for (let message = 0; !stopped; message += 1) {
    const appends = producers.map((producer) => append(producer, message));
    const ids = await insist(() => client.pipeline(appends));
    producers.forEach((producer, at) => say(`appended ${producer} ${message} ${ids[at]}`));
    await rest(pace);
  }
}

async function consume(client, name) {
  let after = "0";
  while (!stopped) {
    const wanted = ["GROUP", "workers", `${name}-${first}`, "COUNT", "20", "BLOCK", "500"];
    const ids = await insist(() => client.read([...wanted, "STREAMS", stream, after]));
    if (ids.length === 0) {
      // What was delivered before is done; a reply that was lost leaves something there.
      after = after === "0" ? ">" : "0";
      continue;
    }
    await insist(() => client.acknowledge([stream, "workers", ...ids]));
    ids.forEach((id) => say(`acknowledged ${stream} ${id}`));
  }
}

/**
 * Runs with what a library makes of it: `connect` gives a client with `append`, `pipeline`, `read`
 * and `acknowledge`. Who waits for entries has a client of its own.
 */
async function run(name, connect) {
  const [producer, consumer] = [await insist(connect), await insist(connect)];
  const parts = [produce(producer), produceInPipelines(producer), consume(consumer, name)];
  await Promise.all(parts);
  process.exit(0);
}

module.exports = { group, mode, ports, run, stream };
