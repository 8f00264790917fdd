// How changes reach the disk.

import type { Durability, Times } from "../api";
import { Chart } from "../chart";
import { ago, bytes, count, exact, micros, rate, span } from "../format";
import { useHistory, useLive, usePoll } from "../live";
import { Card, Code, Loading, Stat, Table, Trouble } from "../ui";
import { Fact, Sizes, ranges } from "./figures";

/** What the words for the health of the journal mean. */
const HEALTH: Record<string, string> = {
  good: "Healthy",
  slow: "Slow",
  reserve: "Little room",
  full: "Disk full",
  failed: "Failed",
  fenced: "Taken over",
};

export function DurabilityView({ theme }: { theme: string }) {
  const { data, at, fault, reload } = usePoll<Durability>("/durability", 1000);
  const { samples } = useLive();
  const commits = useHistory("commits", data?.commits ?? null, at);
  const pace = commits.slice(1).map(([at, value], index) => {
    const [atBefore, before] = commits[index] ?? [at, value];
    return Math.max(0, ((value - before) * 1000) / Math.max(at - atBefore, 1));
  });
  if (fault && !data) return fault.code === "offline" ? <h1>Durability</h1> : <Trouble fault={fault} retry={reload} />;
  if (!data) return <Loading what="durability" />;
  const ready = samples.at(-1)?.overview;
  return (
    <>
      <h1>Durability</h1>
      {data.writes_refused_because && (
        <div class="trouble" role="alert">
          <div>
            <strong>Writes are refused: {data.writes_refused_because}</strong>
            <p>Reads go on. When the cause is mended, writes are accepted again by themselves, or after a restart.</p>
          </div>
        </div>
      )}
      {!data.journal && (
        <section class="advice warn" aria-label="Recommendation">
          <div>
            <h2>There is no journal</h2>
            <p>A crash loses what was written since the last snapshot. To keep every acknowledged write:</p>
            <Code text="redis-cli CONFIG SET appendonly yes" />
          </div>
        </section>
      )}
      <div class="stats small">
        <Stat
          label="Journal"
          value={data.journal ? HEALTH[data.health] ?? data.health : "Off"}
          note={data.journal ? bytes(data.journal_bytes) : "nothing is written"}
          tone={!data.journal || data.writes_refused_because ? "warn" : "good"}
        />
        <Stat label="Sync, half of them" value={data.syncs.count ? `< ${micros(data.syncs.median_us)}` : "–"} note="replies wait for it" />
        <Stat
          label="Sync, 99 %"
          value={data.syncs.count ? `< ${micros(data.syncs.p99_us)}` : "–"}
          note={data.syncs.count ? `longest ${micros(data.syncs.longest_us)}` : ""}
          tone={data.syncs.p99_us > 100_000 ? "warn" : undefined}
        />
        <Stat
          label="Requests/commit"
          value={data.commits ? (data.batches / data.commits).toFixed(1) : "–"}
          note={`${count(data.commits)} commits`}
        />
        <Stat label="Waiting to be written" value={bytes(data.backlog_bytes)} />
        <Stat
          label="Last LSN"
          value={count(data.last_lsn)}
          note={
            !data.journal
              ? ""
              : data.durable_lsn >= data.last_lsn
                ? "all of it is durable"
                : `${count(data.last_lsn - data.durable_lsn)} changes are on their way`
          }
        />
      </div>
      <div class="columns">
        <Card title="Commits" aside="since this view was opened">
          <Chart
            label="Commits each second"
            theme={theme}
            times={commits.slice(1).map(([at]) => at)}
            format={rate}
            lines={[{ name: "commits/s", colour: "--water", values: pace }]}
          />
        </Card>
        <Card title="Times" aside="since the server started">
          <Table label="Times of writes and syncs">
            <thead>
              <tr>
                <th scope="col">What</th>
                <th scope="col" class="number">Count</th>
                <th scope="col" class="number">Half</th>
                <th scope="col" class="number">99 %</th>
                <th scope="col" class="number">Longest</th>
              </tr>
            </thead>
            <tbody>
              <TimesRow name="Writes" times={data.writes} />
              <TimesRow name="Syncs that replies wait for" times={data.syncs} />
              <TimesRow name="Syncs beside" times={data.background_syncs} />
            </tbody>
          </Table>
        </Card>
      </div>
      <div class="columns">
        <Card title="Requests in a commit" aside="commits since the server started">
          <Sizes
            parts={ranges(data.commits_by_batches, 4)}
            name={({ from, upTo }) => (from === upTo ? count(from) : `${count(from)}–${count(upTo)}`)}
            label="How many commits had how many requests"
            none="Nothing was committed yet."
          />
        </Card>
        <Card title="Time of a sync" aside="syncs that replies waited for">
          <Sizes
            parts={ranges(data.syncs.by_us, 4)}
            name={({ upTo }) => `< ${micros(upTo)}`}
            label="How many syncs took how long"
            none="No reply waited for a sync yet."
          />
        </Card>
      </div>
      <div class="columns">
        <Card title="Snapshots">
          <dl class="facts">
            <Fact name="Now" value={data.snapshotting ? "one is being written" : "none is being written"} />
            <Fact name="Last" value={data.last_snapshot_seconds ? ago(data.last_snapshot_seconds * 1000) : "none was written yet"} />
            <Fact name="Written" value={exact(data.snapshots)} />
            <Fact name="Failed since" value={exact(data.snapshot_failures)} isBad={data.snapshot_failures > 0} />
          </dl>
        </Card>
        <Card title="Journal rewrites">
          <dl class="facts">
            <Fact name="Now" value={data.rewriting ? "one is running" : "none is running"} />
            <Fact name="Done" value={exact(data.rewrites)} />
            <Fact name="Failed since" value={exact(data.rewrite_failures)} isBad={data.rewrite_failures > 0} />
            <Fact
              name="After a crash"
              value={
                data.journal
                  ? `${bytes(data.journal_bytes)} of journal are read before clients are served`
                  : "the last snapshot is read"
              }
            />
            <Fact
              name="At the last start"
              value={
                data.recovery.bytes === 0
                  ? "there was nothing to read"
                  : `${bytes(data.recovery.bytes)} in ${span(data.recovery.took_ms)}` +
                    (data.recovery.cut_bytes > 0 ? `, ${bytes(data.recovery.cut_bytes)} of a torn end cut off` : "")
              }
            />
          </dl>
        </Card>
      </div>
      {ready && !ready.ready && <p class="warning">The server is not ready: {ready.not_ready_because}.</p>}
    </>
  );
}

function TimesRow({ name, times }: { name: string; times: Times }) {
  const show = (us: number) => (times.count ? micros(us) : "–");
  return (
    <tr class={times.count ? "" : "faint"}>
      <td>{name}</td>
      <td class="number">{count(times.count)}</td>
      <td class="number">{show(times.median_us)}</td>
      <td class="number">{show(times.p99_us)}</td>
      <td class="number">{show(times.longest_us)}</td>
    </tr>
  );
}
