// The entries of a stream: browsed by time or ID, searched on the server, or live.

import { useEffect, useRef, useState } from "preact/hooks";
import { type Entries, type Entry, Fault, type Text, address, get } from "../api";
import { ago, clock, exact, isTime, timeOf } from "../format";
import { useLive } from "../live";
import { Card, Copy, Empty, Field, Icon, Id, Loading, Search, Trouble } from "../ui";
import { Row } from "./row";

const PAGE = 50;
const TAIL_MS = 700;
/** Entries that a live list keeps. */
const TAIL_MAX = 500;

export function EntriesView(props: { db: number; stream: Text; last: string; added: number }) {
  const [isTail, setTail] = useState(false);
  const [isReverse, setReverse] = useState(true);
  const [from, setFrom] = useState("");
  const [contains, setContains] = useState("");
  const [entries, setEntries] = useState<Entry[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [lookedAt, setLookedAt] = useState(0);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const [turn, setTurn] = useState(0);
  const { returns } = useLive();
  const { db, stream } = props;
  const path = (parameters: Parameters<typeof address>[2]) =>
    address("/streams/{stream}/entries", { stream }, { db, ...parameters });
  const question = (from: string | null) => path({ from, reverse: isReverse || null, contains, count: PAGE });

  const ask = async (at: string | null, kept: Entry[], looked: number, signal?: AbortSignal) => {
    setBusy(true);
    try {
      const page = await get<Entries>(question(at), signal);
      setEntries([...kept, ...page.entries]);
      setNext(page.next);
      setLookedAt(looked + page.looked_at);
      setFault(null);
    } catch (error) {
      if (signal?.aborted) return;
      setFault(error instanceof Fault ? error : new Fault("unknown", String(error)));
    }
    setBusy(false);
  };
  useEffect(() => {
    if (isTail) return;
    const abort = new AbortController();
    const timer = setTimeout(() => void ask(from || null, [], 0, abort.signal), contains ? 250 : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [path({}), isReverse, from, contains, isTail, props.added, turn, returns]);

  const newest = entries?.[0]?.id;
  const hasNews = !isTail && isReverse && from === "" && contains === "" && newest !== undefined && newest !== props.last;
  return (
    <>
      <div class="controls">
        <div class="switch" role="group" aria-label="Which entries">
          {[
            { name: "Latest first", on: !isTail && isReverse, set: () => (setTail(false), setReverse(true)) },
            { name: "Oldest first", on: !isTail && !isReverse, set: () => (setTail(false), setReverse(false)) },
            { name: "Live", on: isTail, set: () => setTail(true) },
          ].map((choice) => (
            <button key={choice.name} type="button" aria-pressed={choice.on} onClick={choice.set}>
              {choice.name}
            </button>
          ))}
        </div>
        {!isTail && (
          <>
            <Search value={contains} label="A text in a field or a value" onInput={setContains} />
            <Jump from={from} setFrom={setFrom} isReverse={isReverse} />
          </>
        )}
      </div>
      {isTail ? (
        <Tail path={path} />
      ) : (
        <>
          {fault && fault.code !== "offline" && <Trouble fault={fault} retry={() => setTurn(turn + 1)} />}
          {hasNews && (
            <button type="button" class="news" onClick={() => setTurn(turn + 1)}>
              There are newer entries. Show them
            </button>
          )}
          {entries === null && !fault && <Loading what="entries" />}
          {entries !== null && (
            <Card class="list">
              {entries.length === 0 ? (
                contains !== "" ? (
                  <Empty title={`No match among ${exact(lookedAt)} entries`}>
                    {next && (
                      <p>
                        <button type="button" disabled={isBusy} onClick={() => void ask(next, [], lookedAt)}>
                          {isBusy ? "Searching…" : "Search on"}
                        </button>
                      </p>
                    )}
                  </Empty>
                ) : (
                  <Empty title={from ? "No entry from there on" : "The stream has no entries"}>
                    {from ? (
                      <button type="button" onClick={() => setFrom("")}>
                        Show all
                      </button>
                    ) : (
                      <p>Add one with the button above, or let a producer do so.</p>
                    )}
                  </Empty>
                )
              ) : (
                <ul class="entries">
                  {entries.map((entry) => (
                    <EntryRow key={entry.id} entry={entry} />
                  ))}
                </ul>
              )}
              {entries.length > 0 && (
                <footer class="more">
                  <span class="faint">
                    {exact(entries.length)} shown{contains !== "" && `, ${exact(lookedAt)} searched`}
                  </span>
                  {next && (
                    <button type="button" disabled={isBusy} onClick={() => void ask(next, entries, lookedAt)}>
                      {isBusy ? "Loading…" : contains !== "" ? "Search on" : "Show more"}
                    </button>
                  )}
                </footer>
              )}
            </Card>
          )}
        </>
      )}
    </>
  );
}

/** Where the list begins: an ID, or a time. */
function Jump(props: { from: string; setFrom: (from: string) => void; isReverse: boolean }) {
  const [text, setText] = useState(props.from);
  useEffect(() => setText(props.from), [props.from]);
  const isOdd = text !== "" && !/^\(?\d+(-\d+)?$/.test(text);
  return (
    <details class="jump">
      <summary>{props.from ? `From ${props.from}` : "From a time or an ID"}</summary>
      <div class="popover">
        <Field label={props.isReverse ? "This time and before" : "This time and after"}>
          <input
            type="datetime-local"
            step="1"
            onInput={(event) => {
              const at = event.currentTarget.valueAsNumber;
              const local = new Date(event.currentTarget.value).getTime();
              if (!Number.isNaN(at) && !Number.isNaN(local)) props.setFrom(String(local));
            }}
          />
        </Field>
        <Field label="ID, or milliseconds" hint={isOdd ? "An ID is two numbers: 1795460492694-0" : ""}>
          <input
            value={text}
            spellcheck={false}
            aria-invalid={isOdd}
            onInput={(event) => setText(event.currentTarget.value.trim())}
            onChange={() => !isOdd && props.setFrom(text)}
          />
        </Field>
        {props.from && (
          <button type="button" class="small" onClick={() => props.setFrom("")}>
            Begin at the {props.isReverse ? "end" : "beginning"}
          </button>
        )}
      </div>
    </details>
  );
}

/** Entries as they come. */
function Tail({ path }: { path: (parameters: Parameters<typeof address>[2]) => string }) {
  const [entries, setEntries] = useState<Entry[]>([]);
  const [isPaused, setPaused] = useState(false);
  const [waiting, setWaiting] = useState(0);
  const [fault, setFault] = useState<Fault | null>(null);
  const last = useRef<string | null>(null);
  const held = useRef<Entry[]>([]);
  const paused = useRef(false);
  paused.current = isPaused;
  useEffect(() => {
    const abort = new AbortController();
    let timer: number | undefined;
    const run = async () => {
      try {
        const begin = { count: PAGE, reverse: true };
        const on = { count: 1000, from: `(${last.current}` };
        const page = await get<Entries>(path(last.current === null ? begin : on), abort.signal);
        const found = last.current === null ? page.entries : page.entries.reverse();
        last.current = found[0]?.id ?? last.current ?? "0";
        if (found.length > 0) {
          held.current = [...found, ...held.current].slice(0, TAIL_MAX);
          setWaiting(held.current.length);
          if (!paused.current) release();
        }
        setFault(null);
      } catch (error) {
        if (abort.signal.aborted) return;
        setFault(error instanceof Fault ? error : new Fault("unknown", String(error)));
      }
      timer = window.setTimeout(run, TAIL_MS);
    };
    void run();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path({})]);
  const release = () => {
    const news = held.current;
    held.current = [];
    setWaiting(0);
    setEntries((before) => [...news, ...before].slice(0, TAIL_MAX));
  };
  const turn = () => {
    if (isPaused) release();
    setPaused(!isPaused);
  };
  return (
    <Card class="list">
      <header class="tail">
        <span class={`dot ${isPaused ? "" : "beats"}`} aria-hidden="true" />
        <span role="status">
          {isPaused ? (waiting ? `Paused, ${exact(waiting)} waiting` : "Paused") : "New entries appear here"}
        </span>
        <button type="button" data-pause onClick={turn}>
          <Icon name={isPaused ? "play" : "pause"} /> {isPaused ? "Go on" : "Pause"} <kbd aria-hidden="true">p</kbd>
        </button>
      </header>
      {fault && fault.code !== "offline" && <Trouble fault={fault} />}
      {entries.length === 0 && !fault && (
        <Empty title="Waiting for the first entry">
          <p>What producers append from now on is shown here.</p>
        </Empty>
      )}
      <ul class="entries">
        {entries.map((entry) => (
          <EntryRow key={entry.id} entry={entry} />
        ))}
      </ul>
    </Card>
  );
}

function EntryRow({ entry }: { entry: Entry }) {
  const ms = timeOf(entry.id);
  return (
    <Row
      fields={entry.fields}
      before={<Id id={entry.id} />}
      behind={<span class="when faint">{isTime(ms) ? ago(ms) : ""}</span>}
      about={
        <>
          {isTime(ms) && clock(ms)} <Copy text={entry.id} what="the ID" />
        </>
      }
    />
  );
}
