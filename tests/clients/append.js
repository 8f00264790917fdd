// Appends one message without an idempotent ID, as the client does it by itself.
// usage: append.js PORT ioredis|redis
'use strict';
const [port, library] = process.argv.slice(2);

async function withRedis() {
  const client = require('redis').createClient({ url: `redis://127.0.0.1:${port}` });
  client.on('error', () => {});
  await client.connect();
  await client.xAdd('s', '*', { f: 'v' });
}

async function withIoredis() {
  const Redis = require('ioredis');
  const client = new Redis({ port, host: '127.0.0.1' });
  client.on('error', () => {});
  await client.xadd('s', '*', 'f', 'v');
}

// The clients go on connecting, so the program ends itself.
(library === 'redis' ? withRedis() : withIoredis())
  .then(
    () => console.log('acknowledged'),
    error => console.log(`lost: ${error.message}`),
  )
  .finally(() => process.exit());
