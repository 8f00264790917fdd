// Prices orders, as one of several workers. No line here looks after workers that crash.
//
// usage: npm run build && node built/worker.js HOST:PORT STREAM CONSUMER
//
// The group does that: what a worker has held for too long goes to whoever reads next, and what
// was tried too often to the stream STREAM:dead. redrive.ts brings it back from there.
import { createClient, type RedisClientType } from 'redis';

const GROUP = 'workers';
const RULES = ['CLAIM', '1000', 'MAXDELIVERIES', '3'];

async function prepare(client: RedisClientType, stream: string): Promise<void> {
  for (const name of [stream, `${stream}:done`]) {
    await client.xGroupCreate(name, GROUP, '0', { MKSTREAM: true }).catch((error: Error) => {
      if (!error.message.startsWith('BUSYGROUP')) throw error;
    });
  }
  const dead = ['DEADLETTER', `${stream}:dead`];
  await client.sendCommand(['XGROUP', 'SETCFG', stream, GROUP, ...RULES, ...dead]);
  await client.xCfgSet(`${stream}:done`, { IDMP_DURATION: 86400, IDMP_MAXSIZE: 10000 });
}

type Order = Record<string, string>;

async function work(
  client: RedisClientType, stream: string, id: string, order: Order,
): Promise<void> {
  const price = await client.get(`price:${order.item}`);
  if (price === null) throw new RangeError(`no price for ${order.item}`);
  // One transaction, and the order's ID as the result's: a second worker's result is the same one.
  await client.multi()
    .xAdd(`${stream}:done`, '*', { ...order, price }, { IDMP: { pid: GROUP, iid: id } })
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
    const read = await client.xReadGroup(GROUP, consumer, from, { COUNT: 10, BLOCK: 1000 });
    for (const { messages } of read ?? []) {
      for (const { id, message } of messages) {
        await work(client, stream, id, message).catch(error => {
          if (!(error instanceof RangeError)) throw error;
          // It is not acknowledged, so it comes again, or goes to the dead letters.
          console.error(`${id}: ${error.message}`);
        });
      }
    }
  }
}

const [address, stream, consumer] = process.argv.slice(2);
await main(address, stream, consumer);
