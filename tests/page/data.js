// What a shop's server holds: streams with groups that are behind, producers that retry, and keys
// of every type, some of them with names and values that try to be more than text.

const SCRIPT = `<img src=x onerror="alert('value')"><script>alert(1)</script>`;

/** {"order": 7, "paid": true} in MessagePack. */
const PACKED = Buffer.from("82a56f7264657207a470616964c3", "hex");

const ITEMS = ["tea", "milk", "bread", "honey", "apples", "oat cakes"];

async function fill(client) {
  const now = Date.now();
  const sent = [];
  const send = (...words) => void sent.push(client.ask(...words));
  send("XGROUP CREATE orders kitchen 0 MKSTREAM");
  send("XGROUP CREATE orders billing 0");
  send("XCFGSET orders IDMP-MAXSIZE 40 IDMP-DURATION 600 IDMP-STATS ON");
  for (let n = 0; n < 240; n += 1) {
    const item = ITEMS[n % ITEMS.length];
    const json = `{"order":${1000 + n},"item":"${item}","total":${(n % 37) + 0.95},"paid":${n % 3 === 0},"lines":[{"sku":"A-${n}","n":${(n % 4) + 1}}]}`;
    const till = `till-${(n % 5) + 1}`;
    const wait = n % 5 === 4 ? `slow-${n}` : `sale-${n}`;
    send("XADD", "orders", "IDMP", till, wait, "*", "item", item, "body", json);
    if (n % 6 === 0) send("XADD", "orders", "IDMP", till, wait, "*", "item", item, "body", json);
  }
  send("XADD", "orders", "IDMP", "till-1", "packed", "*", "packed", PACKED, "raw", Buffer.from([0xff, 0, 1, 2]));
  for (const [consumer, count] of [["ann", 40], ["bob", 25], ["carl", 12]]) {
    send("XREADGROUP", "GROUP", "kitchen", consumer, "COUNT", count, "STREAMS", "orders", ">");
  }
  send("XREADGROUP GROUP billing ledger COUNT 200 STREAMS orders >");
  await Promise.all(sent.splice(0));
  const pending = await client.ask("XPENDING", "orders", "kitchen", "-", "+", "30");
  for (const [n, [id]] of pending.entries()) {
    for (let again = 0; again < n % 7; again += 1) send("XCLAIM", "orders", "kitchen", "bob", 0, id, "JUSTID", "RETRYCOUNT", n % 12);
  }
  send("XACK", "orders", "kitchen", ...pending.slice(0, 4).map(([id]) => id));
  for (const [name, length] of [["payments", 900], ["shipments", 320], ["telemetry:north", 2500], ["telemetry:south", 1800], ["audit", 60]]) {
    for (let n = 0; n < length; n += 1) {
      send("XADD", name, `${now - (length - n) * 1000}-0`, "n", n, "state", n % 9 === 0 ? "late" : "fine");
    }
    if (length < 1000) send("XGROUP", "CREATE", name, "workers", "0");
  }
  for (let n = 0; n < 30; n += 1) send("XADD", "payments", "IDMP", "gateway", `p-${n % 20}`, "*", "amount", n);
  for (const minutes of [1, 15, 90, 3000]) send("XADD", "orders", "DELAY", minutes * 60_000, "*", "remind", "till-2", "order", 1000 + minutes);
  send("XGROUP SETCFG orders kitchen CLAIM 600000 MAXDELIVERIES 12 DEADLETTER orders:dead BACKOFF 1000 60000");
  send("XADD", "empty-soon", "1-1", "a", "b");
  send("XDEL empty-soon 1-1");
  send("SET", "session:81", `{"user":"ann","roles":["cook","till"],"id":12345678901234567890}`, "EX", 3600);
  send("HSET", "user:7", "name", "Ann", "mail", "ann@example.org", "script", SCRIPT);
  send("RPUSH", "jobs", "first", "second", SCRIPT);
  send("SADD", "tags", "red", "green", PACKED);
  send("ZADD", "scores", 10, "ann", 7.5, "bob");
  // Names that would be elements if they were not text.
  send("XADD", SCRIPT, "*", SCRIPT, SCRIPT);
  send("XGROUP", "CREATE", SCRIPT, SCRIPT, "0");
  send("XREADGROUP", "GROUP", SCRIPT, SCRIPT, "STREAMS", SCRIPT, ">");
  send("XADD", SCRIPT, "IDMP", SCRIPT, "1", "*", "a", "b");
  send("CONFIG SET slowlog-log-slower-than 0");
  await Promise.all(sent);
}

module.exports = { SCRIPT, fill };
