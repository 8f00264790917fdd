// All streams: sorted and filtered on the server, of which only what is seen is asked for.

import { useEffect, useRef, useState } from "preact/hooks";
import { Fault, type StreamRow, type Streams, get, query, shown } from "../api";
import { ago, bytes, count, exact, isTime, plural, rate } from "../format";
import { useLive } from "../live";
import { streamPlace } from "../router";
import { Card, Code, Empty, Icon, Loading, Name, Search, Spark, Trouble } from "../ui";

const ROW_HEIGHT = 44;
const PAGE = 100;
const REFRESH_MS = 2000;
/** Rows above and below what is seen. */
const MARGIN = 8;
/** Samples of a stream's counter. */
const SAMPLES = 30;

const COLUMNS: { sort?: string; name: string; style: string }[] = [
  { sort: "name", name: "Stream", style: "wide" },
  { name: "Added a second", style: "rate" },
  { sort: "length", name: "Entries", style: "number" },
  { sort: "bytes", name: "Memory", style: "number" },
  { sort: "lag", name: "To read", style: "number" },
  { sort: "pending", name: "Pending", style: "number" },
  { sort: "duplicates", name: "Duplicates", style: "number" },
  { sort: "last", name: "Last entry", style: "number" },
];

/** What a stream's counter of entries was, for as long as the page is open. */
const counters = new Map<string, { at: number; added: number }[]>();
const COUNTERS_MAX = 5000;

function note(row: StreamRow, at: number): void {
  const key = JSON.stringify([row.db, row.name]);
  const samples = counters.get(key) ?? [];
  const last = samples.at(-1);
  if (last && (at - last.at < 500 || row.added < last.added)) {
    if (row.added < last.added) counters.set(key, [{ at, added: row.added }]);
    return;
  }
  counters.delete(key);
  counters.set(key, [...samples.slice(-SAMPLES), { at, added: row.added }]);
  if (counters.size > COUNTERS_MAX) {
    const [oldest] = counters.keys();
    if (oldest !== undefined) counters.delete(oldest);
  }
}

function rates(row: StreamRow): number[] {
  const samples = counters.get(JSON.stringify([row.db, row.name])) ?? [];
  return samples.slice(1).map((sample, index) => {
    const before = samples[index] ?? sample;
    return ((sample.added - before.added) * 1000) / Math.max(sample.at - before.at, 1);
  });
}

