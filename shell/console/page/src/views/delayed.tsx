// Entries of a stream that wait to be appended: when each is due, and how it is taken back.

import { useState } from "preact/hooks";
import { Action } from "../action";
import { type Delayed, type DelayedEntry, type Text, address, shown } from "../api";
import { ago, clock, exact, isTime } from "../format";
import { usePoll } from "../live";
import { Card, Code, Empty, Loading, Trouble } from "../ui";
import { Row } from "./row";

/** Entries that are listed at once. */
const PAGE = 100;
const PAGE_MAX = 1000;

export function DelayedView({ db, stream }: { db: number; stream: Text }) {
  const [listed, setListed] = useState(PAGE);
  const [cancelled, setCancelled] = useState<DelayedEntry | null>(null);
  const path = address("/streams/{stream}/delayed", { stream }, { db, count: listed });
  const { data, fault, reload } = usePoll<Delayed>(path, 1000);
  const [kept, setKept] = useState<Delayed | null>(null);
  if (data && data !== kept) setKept(data);
  const known = data ?? kept;
  if (fault && !known) return fault.code === "offline" ? null : <Trouble fault={fault} retry={reload} />;
  if (!known) return <Loading what="delayed entries" />;
  return (
    <>
      <Card class="list">
        {known.entries.length === 0 ? (
          <Empty title="No entry waits">
            <p>An entry with a delay comes into the stream when it is due, and to nobody before:</p>
            <Code text={`redis-cli XADD ${shown(stream)} DELAY 60000 '*' item tea`} />
          </Empty>
        ) : (
          <ul class="entries">
            {known.entries.map((entry) => (
              <DelayedRow key={entry.ticket} entry={entry} cancel={() => setCancelled(entry)} />
            ))}
          </ul>
        )}
        {known.entries.length > 0 && (
          <footer class="more">
            <span class="faint">
              {known.total > known.entries.length
                ? `The first ${exact(known.entries.length)} of ${exact(known.total)}, the next to come first`
                : `${exact(known.total)} in all, the next to come first`}
            </span>
            {known.next && listed < PAGE_MAX && (
              <button type="button" onClick={() => setListed(Math.min(listed + PAGE, PAGE_MAX))}>
                Show more
              </button>
            )}
          </footer>
        )}
      </Card>
      {cancelled && (
        <Action
          title="Take back a delayed entry"
          path={address("/streams/{stream}/delayed/cancel", { stream }, { db })}
          body={{ ticket: cancelled.ticket }}
          verb="Take it back"
          warning="It never comes into the stream. What sent it is not told."
          onClose={() => setCancelled(null)}
          onDone={reload}
        />
      )}
    </>
  );
}

function DelayedRow({ entry, cancel }: { entry: DelayedEntry; cancel: () => void }) {
  const isLate = entry.due_ms <= Date.now();
  const due = isTime(entry.due_ms) ? clock(entry.due_ms) : null;
  return (
    <Row
      class="delayed"
      fields={entry.fields}
      before={
        <span class="due" title={due ?? entry.ticket}>
          {isLate ? "now" : ago(entry.due_ms)}
        </span>
      }
      beside={
        <button type="button" class="small" onClick={cancel} aria-label={`Take back ${entry.ticket}`}>
          Take back…
        </button>
      }
      about={
        <>
          due {due ?? `at ${entry.due_ms}`}, ticket <span class="id">{entry.ticket}</span>
        </>
      }
    />
  );
}
