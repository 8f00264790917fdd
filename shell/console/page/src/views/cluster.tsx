// The servers that share a log: who leads, how far each is, how the log is, and handing the lead
// over.

import { useState } from "preact/hooks";
import { Action } from "../action";
import type { Cluster, ClusterNode, LogSnapshots } from "../api";
import { Chart } from "../chart";
import { bytes, count, exact, micros, plural, rate, span } from "../format";
import { useHistory, usePoll } from "../live";
import { Card, Empty, Loading, Stat, Table, Trouble } from "../ui";
import { Fact, Sizes, ranges } from "./figures";

/** What the words for the health of the log mean. */
const HEALTH: Record<string, string> = {
  good: "Healthy",
  "in-doubt": "In doubt",
  unavailable: "No answer",
  stopped: "Stopped",
};

const ROLES: Record<string, string> = {
  leader: "Leads",
  follower: "Follows",
  candidate: "Wants to lead",
};

export function ClusterView({ theme }: { theme: string }) {
  const { data, at, fault, reload } = usePoll<Cluster>("/cluster", 1000);
  const [to, setTo] = useState<string | null>(null);
  const batches = useHistory("log", data?.durable_lsn ?? null, at);
  const pace = batches.slice(1).map(([at, value], index) => {
    const [atBefore, before] = batches[index] ?? [at, value];
    return Math.max(0, ((value - before) * 1000) / Math.max(at - atBefore, 1));
  });
  if (fault?.code === "not-found") {
    return (
      <Empty title="This server is alone">
        <p>With the setting log, several servers share a log, and another one leads when one is lost.</p>
      </Empty>
    );
  }
  if (fault && !data) return fault.code === "offline" ? <h1>Cluster</h1> : <Trouble fault={fault} retry={reload} />;
  if (!data) return <Loading what="the cluster" />;
  const { log, commits } = data;
  const leads = data.role === "leader";
  const behind = log.servers.filter((server) => !server.current);
  const times = commits.times;
  return (
    <>
      <div class="title">
        <h1>Cluster</h1>
        <span class="faint">{data.name}</span>
      </div>
      <div class="stats small">
        <Stat
          label="This server"
          value={ROLES[data.role] ?? data.role}
          note={leads ? "takes writes" : data.leader ? `${data.leader} leads` : "nobody leads"}
          tone={leads || data.leader ? "good" : "bad"}
        />
        <Stat
          label="Log"
          value={HEALTH[log.health] ?? log.health}
          note={log.connected && `by way of ${log.connected}`}
          tone={log.health === "good" ? "good" : "bad"}
        />
        {leads ? (
          <Stat
            label="Lease left"
            value={data.lease_ms === null ? "–" : span(data.lease_ms)}
            note="renewed by each commit"
            tone={data.lease_ms ? undefined : "bad"}
          />
        ) : (
          <Stat
            label="Out of date by"
            value={data.staleness_ms === null ? "–" : `${exact(data.staleness_ms)} ms`}
            note={data.staleness_ms === null ? "reads the log" : "at most"}
            tone={data.staleness_ms === null ? "warn" : undefined}
          />
        )}
        <Stat label="Epoch" value={exact(data.epoch)} note={plural(data.elections, "election")} />
        <Stat label="LSN" value={count(data.durable_lsn)} note={`record ${exact(log.sequence)}`} />
        <Stat
          label="Commit, 99 %"
          value={times.count ? `< ${micros(times.p99_us)}` : "–"}
          note={times.count ? `half < ${micros(times.median_us)}` : "this server has led none"}
          tone={times.p99_us > 250_000 ? "warn" : undefined}
        />
      </div>
      <Card title="Servers" aside={`${plural(data.nodes.length, "server")}, as this one hears of them`} class="list">
        <Table label="Servers that share the log">
          <thead>
            <tr>
              <th scope="col">Server</th>
              <th scope="col">Role</th>
              <th scope="col" class="number">LSN</th>
              <th scope="col" class="number">Behind</th>
              <th scope="col" class="number">Silent for</th>
              <th scope="col">Version</th>
              {leads && <th scope="col">Lead</th>}
            </tr>
          </thead>
          <tbody>
            {data.nodes.map((node) => (
              <Node key={node.address} node={node} handOver={leads ? () => setTo(node.address) : null} />
            ))}
          </tbody>
        </Table>
      </Card>
      <div class="columns">
        <Card title="Servers of the log" aside="NATS">
          {log.servers.length === 0 ? (
            <p class="calm">Nobody tells which servers keep the log: it has no leader, or none can be reached.</p>
          ) : (
            <Table label="Servers that keep the log">
              <thead>
                <tr>
                  <th scope="col">Server</th>
                  <th scope="col">Role</th>
                  <th scope="col">State</th>
                  <th scope="col" class="number">Behind</th>
                </tr>
              </thead>
              <tbody>
                {log.servers.map((server) => (
                  <tr key={server.name}>
                    <td>{server.name}</td>
                    <td>{server.leads ? "leads" : "follows"}</td>
                    <td class={server.current ? "" : "bad"}>{server.current ? "has everything" : "is behind, or gone"}</td>
                    <td class="number">{exact(server.lag)}</td>
                  </tr>
                ))}
              </tbody>
            </Table>
          )}
          {behind.length > 0 && (
            <p class="warning">
              {behind.length * 2 < log.servers.length - 1
                ? "The log goes on without it."
                : "If one more is lost, the log stands still until one is back."}
            </p>
          )}
        </Card>
        <Card title="Changes in the log" aside="since this view was opened">
          <Chart
            label="Batches in the log each second"
            theme={theme}
            times={batches.slice(1).map(([at]) => at)}
            format={rate}
            lines={[{ name: "batches/s", colour: "--water", values: pace }]}
          />
        </Card>
      </div>
      <div class="columns">
        <Card title="Time of a commit" aside="led by this server since it began">
          <Sizes
            parts={ranges(times.by_us, 4)}
            name={({ upTo }) => `< ${micros(upTo)}`}
            label="How many commits took how long"
            none="This server has led no commit yet."
          />
        </Card>
        <Card title="The log">
          <dl class="facts">
            <Fact name="Records on their way" value={exact(log.records_under_way)} />
            <Fact name="Not in the log for certain" value={bytes(log.backlog_bytes)} />
            <Fact name="In doubt so far" value={plural(log.doubts, "time")} />
            <Fact name="Led by this server" value={`${count(commits.batches)} requests, ${bytes(commits.bytes)}`} />
            <Snapshots of={data.snapshots} sequence={log.sequence} />
          </dl>
        </Card>
      </div>
      {to !== null && (
        <Action
          title="Hand the lead over"
          path="/cluster/failover"
          body={{ to }}
          verb="Hand over"
          onClose={() => setTo(null)}
          onDone={reload}
        />
      )}
    </>
  );
}

