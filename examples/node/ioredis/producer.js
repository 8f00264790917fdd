// Sends each line of a file as a message, until every one of them is in the stream, exactly once.
//
// usage: node producer.js HOST:PORT STREAM FILE        (npm install ioredis)
//
// The file's name is the producer's ID, and the number of a line its idempotent ID: both are the
// same after a crash. FILE.sent has how many lines are acknowledged; a restart goes on from there.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const Redis = require('ioredis');

// Errors that pass: nothing is known to be stored, so sending again is right.
const PASSING = /^(NOTDURABLE|MISCONF|LOADING|OOM) /;

// When the connection is lost, or silent for 5 s, the client reconnects for ever, and sends what
// had no reply again. With an idempotent ID, that is what we want.
const PATIENT = { socketTimeout: 5000, retryStrategy: () => 100, maxRetriesPerRequest: null };

async function untilAcknowledged(request) {
  for (let pause = 50; ; pause = Math.min(2 * pause, 2000)) {
    try {
      return await request();
    } catch (error) {
      if (!PASSING.test(error.message)) throw error;
      console.error(`again in ${pause} ms: ${error.message}`);
    }
    await sleep(pause);
  }
}

// Creates the stream, which remembers a day of messages and the last 10000 of a producer.
async function prepare(client, stream) {
  await client.xgroup('CREATE', stream, 'workers', '0', 'MKSTREAM').catch(error => {
    if (!error.message.startsWith('BUSYGROUP')) throw error;
  });
  // This spelling forgets nothing if the stream is set up like this already.
  await client.call('XCFGSET', stream, 'IDMP-DURATION', 86400, 'IDMP-MAXSIZE', 10000);
}

async function main(address, stream, file) {
  const client = new Redis(`redis://${address}`, PATIENT);
  client.on('error', error => console.error(error.message));
  await untilAcknowledged(() => prepare(client, stream));
  const producer = path.basename(file);
  const note = `${file}.sent`;
  const sent = fs.existsSync(note) ? Number(fs.readFileSync(note, 'utf8')) : 0;
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  for (let number = sent + 1; number <= lines.length; number++) {
    const once = ['IDMP', producer, number];
    const message = ['text', lines[number - 1]];
    const id = await untilAcknowledged(() => client.call('XADD', stream, ...once, '*', ...message));
    console.log(number, id);
    fs.writeFileSync(`${note}.new`, String(number));
    fs.renameSync(`${note}.new`, note);
  }
  await client.quit();
}

main(...process.argv.slice(2)).catch(error => {
  console.error(error);
  process.exit(1);
});
