// Calls a service that may be down. A call that failed is the group's to repeat, later each time.
//
// usage: npm run build && node built/backoff.js HOST:PORT STREAM CONSUMER
//
// The group gives a job that came back again after 0.1 s, then 0.2 s, and so on, and one whose
// caller was killed after half a second. Consumers that are gone for good leave the list by
// themselves.
import { createClient, type RedisClientType } from 'redis';

const GROUP = 'callers';
const RULES = ['CLAIM', '500', 'BACKOFF', '100', '2000', 'JITTER', '20', 'IDLECONSUMERS', '2000'];

type Job = Record<string, string>;

async function prepare(client: RedisClientType, stream: string): Promise<void> {
  for (const name of [stream, `${stream}:done`]) {
    await client.xGroupCreate(name, GROUP, '0', { MKSTREAM: true }).catch((error: Error) => {
      if (!error.message.startsWith('BUSYGROUP')) throw error;
    });
  }
  await client.sendCommand(['XGROUP', 'SETCFG', stream, GROUP, ...RULES]);
}

// Stands for the service, which is down for the first calls of some jobs.
async function call(client: RedisClientType, job: Job): Promise<boolean> {
  return await client.incr(`calls:${job.job}`) > Number(job.down);
}

async function attempt(
  client: RedisClientType, stream: string, id: string, job: Job,
): Promise<void> {
  if (!await call(client, job)) {
    await client.sendCommand(['XNACK', stream, GROUP, 'FAIL', 'IDS', '1', id]);
    return;
  }
  await client.multi()
    .xAdd(`${stream}:done`, '*', { job: job.job }, { IDMP: { pid: GROUP, iid: id } })
    .xAck(stream, GROUP, id)
    .exec();
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
