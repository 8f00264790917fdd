// Sends each line of a file as a message, exactly once, and keeps no note of where it is.
//
// usage: npm run build && node built/resume.js HOST:PORT STREAM FILE
//
// The number of a line is its idempotent ID, and the file's name the producer's ID. The stream
// knows the last number of each producer for as long as it exists. So after a crash, or after any
// error that passes, the program asks where it stands, and goes on behind that.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, ErrorReply, type RedisClientType } from 'redis';

// Errors that pass: nothing is known to be stored.
const PASSING = /^(NOTDURABLE|MISCONF|LOADING|OOM) /;

async function prepare(client: RedisClientType, stream: string): Promise<void> {
  await client.xGroupCreate(stream, 'workers', '0', { MKSTREAM: true }).catch((error: Error) => {
    if (!error.message.startsWith('BUSYGROUP')) throw error;
  });
  // Where this is set already, it changes nothing. With gaps refused, no line can be left out.
  await client.sendCommand(['XCFGSET', stream, 'IDMP-MODE', 'MONOTONE', 'IDMP-GAPS', 'ERROR']);
}

async function send(client: RedisClientType, stream: string, file: string): Promise<void> {
  await prepare(client, stream);
  const pid = basename(file);
  const last = await client.sendCommand<[string, string] | null>(['XIDMPLAST', stream, pid]);
  const sent = last ? Number(last[0]) : 0;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  for (const [index, text] of lines.entries()) {
    const number = index + 1;
    if (number <= sent) continue;
    await client.xAdd(stream, '*', { text }, { IDMP: { pid, iid: String(number) } });
    console.log(number);
  }
}

async function main(address: string, stream: string, file: string): Promise<void> {
  const socket = { socketTimeout: 5000, reconnectStrategy: () => 100 };
  const client: RedisClientType = createClient({ url: `redis://${address}`, socket });
  client.on('error', (error: Error) => console.error(error.message));
  await client.connect();
  for (;;) {
    try {
      await send(client, stream, file);
      return await client.close();
    } catch (error) {
      if (error instanceof ErrorReply && !PASSING.test(error.message)) throw error;
      console.error(`again: ${error}`);
      await sleep(100);
    }
  }
}

const [address, stream, file] = process.argv.slice(2);
await main(address, stream, file);
