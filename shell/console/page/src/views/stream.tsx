// One stream: what is known of it, and its entries, groups and producers.

import { useState } from "preact/hooks";
import { type Stream, type Text, address, shown } from "../api";
import { count, exact, isTime, plural, rate, timeOf, ago } from "../format";
import { useHistory, usePoll } from "../live";
import { streamPlace } from "../router";
import { Icon, Id, Loading, Name, Spark, Stat, Tabs, Trouble } from "../ui";
import { AddEntry } from "./add";
import { DelayedView } from "./delayed";
import { EntriesView } from "./entries";
import { StreamGroups } from "./stream_groups";
import { Idempotence } from "./producers";

export function StreamView(props: {
  db: number;
  stream: Text;
  tab: string;
  query: URLSearchParams;
  theme: string;
}) {
  const { db, stream: name } = props;
  const path = address("/streams/{stream}", { stream: name }, { db });
  const { data, at, fault, reload } = usePoll<Stream>(path, 1000);
  const [isAdding, setAdding] = useState(false);
  const [added, setAdded] = useState(0);
  const history = useHistory(path, data?.added ?? null, at, 60);
  const curve = history.slice(1).map(([at, added], index) => {
    const [atBefore, before] = history[index] ?? [at, added];
    return Math.max(0, ((added - before) * 1000) / Math.max(at - atBefore, 1));
  });
  const tab = (tab: string) => streamPlace(props.db, name, tab);
  return (
    <>
      <p class="trail">
        <a href="#/streams">Streams</a> <Icon name="right" />
        {props.db > 0 && <span class="badge">db {props.db}</span>}
      </p>
      <div class="title">
        <h1>
          <Name text={name} />
        </h1>
        {data && (
          <button type="button" class="primary" data-add onClick={() => setAdding(true)}>
            <Icon name="plus" /> Add an entry
          </button>
        )}
      </div>
      {fault && fault.code !== "offline" && <Trouble fault={fault} retry={reload} />}
      {!data && !fault && <Loading what={shown(name)} />}
      {data && (
        <>
          <div class="stats small">
            <Stat
              label="Added a second"
              value={rate(curve.at(-1) ?? 0)}
              note={<Spark values={curve} label="Entries added a second, in the last minute" />}
            />
            <Stat label="Entries" value={<span title={exact(data.length)}>{count(data.length)}</span>} note={`${count(data.added)} were added in all`} />
            <Stat
              label="Last entry"
              value={isTime(timeOf(data.last_id)) ? ago(timeOf(data.last_id)) : "–"}
              note={<Id id={data.last_id} />}
            />
            <Stat label="Groups" value={count(data.groups)} href={tab("groups")} />
            <Stat
              label="Duplicates caught"
              value={count(data.idempotence.duplicates)}
              note={`${plural(data.idempotence.iids, "ID")} remembered`}
              tone={data.idempotence.duplicates > 0 ? "good" : undefined}
              href={tab("idempotence")}
            />
          </div>
          <Tabs
            label="Parts of the stream"
            tabs={[
              { name: "Entries", href: tab("entries"), isHere: props.tab === "entries" },
              { name: "Groups", href: tab("groups"), isHere: props.tab === "groups" },
              { name: "Idempotence", href: tab("idempotence"), isHere: props.tab === "idempotence" },
              { name: data.delayed > 0 ? `Delayed, ${count(data.delayed)}` : "Delayed", href: tab("delayed"), isHere: props.tab === "delayed" },
            ]}
          />
          {props.tab === "entries" && <EntriesView db={props.db} stream={props.stream} last={data.last_id} added={added} />}
          {props.tab === "delayed" && <DelayedView db={db} stream={name} />}
          {props.tab === "groups" && <StreamGroups db={props.db} stream={props.stream} />}
          {props.tab === "idempotence" && (
            <Idempotence db={props.db} stream={props.stream} known={data} theme={props.theme} reload={reload} />
          )}
          {isAdding && (
            <AddEntry
              path={address("/streams/{stream}/entries", { stream: name }, { db })}
              name={shown(name)}
              onClose={() => setAdding(false)}
              onDone={() => {
                setAdded(added + 1);
                reload();
              }}
            />
          )}
        </>
      )}
    </>
  );
}
