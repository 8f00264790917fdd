// Stream work through ioredis. usage: ioredis.js PORT [beyond]
'use strict';
const assert = require('node:assert/strict');
const Redis = require('ioredis');

const port = Number(process.argv[2]);
const beyond = process.argv.includes('beyond'); // the server has what Redis has after 8.6

const connect = () => {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => null });
  client.on('error', error => { console.error(error); process.exit(1); });
  return client;
};

const fieldsOf = list => Object.fromEntries(list.flatMap((key, at) => (at % 2 ? [] : [[key, list[at + 1]]])));
const entries = reply => (reply ? reply[0][1] : []);

const works = {
  async appending(client) {
    const ids = [];
    for (let n = 0; n < 5; n++) ids.push(await client.xadd('s', '*', 'n', n));
    assert.equal(await client.xlen('s'), 5);
    assert.deepEqual((await client.xrange('s', '-', '+')).map(([, [, n]]) => n), ['0', '1', '2', '3', '4']);
    assert.deepEqual((await client.xrevrange('s', '+', '-', 'COUNT', 1))[0][0], ids[4]);
    assert.equal(await client.xadd('s', 'MAXLEN', 2, '*', 'n', 5) > ids[4], true);
    assert.equal(await client.xdel('s', ids[4]), 1);
    const info = fieldsOf(await client.xinfo('STREAM', 's'));
    assert.equal(info.length, 1);
    assert.equal(info['entries-added'], 6);
  },

  async pipelines(client) {
    const pipeline = client.pipeline();
    for (let n = 0; n < 500; n++) pipeline.xadd('s', '*', 'n', n);
    const replies = await pipeline.exec();
    assert(replies.every(([error]) => error === null));
    assert.equal(new Set(replies.map(([, id]) => id)).size, 500);
    assert.equal(entries(await client.xread('COUNT', 1000, 'STREAMS', 's', replies[399][1])).length, 100);
  },

  async groups(client) {
    await client.xgroup('CREATE', 's', 'g', '0', 'MKSTREAM');
    const ids = [];
    for (let n = 0; n < 6; n++) ids.push(await client.xadd('s', '*', 'n', n));
    const read = async (consumer, id, ...options) =>
      entries(await client.xreadgroup('GROUP', 'g', consumer, ...options, 'STREAMS', 's', id)).map(([id]) => id);
    assert.deepEqual(await read('alice', '>', 'COUNT', 4), ids.slice(0, 4));
    assert.equal(await client.xack('s', 'g', ids[0]), 1);
    assert.equal((await client.xpending('s', 'g'))[0], 3);
    assert.deepEqual((await client.xpending('s', 'g', '-', '+', 10)).map(([id]) => id), ids.slice(1, 4));
    assert.equal((await client.xclaim('s', 'g', 'bob', 0, ids[1]))[0][0], ids[1]);
    await client.xdel('s', ids[2]);
    const [cursor, claimed, deleted] = await client.xautoclaim('s', 'g', 'bob', 0, '0-0', 'COUNT', 10);
    assert.equal(cursor, '0-0');
    assert.deepEqual(claimed.map(([id]) => id), [ids[1], ids[3]]);
    assert.deepEqual(deleted, [ids[2]]);
    assert.deepEqual(await read('bob', '0'), [ids[1], ids[3]]);
    assert.equal(fieldsOf((await client.xinfo('GROUPS', 's'))[0]).lag, 2);
    assert.deepEqual(await client.xackdel('s', 'g', 'DELREF', 'IDS', 2, ids[1], '9-9'), [1, -1]);
    assert.equal(await client.xgroup('DESTROY', 's', 'g'), 1);
  },

  async blocking(client) {
    const other = connect();
    await other.xgroup('CREATE', 's', 'g', '$', 'MKSTREAM');
    const untilWaiting = async () => {
      const deadline = Date.now() + 20_000;
      while (!/blocked_clients:[1-9]/.test(await other.info('clients'))) {
        assert(Date.now() < deadline, 'the reader does not wait');
        await new Promise(resolve => setTimeout(resolve, 2));
      }
    };
    const read = client.xread('BLOCK', 20_000, 'STREAMS', 's', '$');
    await untilWaiting();
    await other.xadd('s', '*', 'woken', 'yes');
    assert.deepEqual(entries(await read)[0][1], ['woken', 'yes']);
    await client.xreadgroup('GROUP', 'g', 'alice', 'STREAMS', 's', '>');
    const readGroup = client.xreadgroup('GROUP', 'g', 'alice', 'BLOCK', 20_000, 'STREAMS', 's', '>');
    await untilWaiting();
    await other.xadd('s', '*', 'woken', 'too');
    assert.deepEqual(entries(await readGroup)[0][1], ['woken', 'too']);
    assert.equal(await client.xread('BLOCK', 10, 'STREAMS', 's', '$'), null);
    other.disconnect();
  },

  async transactions(client) {
    const replies = await client.multi().xadd('s', '1-1', 'n', 1).xlen('s').set('k', 'v').exec();
    assert.deepEqual(replies, [[null, '1-1'], [null, 1], [null, 'OK']]);
    const other = connect();
    await client.watch('k');
    await other.set('k', 'other');
    assert.equal(await client.multi().set('k', 'mine').exec(), null);
    assert.equal(await client.get('k'), 'other');
    other.disconnect();
  },

  async idempotence(client) {
    const add = (...options) => client.call('XADD', 's', ...options, '*', 'order', '1');
    const first = await add('IDMP', 'p', 'i1');
    assert.equal(await add('IDMP', 'p', 'i1'), first);
    assert.notEqual(await add('IDMP', 'q', 'i1'), first);
    assert.equal(await add('IDMPAUTO', 'p'), await add('IDMPAUTO', 'p'));
    assert.equal(await client.call('XCFGSET', 's', 'IDMP-DURATION', 300), 'OK');
    const info = fieldsOf(await client.xinfo('STREAM', 's'));
    assert.equal(info['iids-duplicates'], 2);
    assert.equal(info['idmp-duration'], 300);
    assert.equal(await client.xlen('s'), 3);
  },

  async strings(client) {
    assert.equal(await client.set('k', 'v', 'EX', 100), 'OK');
    assert.deepEqual(await client.getBuffer('k'), Buffer.from('v'));
    const keys = [];
    for await (const found of client.scanStream({ match: 'k*' })) keys.push(...found);
    assert.deepEqual(keys, ['k']);
    await assert.rejects(client.xadd('k', '*', 'f', 'v'), /WRONGTYPE/);
  },
};

if (beyond) works.beyond = async client => {
  await client.xgroup('CREATE', 's', 'g', '0', 'MKSTREAM');
  const ids = [];
  for (let n = 0; n < 3; n++) ids.push(await client.xadd('s', '*', 'n', n));
  const read = await client.call('XREADGROUP', 'GROUP', 'g', 'alice', 'MAXCOUNT', 2, 'STREAMS', 's', '>');
  // A command that the client does not know comes as RESP3 has it: key and entries in turn.
  assert.equal(read[1].length, 2);
  assert.equal(await client.call('XNACK', 's', 'g', 'FAIL', 'IDS', 1, ids[0]), 1);
  assert.equal(await client.call('XCFGSET', 's', 'DURATION', 300, 'MAXSIZE', 10), 'OK');
};

(async () => {
  for (const [name, work] of Object.entries(works)) {
    const client = connect();
    await client.flushall();
    await work(client);
    await client.quit();
    console.log(`ok ${name}`);
  }
})().catch(error => { console.error(error); process.exit(1); });
