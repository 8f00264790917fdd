// One group: what is pending, since when and with whom, and what can be done about it.

import { useState } from "preact/hooks";
import { type Consumer, type OneGroup, type Pending, type Text, address, segment, shown } from "../api";
import { count, exact, plural, span } from "../format";
import { usePoll } from "../live";
import { streamPlace } from "../router";
import { Card, Empty, Histogram, Icon, Id, Loading, Meter, Name, Stat, Table, Trouble } from "../ui";
import { type Chosen, GroupAction } from "./group_action";
import { GroupSettings } from "./group_settings";

/** Pending entries that are looked at. */
const LOOKED_AT = 1000;
/** Pending entries that are listed at once. */
const LISTED = 100;

const BARS: { name: string; fits: (deliveries: number) => boolean }[] = [
  ...[0, 1, 2, 3, 4].map((n) => ({ name: String(n), fits: (of: number) => of === n })),
  { name: "5–9", fits: (of) => of >= 5 && of < 10 },
  { name: "10+", fits: (of) => of >= 10 },
];

export function GroupView({ db, stream, group }: { db: number; stream: Text; group: Text }) {
  const [consumer, setConsumer] = useState("");
  const [idleSeconds, setIdleSeconds] = useState("");
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [listed, setListed] = useState(LISTED);
  const [action, setAction] = useState<Chosen | null>(null);
  const of = (part: string, parameters = {}) =>
    address(`/streams/{stream}/groups/{group}${part}`, { stream, group }, { db, ...parameters });
  const one = usePoll<OneGroup>(of(""), 1500);
  const consumers = usePoll<{ consumers: Consumer[] }>(of("/consumers"), 1500);
  const idle = Number(idleSeconds) > 0 ? Math.round(Number(idleSeconds) * 1000) : null;
  const pending = usePoll<{ pending: Pending[]; next: string | null }>(
    of("/pending", { consumer, idle, count: LOOKED_AT }),
    1500,
  );
  const known = one.data;
  const letters = known?.dead_letters;
  const rows = pending.data?.pending ?? [];
  const isPart = pending.data !== null && pending.data.next !== null;
  const oldest = Math.max(0, ...rows.map((row) => row.idle_ms ?? 0));
  const picked = rows.filter((row) => chosen.has(row.id)).map((row) => row.id);
  const reload = () => {
    setChosen(new Set());
    one.reload();
    consumers.reload();
    pending.reload();
  };
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const fault = one.fault ?? consumers.fault ?? pending.fault;
  const isGone = one.fault?.code === "not-found";
  const most = Math.max(1, ...(consumers.data?.consumers.map((of) => of.pending) ?? []));
  return (
    <>
      <p class="trail">
        <a href="#/streams">Streams</a> <Icon name="right" />{" "}
        <a href={streamPlace(db, stream, "groups")}>
          <Name text={stream} />
        </a>{" "}
        <Icon name="right" />
        {db > 0 && <span class="badge">db {db}</span>}
      </p>
      <div class="title">
        <h1>
          <Name text={group} />
        </h1>
        {known && (
          <div class="buttons">
            {letters && (
              <button type="button" onClick={() => setAction({ kind: "redrive", from: letters.stream })}>
                Redrive dead letters
              </button>
            )}
            <button type="button" onClick={() => setAction({ kind: "set-id", at: known.last_delivered_id })}>
              Set where it reads on
            </button>
          </div>
        )}
      </div>
      {isGone ? (
        <Card>
          <Empty title="There is no such group any more">
            <a href={streamPlace(db, stream, "groups")}>The groups of this stream</a>
          </Empty>
        </Card>
      ) : (
        fault && fault.code !== "offline" && <Trouble fault={fault} retry={reload} />
      )}
      {!known && !isGone && !fault && <Loading what="the group" />}
      {known && !isGone && (
        <>
          <div class="stats small">
            <Stat label="To read" value={<span title={exact(known.lag)}>{count(known.lag)}</span>} note="entries after the last delivered" />
            <Stat label="Pending" value={<span title={exact(known.pending)}>{count(known.pending)}</span>} note="delivered, not acknowledged" />
            <Stat
              label="Oldest delivery"
              value={rows.length ? span(oldest) : "–"}
              note={isPart ? `of the first ${exact(LOOKED_AT)}` : "among the pending"}
              tone={oldest > 300_000 ? "warn" : undefined}
            />
            <Stat label="Last delivered" value={<Id id={known.last_delivered_id} />} note={known.entries_read === null ? "" : `${count(known.entries_read)} read in all`} />
            {letters && (
              <Stat
                label="Dead letters"
                value={letters.entries === null ? "–" : count(letters.entries)}
                tone={letters.entries ? "warn" : undefined}
                note={
                  <>
                    in{" "}
                    <a href={streamPlace(db, letters.stream)}>
                      <Name text={letters.stream} />
                    </a>
                  </>
                }
              />
            )}
          </div>
          <div class="columns">
            <Card title="Deliveries" aside={isPart ? `of the first ${exact(LOOKED_AT)} pending` : "of what is pending"}>
              {rows.length === 0 ? (
                <p class="calm">Nothing is pending.</p>
              ) : (
                <Histogram
                  label="How many pending entries were delivered how often"
                  bars={BARS.map((bar) => ({
                    name: bar.name === "0" ? "given back" : bar.name === "1" ? "once" : `${bar.name}×`,
                    count: rows.filter((row) => bar.fits(row.deliveries)).length,
                  }))}
                />
              )}
            </Card>
            <Card title="Consumers" aside={consumers.data && plural(consumers.data.consumers.length, "consumer")}>
              {consumers.data?.consumers.length === 0 ? (
                <p class="calm">Nobody has read with this group yet.</p>
              ) : (
                <Table label="Consumers">
                  <thead>
                    <tr>
                      <th scope="col">Consumer</th>
                      <th scope="col" class="number">Pending</th>
                      <th scope="col">
                        <span class="hidden">Share</span>
                      </th>
                      <th scope="col" class="number">Last call</th>
                    </tr>
                  </thead>
                  <tbody>
                    {consumers.data?.consumers.map((of) => (
                      <tr key={segment(of.name)}>
                        <td>
                          <Name text={of.name} />
                        </td>
                        <td class="number">{count(of.pending)}</td>
                        <td class="bar">
                          <Meter value={of.pending} max={most / 0.69} label={`${of.pending} pending`} />
                        </td>
                        <td class="number">{span(of.idle_ms)} ago</td>
                      </tr>
                    ))}
                  </tbody>
                </Table>
              )}
            </Card>
          </div>
          <Card
            title="Pending entries"
            class="list"
            aside={
              <div class="filters">
                <label>
                  of{" "}
                  <select value={consumer} onChange={(event) => setConsumer(event.currentTarget.value)}>
                    <option value="">all consumers</option>
                    {consumers.data?.consumers
                      .filter((of) => typeof of.name === "string")
                      .map((of) => <option key={segment(of.name)}>{shown(of.name)}</option>)}
                  </select>
                </label>
                <label>
                  idle for{" "}
                  <input
                    type="number"
                    min="0"
                    value={idleSeconds}
                    placeholder="0"
                    onInput={(event) => setIdleSeconds(event.currentTarget.value)}
                  />{" "}
                  s
                </label>
              </div>
            }
          >
            {pending.data === null ? (
              <Loading what="pending entries" />
            ) : rows.length === 0 ? (
              <Empty title={consumer || idle ? "None fits the filter" : "Nothing is pending"}>
                {!consumer && !idle && <p>Everything that was delivered has been acknowledged.</p>}
              </Empty>
            ) : (
              <>
                <div class="picked" role="toolbar" aria-label="What to do with the chosen entries">
                  <span>{picked.length === 0 ? "Choose entries" : `${plural(picked.length, "entry", "entries")} chosen`}</span>
                  <button type="button" disabled={picked.length === 0} onClick={() => setAction({ kind: "ack", ids: picked })}>
                    Acknowledge
                  </button>
                  <button type="button" disabled={picked.length === 0} onClick={() => setAction({ kind: "nack", ids: picked })}>
                    Give back
                  </button>
                  <button type="button" disabled={picked.length === 0} onClick={() => setAction({ kind: "claim", ids: picked })}>
                    Claim for…
                  </button>
                </div>
                <Table label="Pending entries">
                  <thead>
                    <tr>
                      <th scope="col" class="tick">
                        <input
                          type="checkbox"
                          aria-label={`Choose all ${rows.length}`}
                          checked={picked.length === rows.length}
                          onChange={() => setChosen(new Set(picked.length === rows.length ? [] : rows.map((row) => row.id)))}
                        />
                      </th>
                      <th scope="col">Entry</th>
                      <th scope="col">Consumer</th>
                      <th scope="col" class="number">Deliveries</th>
                      <th scope="col" class="number">Idle</th>
                    </tr>
                  </thead>
                  <tbody>
                    {rows.slice(0, listed).map((row) => (
                      <tr key={row.id} class={chosen.has(row.id) ? "chosen" : ""}>
                        <td class="tick">
                          <input
                            type="checkbox"
                            data-row
                            aria-label={`Choose ${row.id}`}
                            checked={chosen.has(row.id)}
                            onChange={() => toggle(row.id)}
                          />
                        </td>
                        <td>
                          <Id id={row.id} />
                        </td>
                        <td>{row.idle_ms === null ? <span class="faint">given back</span> : <Name text={row.consumer} />}</td>
                        <td class={`number ${row.deliveries > 4 ? "warn" : ""}`}>{row.deliveries}</td>
                        <td class="number">{row.idle_ms === null ? "–" : span(row.idle_ms)}</td>
                      </tr>
                    ))}
                  </tbody>
                </Table>
                {(rows.length > listed || isPart) && (
                  <footer class="more">
                    <span class="faint">
                      {exact(Math.min(listed, rows.length))} of {isPart ? `the first ${exact(LOOKED_AT)}` : exact(rows.length)}
                      {isPart && "; more come when these are dealt with"}
                    </span>
                    {rows.length > listed && (
                      <button type="button" onClick={() => setListed(listed + LISTED)}>
                        Show more
                      </button>
                    )}
                  </footer>
                )}
              </>
            )}
          </Card>
          <GroupSettings db={db} path={of("/settings")} settings={known.settings} onDone={one.reload} />
        </>
      )}
      {action && (
        <GroupAction
          path={(verb) => of(`/${verb}`)}
          db={db}
          stream={stream}
          group={group}
          chosen={action}
          consumers={consumers.data?.consumers.map((of) => shown(of.name)) ?? []}
          onClose={() => setAction(null)}
          onDone={reload}
        />
      )}
    </>
  );
}
