// Sends each line of a file as a message, until every one of them is in the stream, exactly once.
//
// usage: node producer.js HOST:PORT STREAM FILE        (npm install redis)
//
// The file's name is the producer's ID, and the number of a line its idempotent ID: both are the
// same after a crash. FILE.sent has how many lines are acknowledged; a restart goes on from there.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { createClient, ErrorReply } = require('redis');

// Errors that pass: nothing is known to be stored, so sending again is right.
const PASSING = /^(NOTDURABLE|MISCONF|LOADING|OOM) /;
const passes = error => !(error instanceof ErrorReply) || PASSING.test(error.message);

async function untilAcknowledged(request) {
  for (let pause = 50; ; pause = Math.min(2 * pause, 2000)) {
    try {
      return await request();
    } catch (error) {
      if (!passes(error)) throw error;
      console.error(`again in ${pause} ms: ${error.message}`);
    }
    await sleep(pause);
  }
}

// Creates the stream, which remembers a day of messages and the last 10000 of a producer.
async function prepare(client, stream) {
  await client.xGroupCreate(stream, 'workers', '0', { MKSTREAM: true }).catch(error => {
    if (!error.message.startsWith('BUSYGROUP')) throw error;
  });
  // The client sends IDMP-DURATION and IDMP-MAXSIZE, which forget nothing if they are set already.
  await client.xCfgSet(stream, { IDMP_DURATION: 86400, IDMP_MAXSIZE: 10000 });
}

async function main(address, stream, file) {
  const socket = { socketTimeout: 5000, reconnectStrategy: () => 100 };
  const client = createClient({ url: `redis://${address}`, socket });
  client.on('error', error => console.error(error.message));
  await client.connect();
  await untilAcknowledged(() => prepare(client, stream));
  const producer = path.basename(file);
  const note = `${file}.sent`;
  const sent = fs.existsSync(note) ? Number(fs.readFileSync(note, 'utf8')) : 0;
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  for (let number = sent + 1; number <= lines.length; number++) {
    const message = { text: lines[number - 1] };
    const IDMP = { pid: producer, iid: String(number) };
    const id = await untilAcknowledged(() => client.xAdd(stream, '*', message, { IDMP }));
    console.log(number, id);
    fs.writeFileSync(`${note}.new`, String(number));
    fs.renameSync(`${note}.new`, note);
  }
  await client.close();
}

main(...process.argv.slice(2)).catch(error => {
  console.error(error);
  process.exit(1);
});