function Node({ node, handOver }: { node: ClusterNode; handOver: (() => void) | null }) {
  return (
    <tr>
      <td class="id">
        {node.address}
        {node.this && <span class="badge">this one</span>}
      </td>
      <td>{node.leads ? "leads" : "follows"}</td>
      <td class="number">{exact(node.applied_lsn)}</td>
      <td class={node.lag > 0 ? "number" : "number faint"}>{exact(node.lag)}</td>
      <td class={node.down ? "number bad" : "number faint"}>{node.this ? "–" : span(node.silent_ms)}</td>
      <td class="faint">{node.version || "–"}</td>
      {handOver && (
        <td>
          {!node.this && (
            <button type="button" class="small" disabled={node.down} onClick={handOver} aria-label={`Hand over to ${node.address}`}>
              Hand over…
            </button>
          )}
        </td>
      )}
    </tr>
  );
}

function Snapshots({ of, sequence }: { of: LogSnapshots | null; sequence: number }) {
  if (of === null) return <Fact name="Snapshots" value="none: log-snapshots names no place" />;
  const newest = of.newest_sequence ? `${exact(sequence - of.newest_sequence)} records ago` : "none yet";
  return (
    <>
      <Fact name="Newest snapshot" value={of.making ? `${newest}, one is being made` : newest} />
      <Fact name="Made by this server" value={exact(of.made)} />
      {of.error !== null && <Fact name="Snapshots fail" value={of.error} isBad />}
    </>
  );
}
