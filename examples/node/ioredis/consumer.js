// Works on messages in a group, and takes over what a consumer that crashed has left.
//
// usage: node consumer.js HOST:PORT STREAM CONSUMER        (npm install ioredis)
//
// The work here is to append to the stream STREAM:done. A message may be given twice, to a second
// consumer if the first is slow; then it is worked on twice, and the result is stored once.
'use strict';
const { setTimeout: sleep } = require('node:timers/promises');
const Redis = require('ioredis');

const GROUP = 'workers';
// A consumer that has not acknowledged a message after this many milliseconds counts as crashed.
const CRASHED_AFTER = 1000;
const PASSING = /^(NOTDURABLE|MISCONF|LOADING|OOM|EXECABORT) /;
const passes = error => !(error instanceof Redis.ReplyError) || PASSING.test(error.message);

// The client reconnects for ever, and fails what had no reply: the loop asks for it again.
const IMPATIENT = { socketTimeout: 5000, retryStrategy: () => 100, maxRetriesPerRequest: 0 };

async function prepare(client, stream) {
  for (const name of [stream, `${stream}:done`]) {
    await client.xgroup('CREATE', name, GROUP, '0', 'MKSTREAM').catch(error => {
      if (!error.message.startsWith('BUSYGROUP')) throw error;
    });
  }
  await client.call('XCFGSET', `${stream}:done`, 'IDMP-DURATION', 86400, 'IDMP-MAXSIZE', 10000);
}

// Result and acknowledgement are one transaction. The message's ID stores the result only once.
async function work(client, stream, id, fields) {
  const text = fields[fields.indexOf('text') + 1].toUpperCase();
  const replies = await client
    .multi()
    .call('XADD', `${stream}:done`, 'IDMP', GROUP, id, '*', 'of', id, 'text', text)
    .xack(stream, GROUP, id)
    .exec();
  for (const [error] of replies) if (error) throw error;
}

async function main(address, stream, consumer) {
  const client = new Redis(`redis://${address}`, IMPATIENT);
  client.on('error', error => console.error(error.message));
  const options = ['COUNT', 10, 'BLOCK', 500, 'CLAIM', CRASHED_AFTER];
  let prepared = false;
  for (;;) {
    try {
      if (!prepared) await prepare(client, stream);
      prepared = true;
      const reply = await client.xreadgroup('GROUP', GROUP, consumer, ...options, 'STREAMS', stream, '>');
      for (const [, entries] of reply ?? []) {
        for (const [id, fields] of entries) await work(client, stream, id, fields);
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
