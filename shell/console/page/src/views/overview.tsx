// The server at a glance.

import { type GroupBehind, type Streams, query } from "../api";
import { Chart } from "../chart";
import { bytes, count, exact, plural, rate } from "../format";
import { useLive, usePoll } from "../live";
import { groupPlace, streamPlace } from "../router";
import { Card, Code, Empty, Loading, Meter, Name, Stat } from "../ui";

export function OverviewView({ theme }: { theme: string }) {
  const { samples, fault } = useLive();
  const behind = usePoll<{ groups: GroupBehind[] }>("/groups?count=5", 2000);
  const caught = usePoll<Streams>(`/streams${query({ sort: "duplicates", count: 5 })}`, 2000);
  const last = samples.at(-1);
  if (!last) return fault ? null : <Loading what="the overview" />;
  const { overview } = last;
  const { streams } = overview;
  const times = samples.map((sample) => sample.at);
  const busy = behind.data?.groups.filter((group) => group.lag + group.pending > 0) ?? [];
  const catching = caught.data?.streams.filter((row) => row.duplicates > 0 || row.iids > 0) ?? [];
  return (
    <>
      <h1>Overview</h1>
      <div class="stats">
        <Stat label="Commands/s" value={rate(overview.commands_per_second)} />
        <Stat
          label="Streams"
          value={count(streams.streams)}
          note={plural(streams.entries, "entry", "entries")}
          href="#/streams"
        />
        <Stat
          label="Pending"
          value={count(streams.pending)}
          note={`in ${plural(streams.groups, "group")}`}
          href="#/groups"
        />
        <Stat
          label="Duplicates caught"
          value={<span title={exact(streams.duplicates)}>{count(streams.duplicates)}</span>}
          note={`${plural(streams.iids, "ID")} remembered`}
          tone={streams.duplicates > 0 ? "good" : undefined}
          href="#/idempotence"
        />
        <Stat
          label="Memory"
          value={bytes(overview.memory_bytes)}
          note={
            overview.memory_limit_bytes > 0 ? (
              <>
                <Meter
                  value={overview.memory_bytes}
                  max={overview.memory_limit_bytes}
                  label={`of ${bytes(overview.memory_limit_bytes)} allowed`}
                />
                of {bytes(overview.memory_limit_bytes)}
              </>
            ) : (
              "no limit is set"
            )
          }
          href="#/keys"
        />
        <Stat
          label="Clients"
          value={count(overview.clients)}
          note={`${count(overview.clients_blocked)} waiting`}
          href="#/clients"
        />
      </div>
      {streams.streams === 0 && (
        <Card>
          <Empty title="There is no stream yet">
            <p>Append the first entry, twice, as a producer does that got no reply:</p>
            <Code
              text={"redis-cli XADD orders IDMP till-7 sale-1 '*' item tea\nredis-cli XADD orders IDMP till-7 sale-1 '*' item tea"}
            />
            <p>The stream then has one entry, and this page shows one duplicate that was caught.</p>
          </Empty>
        </Card>
      )}
      <div class="columns">
        <Card title="Work" aside="the last five minutes, since this page was opened">
          <Chart
            label="Work each second"
            theme={theme}
            times={times}
            format={rate}
            lines={[
              { name: "commands/s", colour: "--water", values: samples.map((of) => of.overview.commands_per_second) },
              { name: "changes/s", colour: "--sand", values: samples.map((of) => of.changesPerSecond) },
            ]}
          />
        </Card>
        <Card title="Duplicates caught" aside={`${exact(streams.duplicates)} in all`}>
          <Chart
            label="Duplicates each second"
            theme={theme}
            times={times}
            format={rate}
            lines={[{ name: "duplicates/s", colour: "--moss", values: samples.map((of) => of.duplicatesPerSecond) }]}
          />
        </Card>
      </div>
      <div class="columns">
        <Card title="Groups with most to do" aside={<a href="#/groups">all groups</a>}>
          {busy.length === 0 ? (
            <p class="calm">{streams.groups > 0 ? "All groups are up to date." : "There are no groups."}</p>
          ) : (
            <ul class="rows">
              {busy.map((group) => (
                <li key={JSON.stringify([group.db, group.stream, group.name])}>
                  <a data-row href={groupPlace(group.db, group.stream, group.name)}>
                    <span>
                      <Name text={group.name} /> <small class="faint">of</small> <Name text={group.stream} />
                    </span>
                    <span class="figures">
                      {count(group.lag)} to read, {count(group.pending)} pending
                    </span>
                  </a>
                </li>
              ))}
            </ul>
          )}
        </Card>
        <Card title="Streams that catch retries" aside={<a href="#/idempotence">idempotence</a>}>
          {catching.length === 0 ? (
            <p class="calm">
              No stream remembers an idempotent ID. Producers that send <code>XADD … IDMP</code> show here.
            </p>
          ) : (
            <ul class="rows">
              {catching.map((row) => (
                <li key={JSON.stringify([row.db, row.name])}>
                  <a data-row href={streamPlace(row.db, row.name, "idempotence")}>
                    <Name text={row.name} />
                    <span class="figures">
                      {plural(row.duplicates, "duplicate")}, {plural(row.iids, "ID")}
                    </span>
                  </a>
                </li>
              ))}
            </ul>
          )}
        </Card>
      </div>
    </>
  );
}
