// Stream work through node-redis, in RESP2 and RESP3. usage: node_redis.js PORT [beyond]
'use strict';
const assert = require('node:assert/strict');
const { createClient, ErrorReply, WatchError } = require('redis');

const port = Number(process.argv[2]);
const beyond = process.argv.includes('beyond'); // the server has what Redis has after 8.6

const connect = async RESP => {
  const client = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: false }, RESP });
  client.on('error', error => { console.error(error); process.exit(1); });
  return client.connect();
};

const messages = reply => {
  if (!reply) return [];
  assert.equal(reply.length, 1);
  return reply[0].messages;
};

const works = {
  async appending(client) {
    const ids = [];
    for (let n = 0; n < 5; n++) ids.push(await client.xAdd('s', '*', { n: String(n) }));
    assert.equal(await client.xLen('s'), 5);
    assert.deepEqual((await client.xRange('s', '-', '+')).map(({ message }) => message.n), ['0', '1', '2', '3', '4']);
    assert.deepEqual((await client.xRevRange('s', '+', '-', { COUNT: 1 }))[0].id, ids[4]);
    assert.equal(await client.xDel('s', ids.slice(0, 2)), 2);
    assert.equal(await client.xTrim('s', 'MAXLEN', 1), 2);
    const info = await client.xInfoStream('s');
    assert.equal(info.length, 1);
    assert.equal(info['entries-added'], 5);
  },

  async pipelines(client) {
    const ids = await Promise.all(Array.from({ length: 500 }, (_, n) => client.xAdd('s', '*', { n: String(n) })));
    assert.equal(new Set(ids).size, 500);
    assert.equal(messages(await client.xRead({ key: 's', id: ids[399] }, { COUNT: 1000 })).length, 100);
  },

  async groups(client) {
    await client.xGroupCreate('s', 'g', '0', { MKSTREAM: true });
    const ids = [];
    for (let n = 0; n < 6; n++) ids.push(await client.xAdd('s', '*', { n: String(n) }));
    const read = async (consumer, id, options) => messages(await client.xReadGroup('g', consumer, { key: 's', id }, options));
    assert.deepEqual((await read('alice', '>', { COUNT: 4 })).map(({ id }) => id), ids.slice(0, 4));
    assert.equal(await client.xAck('s', 'g', ids[0]), 1);
    assert.equal((await client.xPending('s', 'g')).pending, 3);
    const pending = await client.xPendingRange('s', 'g', '-', '+', 10);
    assert.deepEqual(pending.map(({ id, consumer }) => [id, consumer]), ids.slice(1, 4).map(id => [id, 'alice']));
    assert.equal((await client.xClaim('s', 'g', 'bob', 0, ids[1]))[0].id, ids[1]);
    await client.xDel('s', ids[2]);
    const claimed = await client.xAutoClaim('s', 'g', 'bob', 0, '0-0', { COUNT: 10 });
    assert.deepEqual(claimed.messages.map(({ id }) => id), [ids[1], ids[3]]);
    assert.deepEqual(claimed.deletedMessages, [ids[2]]);
    assert.deepEqual((await read('bob', '0')).map(({ id }) => id), [ids[1], ids[3]]);
    const [group] = await client.xInfoGroups('s');
    assert.equal(group.name, 'g');
    assert.equal(group.lag, 2);
    assert.equal((await client.xInfoConsumers('s', 'g')).length, 2);
    assert.deepEqual(await client.xAckDel('s', 'g', [ids[1], '9-9'], 'DELREF'), [1, -1]);
    assert.deepEqual(await client.xDelEx('s', ids[4], 'ACKED'), [2]);
    assert.equal(await client.xGroupDestroy('s', 'g'), 1);
  },

  async blocking(client, RESP) {
    const other = await connect(RESP);
    await other.xGroupCreate('s', 'g', '$', { MKSTREAM: true });
    const untilWaiting = async () => {
      const deadline = Date.now() + 20_000;
      while (!/blocked_clients:[1-9]/.test(await other.info('clients'))) {
        assert(Date.now() < deadline, 'the reader does not wait');
        await new Promise(resolve => setTimeout(resolve, 2));
      }
    };
    const read = client.xRead({ key: 's', id: '$' }, { BLOCK: 20_000 });
    await untilWaiting();
    await other.xAdd('s', '*', { woken: 'yes' });
    assert.equal(messages(await read)[0].message.woken, 'yes');
    await client.xReadGroup('g', 'alice', { key: 's', id: '>' });
    const readGroup = client.xReadGroup('g', 'alice', { key: 's', id: '>' }, { BLOCK: 20_000, COUNT: 5 });
    await untilWaiting();
    await other.xAdd('s', '*', { woken: 'too' });
    assert.equal(messages(await readGroup)[0].message.woken, 'too');
    assert.equal(await client.xRead({ key: 's', id: '$' }, { BLOCK: 10 }), null);
    await other.close();
  },

  async transactions(client, RESP) {
    const replies = await client.multi().xAdd('s', '1-1', { n: '1' }).xLen('s').set('k', 'v').exec();
    assert.deepEqual(replies, ['1-1', 1, 'OK']);
    const other = await connect(RESP);
    await client.watch('k');
    await other.set('k', 'other');
    await assert.rejects(client.multi().set('k', 'mine').exec(), WatchError);
    assert.equal(await client.get('k'), 'other');
    await other.close();
  },

  async idempotence(client) {
    const add = (pid, iid) => client.xAdd('s', '*', { order: '1' }, { IDMP: { pid, iid } });
    const first = await add('p', 'i1');
    assert.equal(await add('p', 'i1'), first);
    assert.notEqual(await add('q', 'i1'), first);
    const auto = fields => client.xAdd('s', '*', fields, { IDMPAUTO: { pid: 'p' } });
    assert.equal(await auto({ a: '1', b: '2' }), await auto({ b: '2', a: '1' }));
    assert.equal(await client.xCfgSet('s', { IDMP_DURATION: 300, IDMP_MAXSIZE: 1000 }), 'OK');
    const info = await client.xInfoStream('s');
    assert.equal(info['iids-duplicates'], 2);
    assert.equal(info['idmp-duration'], 300);
    assert.equal(await client.xLen('s'), 3);
  },

  async strings(client) {
    assert.equal(await client.set('k', 'v', { EX: 100, GET: true }), null);
    assert((await client.ttl('k')) > 0);
    assert.deepEqual(await client.mGet(['k', 'x']), ['v', null]);
    const keys = [];
    for await (const found of client.scanIterator({ TYPE: 'string' })) keys.push(...[found].flat());
    assert.deepEqual(keys, ['k']);
    await assert.rejects(client.xAdd('k', '*', { f: 'v' }), ErrorReply);
  },
};

if (beyond) works.beyond = async client => {
  await client.xGroupCreate('s', 'g', '0', { MKSTREAM: true });
  const ids = [];
  for (let n = 0; n < 3; n++) ids.push(await client.xAdd('s', '*', { n: String(n) }));
  const read = options => client.xReadGroup('g', 'alice', { key: 's', id: '>' }, options);
  assert.equal(messages(await read({ MAXCOUNT: 2, MAXSIZE: 1_000_000 })).length, 2);
  assert.equal(await client.xNack('s', 'g', 'FAIL', ids[0]), 1);
  assert.equal(messages(await client.xRead({ key: 's', id: '0' }, { MAXCOUNT: 1 })).length, 1);
};

(async () => {
  for (const RESP of [2, 3]) {
    for (const [name, work] of Object.entries(works)) {
      const client = await connect(RESP);
      await client.flushAll();
      await work(client, RESP);
      await client.close();
      console.log(`ok RESP${RESP} ${name}`);
    }
  }
})().catch(error => { console.error(error); process.exit(1); });