export function StreamsView() {
  const [sort, setSort] = useState("bytes");
  const [isReverse, setReverse] = useState(false);
  const [filter, setFilter] = useState("");
  const [pattern, setPattern] = useState("");
  const [pages, setPages] = useState<Map<number, StreamRow[]>>(new Map());
  const [total, setTotal] = useState<number | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [seen, setSeen] = useState({ first: 0, last: 30 });
  const { returns } = useLive();
  const body = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const timer = setTimeout(() => {
      // What has no pattern in it is looked for anywhere in a name.
      setPattern(filter === "" || /[*?[\\]/.test(filter) ? filter : `*${filter}*`);
    }, 200);
    return () => clearTimeout(timer);
  }, [filter]);

  const question = query({ sort, reverse: isReverse || null, match: pattern, count: PAGE });
  useEffect(() => {
    setPages(new Map());
    if (body.current) body.current.scrollTop = 0;
  }, [question]);

  const firstPage = Math.floor(seen.first / PAGE);
  const lastPage = Math.floor(Math.max(seen.last, seen.first) / PAGE);
  useEffect(() => {
    const abort = new AbortController();
    let timer: number | undefined;
    const load = async () => {
      try {
        if (!document.hidden) {
          for (let page = firstPage; page <= lastPage; page += 1) {
            const path = `/streams${question}&cursor=${page * PAGE}`;
            const found = await get<Streams>(path, abort.signal);
            const at = Date.now() - found.age_seconds * 1000;
            for (const row of found.streams) note(row, at);
            setTotal(found.total);
            setPages((before) => new Map(before).set(page, found.streams));
          }
          setFault(null);
        }
      } catch (error) {
        if (abort.signal.aborted) return;
        setFault(error instanceof Fault ? error : new Fault("unknown", String(error)));
      }
      timer = window.setTimeout(load, REFRESH_MS);
    };
    timer = window.setTimeout(load, pages.has(firstPage) ? 60 : 0);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [question, firstPage, lastPage, returns]);

  const scrolled = () => {
    const element = body.current;
    if (!element) return;
    const first = Math.max(0, Math.floor(element.scrollTop / ROW_HEIGHT) - MARGIN);
    const rows = Math.ceil(element.clientHeight / ROW_HEIGHT) + 2 * MARGIN;
    const last = Math.min(first + rows, Math.max((total ?? 1) - 1, 0));
    if (first !== seen.first || last !== seen.last) setSeen({ first, last });
  };
  useEffect(scrolled, [total, question]);

  const sortBy = (by: string) => {
    if (by === sort) return setReverse(!isReverse);
    setSort(by);
    setReverse(false);
  };
  const rows: { index: number; row: StreamRow | undefined }[] = [];
  for (let index = seen.first; index <= Math.min(seen.last, (total ?? 0) - 1); index += 1) {
    rows.push({ index, row: pages.get(Math.floor(index / PAGE))?.[index % PAGE] });
  }
  return (
    <>
      <div class="title">
        <h1>Streams</h1>
        {total !== null && <span class="faint">{exact(total)}</span>}
        <Search value={filter} label="Filter: order, or order:*" onInput={setFilter} />
      </div>
      {fault && fault.code !== "offline" && <Trouble fault={fault} />}
      {total === 0 && pattern === "" ? (
        <Card>
          <Empty title="There is no stream yet">
            <p>Append an entry, and the stream is there:</p>
            <Code text="redis-cli XADD orders '*' item tea" />
          </Empty>
        </Card>
      ) : total === 0 ? (
        <Card>
          <Empty title="No stream fits the filter">
            <p>
              <button type="button" onClick={() => setFilter("")}>
                Show all streams
              </button>
            </p>
          </Empty>
        </Card>
      ) : total === null && !fault ? (
        <Loading what="streams" />
      ) : (
        <Card class="list">
          <div class="grid streams" role="table" aria-label="Streams" aria-rowcount={(total ?? 0) + 1}>
            <div class="head" role="row">
              {COLUMNS.map((column) => (
                <div
                  key={column.name}
                  role="columnheader"
                  class={column.style}
                  aria-sort={column.sort !== sort ? undefined : isReverse === (sort !== "name") ? "ascending" : "descending"}
                >
                  {column.sort ? (
                    <button type="button" onClick={() => sortBy(column.sort ?? sort)}>
                      {column.name}
                      {column.sort === sort && <span aria-hidden="true">{isReverse === (sort !== "name") ? " ↑" : " ↓"}</span>}
                    </button>
                  ) : (
                    column.name
                  )}
                </div>
              ))}
            </div>
            <div class="body" role="rowgroup" ref={body} onScroll={scrolled} tabIndex={0} aria-label="Rows">
              <div class="space" role="presentation" style={{ height: `${(total ?? 0) * ROW_HEIGHT}px` }}>
                {rows.map(({ index, row }) => (
                  <div
                    key={index}
                    class="row"
                    role="row"
                    aria-rowindex={index + 2}
                    style={{ transform: `translateY(${index * ROW_HEIGHT}px)` }}
                  >
                    {row ? <Row row={row} /> : <div role="cell" class="wide faint">…</div>}
                  </div>
                ))}
              </div>
            </div>
          </div>
        </Card>
      )}
    </>
  );
}

function Row({ row }: { row: StreamRow }) {
  const curve = rates(row);
  const latest = curve.at(-1) ?? 0;
  return (
    <>
      <div role="cell" class="wide">
        <a data-row href={streamPlace(row.db, row.name)}>
          <Name text={row.name} />
        </a>
        {row.db > 0 && <span class="badge">db {row.db}</span>}
      </div>
      <div role="cell" class="rate">
        <Spark values={curve} label={`${rate(latest)} a second in ${shown(row.name)}`} />
        <span>{rate(latest)}</span>
      </div>
      <div role="cell" class="number" data-label="entries" title={exact(row.length)}>
        {count(row.length)}
      </div>
      <div role="cell" class="number" data-label="memory">
        {bytes(row.bytes)}
      </div>
      <div role="cell" class={`number ${row.lag ? "" : "faint"}`} data-label="to read" title={plural(row.groups, "group")}>
        {row.groups > 0 ? count(row.lag) : "–"}
      </div>
      <div role="cell" class={`number ${row.pending ? "" : "faint"}`} data-label="pending">
        {row.groups > 0 ? count(row.pending) : "–"}
      </div>
      <div role="cell" class={`number ${row.duplicates ? "good" : "faint"}`} data-label="duplicates">
        {row.iids > 0 || row.duplicates > 0 ? count(row.duplicates) : "–"}
      </div>
      <div role="cell" class="number" data-label="last">
        {isTime(row.last_ms) ? ago(row.last_ms) : <span class="id">{row.last_ms}</span>}
      </div>
      <Icon name="right" />
    </>
  );
}
