// Keys of any type, to look at.

import { useEffect, useState } from "preact/hooks";
import { Fault, type Key, type KeyValue, type Text, address, get, query, segment, shown } from "../api";
import { exact, bytes as inBytes, plural, span } from "../format";
import { usePoll } from "../live";
import { streamPlace } from "../router";
import { Card, Empty, Icon, Loading, Name, Search, Table, Trouble } from "../ui";
import { Value } from "./value";

const TYPES = ["string", "list", "set", "zset", "hash", "stream"];
const PAGE = 100;
/** Pages without a key that are passed over before the user is asked. */
const EMPTY_PAGES_MAX = 50;

export function Keys({ db, chosen }: { db: number; chosen: Text | undefined }) {
  return chosen === undefined ? <KeyList db={db} /> : <KeyView db={db} name={chosen} />;
}

function KeyList({ db }: { db: number }) {
  const [filter, setFilter] = useState("");
  const [type, setType] = useState("");
  const [keys, setKeys] = useState<Key[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const pattern = filter === "" || /[*?[\\]/.test(filter) ? filter : `*${filter}*`;
  const ask = async (from: string | null, kept: Key[], signal?: AbortSignal) => {
    setBusy(true);
    try {
      let [found, next, pages] = [kept, from, 0];
      do {
        const parameters = { db, match: pattern, type, count: PAGE, cursor: next };
        const page = await get<{ keys: Key[]; cursor: string | null }>(`/keys${query(parameters)}`, signal);
        found = [...found, ...page.keys];
        next = page.cursor;
        pages += 1;
      } while (found.length < kept.length + PAGE && next !== null && pages < EMPTY_PAGES_MAX);
      setKeys(found);
      setCursor(next);
      setFault(null);
    } catch (error) {
      if (signal?.aborted) return;
      setFault(error instanceof Fault ? error : new Fault("unknown", String(error)));
    }
    setBusy(false);
  };
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => void ask(null, [], abort.signal), filter ? 250 : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [db, pattern, type]);
  return (
    <>
      <div class="title">
        <h1>Keys</h1>
        <Search value={filter} label="Filter: user, or user:*" onInput={setFilter} />
        <label class="inline">
          Type{" "}
          <select value={type} onChange={(event) => setType(event.currentTarget.value)}>
            <option value="">any</option>
            {TYPES.map((type) => (
              <option key={type}>{type}</option>
            ))}
          </select>
        </label>
      </div>
      {fault && fault.code !== "offline" && <Trouble fault={fault} />}
      {keys === null && !fault && <Loading what="keys" />}
      {keys && (
        <Card class="list">
          {keys.length === 0 ? (
            <Empty title={filter || type ? "No key fits" : "There are no keys"}>
              {cursor && <p>The keyspace is large: it was searched in part only.</p>}
            </Empty>
          ) : (
            <Table label="Keys">
              <thead>
                <tr>
                  <th scope="col">Key</th>
                  <th scope="col">Type</th>
                  <th scope="col" class="number">Expires</th>
                </tr>
              </thead>
              <tbody>
                {keys.map((key) => (
                  <tr key={segment(key.name)}>
                    <td>
                      <a data-row href={key.kind === "stream" ? streamPlace(db, key.name) : `#/keys/${db}/${segment(key.name)}`}>
                        <Name text={key.name} />
                      </a>
                    </td>
                    <td>
                      <span class="badge">{key.kind}</span>
                    </td>
                    <td class={`number ${key.expires_in_ms === null ? "faint" : ""}`}>
                      {key.expires_in_ms === null ? "never" : `in ${span(key.expires_in_ms)}`}
                    </td>
                  </tr>
                ))}
              </tbody>
            </Table>
          )}
          <footer class="more">
            <span class="faint">{exact(keys.length)} shown</span>
            {cursor && (
              <button type="button" disabled={isBusy} onClick={() => void ask(cursor, keys)}>
                {isBusy ? "Searching…" : "Show more"}
              </button>
            )}
          </footer>
        </Card>
      )}
    </>
  );
}

function KeyView({ db, name }: { db: number; name: Text }) {
  const { data, fault, reload } = usePoll<KeyValue>(address("/keys/{key}", { key: name }, { db }), 2000);
  const label = (of: KeyValue["elements"][number]) => (of.score === null ? of.field : String(of.score));
  const hasFields = data?.elements.some((of) => label(of) !== null);
  return (
    <>
      <p class="trail">
        <a href="#/keys">Keys</a> <Icon name="right" />
        {db > 0 && <span class="badge">db {db}</span>}
      </p>
      <div class="title">
        <h1>
          <Name text={name} />
        </h1>
        {data && <span class="badge">{data.kind}</span>}
      </div>
      {fault && fault.code !== "offline" && <Trouble fault={fault} retry={reload} />}
      {!data && !fault && <Loading what={shown(name)} />}
      {data && (
        <Card
          title={data.kind === "string" ? inBytes(data.length) : plural(data.length, "element")}
          aside={[
            data.encoding,
            data.bytes === null ? null : `${inBytes(data.bytes)} of memory`,
            data.expires_in_ms === null ? "does not expire" : `expires in ${span(data.expires_in_ms)}`,
          ]
            .filter(Boolean)
            .join(", ")}
        >
          {data.kind === "stream" ? (
            <p>
              <a href={streamPlace(db, data.name)}>Look at it as a stream</a>
            </p>
          ) : (
            <dl class={hasFields ? "elements pairs" : "elements"}>
              {data.elements.map((of, index) => (
                <div key={index}>
                  {label(of) !== null && (
                    <dt>
                      <Name text={label(of) ?? ""} />
                    </dt>
                  )}
                  <dd>
                    <Value text={of.value} />
                  </dd>
                </div>
              ))}
            </dl>
          )}
          {data.elements.length < data.length && data.kind !== "string" && data.kind !== "stream" && (
            <p class="faint">The first {exact(data.elements.length)} of {exact(data.length)} are shown.</p>
          )}
        </Card>
      )}
    </>
  );
}
