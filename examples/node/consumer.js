// Works on messages in a group, and takes over what a consumer that crashed has left.
//
// usage: node consumer.js HOST:PORT STREAM CONSUMER        (npm install redis)
//
// The work here is to append to the stream STREAM:done. A message may be given twice, to a second
// consumer if the first is slow; then it is worked on twice, and the result is stored once.
'use strict';
const { setTimeout: sleep } = require('node:timers/promises');
const { createClient, ErrorReply } = require('redis');

const GROUP = 'workers';
// A consumer that has not acknowledged a message after this many milliseconds counts as crashed.
const CRASHED_AFTER = 1000;
const PASSING = /^(NOTDURABLE|MISCONF|LOADING|OOM|EXECABORT) /;
const passes = error => !(error instanceof ErrorReply) || PASSING.test(error.message);

async function prepare(client, stream) {
  for (const name of [stream, `${stream}:done`]) {
    await client.xGroupCreate(name, GROUP, '0', { MKSTREAM: true }).catch(error => {
      if (!error.message.startsWith('BUSYGROUP')) throw error;
    });
  }
  await client.xCfgSet(`${stream}:done`, { IDMP_DURATION: 86400, IDMP_MAXSIZE: 10000 });
}

// Result and acknowledgement are one transaction. The message's ID stores the result only once.
async function work(client, stream, { id, message }) {
  const result = { of: id, text: message.text.toUpperCase() };
  await client
    .multi()
    .xAdd(`${stream}:done`, '*', result, { IDMP: { pid: GROUP, iid: id } })
    .xAck(stream, GROUP, id)
    .exec();
}

async function main(address, stream, consumer) {
  const socket = { socketTimeout: 5000, reconnectStrategy: () => 100 };
  const client = createClient({ url: `redis://${address}`, socket });
  client.on('error', error => console.error(error.message));
  await client.connect();
  let prepared = false;
  for (;;) {
    try {
      if (!prepared) await prepare(client, stream);
      prepared = true;
      const options = { COUNT: 10, BLOCK: 500, CLAIM: CRASHED_AFTER };
      const reply = await client.xReadGroup(GROUP, consumer, { key: stream, id: '>' }, options);
      for (const { messages } of reply ?? []) {
        for (const message of messages) await work(client, stream, message);
      }
    } catch (error) {
      if (!passes(error)) throw error;
      // What was not acknowledged comes again, after CRASHED_AFTER.
      console.error(`again: ${error.message}`);
      await sleep(100);
    }
  }
}

main(...process.argv.slice(2)).catch(error => {
  console.error(error);
  process.exit(1);
});
