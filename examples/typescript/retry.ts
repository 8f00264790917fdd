// Calls a service that may be down, and tries again later: after 0.2 s, then 0.4 s, and so on.
//
// usage: npm run build && node built/retry.js HOST:PORT STREAM CONSUMER
//
// The retry is there before the attempt: an entry that comes into the stream when its time has
// come, and is taken back if the attempt was good. So it comes as well if the program, or the
// machine, is gone in the middle; nobody has to look for what was left.
import { createClient, type RedisClientType } from 'redis';

const GROUP = 'callers';
// Longer than a call takes, or a job is tried again while it is still worked on.
const FIRST_PAUSE_MS = 200;

type Job = Record<string, string>;

async function prepare(client: RedisClientType, stream: string): Promise<void> {
  for (const name of [stream, `${stream}:done`]) {
    await client.xGroupCreate(name, GROUP, '0', { MKSTREAM: true }).catch((error: Error) => {
      if (!error.message.startsWith('BUSYGROUP')) throw error;
    });
  }
  // For jobs that were read when a program was killed, and not yet put off.
  await client.sendCommand(['XGROUP', 'SETCFG', stream, GROUP, 'CLAIM', '500']);
}

// Stands for the service, which is down for the first attempts of some jobs.
async function call(job: Job, tried: number): Promise<boolean> {
  return tried >= Number(job.down);
}

async function attempt(
  client: RedisClientType, stream: string, id: string, job: Job,
): Promise<void> {
  const tried = Number(job.tried ?? 0);
  const later = Object.entries({ ...job, tried: String(tried + 1) }).flat();
  const once = ['IDMP', GROUP, id, 'DELAY', String(FIRST_PAUSE_MS << tried)];
  const [ticket, acknowledged] = await client.multi()
    .addCommand(['XADD', stream, ...once, '*', ...later])
    .xAck(stream, GROUP, id)
    .exec();
  // Who acknowledges a job has it: another one may have claimed it meanwhile.
  if (acknowledged && await call(job, tried)) {
    await client.multi()
      .xAdd(`${stream}:done`, '*', { job: job.job }, { IDMP: { pid: GROUP, iid: job.job } })
      .addCommand(['XUNDELAY', stream, String(ticket)])
      .exec();
  }
}

async function main(address: string, stream: string, consumer: string): Promise<void> {
  const client: RedisClientType = createClient({ url: `redis://${address}` });
  client.on('error', (error: Error) => console.error(error.message));
  await client.connect();
  await prepare(client, stream);
  for (;;) {
    const from = { key: stream, id: '>' };
    const read = await client.xReadGroup(GROUP, consumer, from, { COUNT: 1, BLOCK: 1000 });
    for (const { messages } of read ?? []) {
      for (const { id, message } of messages) await attempt(client, stream, id, message);
    }
  }
}

const [address, stream, consumer] = process.argv.slice(2);
await main(address, stream, consumer);
