// What one stream remembers of its producers, and whether that is enough.

import { useState } from "preact/hooks";
import { Action } from "../action";
import { type Fit, type Producer, type Stream, type Text, address, segment, shown } from "../api";
import { Chart } from "../chart";
import { ago, count, exact, plural, span } from "../format";
import { useHistory, usePoll } from "../live";
import { Card, Code, Empty, Field, Icon, Loading, Meter, Name, Stat, Table, Trouble } from "../ui";

/** Producers that are looked at, those of one page. */
const PRODUCERS_MAX = 1000;

export function Idempotence(props: {
  db: number;
  stream: Text;
  known: Stream;
  theme: string;
  reload: () => void;
}) {
  const { idempotence } = props.known;
  const { db, stream } = props;
  const path = address("/streams/{stream}/producers", { stream }, { db, count: PRODUCERS_MAX });
  const { data, at, fault, reload } = usePoll<{ producers: Producer[]; cursor: string | null }>(path, 1000);
  const [settings, setSettings] = useState<Partial<Settings> | null>(null);
  const producers = data?.producers ?? [];
  const fit = usePoll<Fit>(address("/streams/{stream}/idempotence", { stream }, { db }), 1000);
  const used = fit.data?.busiest?.window_used_percent ?? Math.max(0, ...producers.map((of) => of.window_used_percent));
  const dropped = idempotence.counted?.dropped ?? null;
  const usedHistory = useHistory(`${path} used`, data ? used : null, at);
  if (fault && !data) return fault.code === "offline" ? null : <Trouble fault={fault} retry={reload} />;
  if (!data) return <Loading what="producers" />;
  return (
    <>
      <div class="stats small">
        <Stat
          label="Remembered for"
          value={span(idempotence.duration_seconds * 1000)}
          note={`at most ${count(idempotence.maxsize)} IDs of each producer`}
        />
        <Stat
          label="Fullest window"
          value={`${used} %`}
          tone={used >= 80 ? "warn" : undefined}
          note={<Meter value={used} label={`${used} % of the fullest window is used`} />}
        />
        <Stat
          label="Duplicates caught"
          value={<span title={exact(idempotence.duplicates)}>{count(idempotence.duplicates)}</span>}
          note={`beside ${count(idempotence.added)} that were added`}
          tone={idempotence.duplicates > 0 ? "good" : undefined}
        />
        <Stat
          label="Dropped early"
          value={dropped === null ? "–" : count(dropped)}
          note={dropped === null ? "not counted for this stream" : "IDs that a full window forgot"}
          tone={dropped ? "bad" : undefined}
        />
      </div>
      {producers.length === 0 ? (
        <Card>
          <Empty title="No producer is remembered">
            <p>Append with a producer and an ID, so that a retry adds nothing:</p>
            <Code text={`redis-cli XADD ${typeof props.known.name === "string" ? props.known.name : "STREAM"} IDMP till-7 sale-1 '*' item tea`} />
            <p>
              <button type="button" onClick={() => setSettings({})}>
                Change how much is remembered
              </button>
            </p>
          </Empty>
        </Card>
      ) : (
        <>
          {fit.data && <Recommendation fit={fit.data} apply={setSettings} />}
          <div class="columns">
            <Card title="Use of the fullest window" aside="since this tab was opened">
              <Chart
                label="Use of the fullest window in percent"
                theme={props.theme}
                times={usedHistory.map(([at]) => at)}
                format={(value) => `${Math.round(value)} %`}
                lines={[{ name: "used", colour: "--moss", values: usedHistory.map(([, value]) => value) }]}
              />
            </Card>
            <Card
              title="Settings"
              aside={
                <button type="button" class="small" onClick={() => setSettings({})}>
                  Change…
                </button>
              }
            >
              <dl class="facts">
                <div>
                  <dt>An ID is remembered for</dt>
                  <dd>{exact(idempotence.duration_seconds)} s</dd>
                </div>
                <div>
                  <dt>IDs of each producer, at most</dt>
                  <dd>{exact(idempotence.maxsize)}</dd>
                </div>
                <div>
                  <dt>IDs remembered now</dt>
                  <dd>{exact(idempotence.iids)}</dd>
                </div>
                <div>
                  <dt>What becomes of appends</dt>
                  <dd>
                    {dropped === null ? (
                      <button type="button" class="small" onClick={() => setSettings({ stats: true })}>
                        Count it
                      </button>
                    ) : (
                      "is counted"
                    )}
                  </dd>
                </div>
              </dl>
            </Card>
          </div>
          <Card class="list" title="Producers" aside={plural(producers.length, "producer") + (data.cursor ? " of more" : "")}>
            <Table label="Producers">
              <thead>
                <tr>
                  <th scope="col">Producer</th>
                  <th scope="col">Window</th>
                  <th scope="col" class="number">IDs</th>
                  <th scope="col" class="number">Last added</th>
                  <th scope="col" class="number">Duplicates</th>
                  <th scope="col" class="number">Conflicts</th>
                  <th scope="col" class="number">Dropped early</th>
                  <th scope="col" class="number">Epoch</th>
                </tr>
              </thead>
              <tbody>
                {producers.slice(0, 200).map((of) => (
                  <tr key={segment(of.name)}>
                    <td>
                      <Name text={of.name} />
                    </td>
                    <td class="bar">
                      <Meter value={of.window_used_percent} label={`${of.window_used_percent} % used`} />{" "}
                      <small>{of.window_used_percent} %</small>
                    </td>
                    <td class="number">{count(of.iids)}</td>
                    <td class="number">{of.active_ms === null ? "–" : ago(of.active_ms)}</td>
                    <Counted value={of.duplicates} tone="good" />
                    <Counted value={of.conflicts} tone="bad" />
                    <Counted value={of.dropped} tone="bad" />
                    <td class="number">{of.epoch || "–"}</td>
                  </tr>
                ))}
              </tbody>
            </Table>
          </Card>
        </>
      )}
      {settings && (
        <Configure
          path={address("/streams/{stream}/settings", { stream }, { db })}
          known={props.known}
          wanted={settings}
          onClose={() => setSettings(null)}
          onDone={() => {
            reload();
            props.reload();
          }}
        />
      )}
    </>
  );
}

function Counted({ value, tone }: { value: number | null; tone: string }) {
  return <td class={`number ${value ? tone : "faint"}`}>{value === null ? "–" : count(value)}</td>;
}

function Recommendation({ fit, apply }: { fit: Fit; apply: (settings: Partial<Settings>) => void }) {
  const { advice, busiest } = fit;
  const tone = advice || fit.full > 0 ? (fit.dropped ? "bad" : "warn") : "good";
  const title = advice
    ? `Remember ${count(advice.maxsize)} IDs of each producer`
    : fit.full > 0
      ? "The window is full, and cannot be larger"
      : fit.monotone
        ? "IDs are numbers"
        : "The window is large enough";
  const reason = `${fit.reason.charAt(0).toUpperCase()}${fit.reason.slice(1)}.`;
  return (
    <section class={`advice ${tone}`} aria-label="Recommendation">
      <Icon name={tone === "good" ? "check" : "warn"} />
      <div>
        <h2>{title}</h2>
        <p>
          {reason} {fit.full > 0 && busiest && `The busiest is ${shown(busiest.name)}.`}
        </p>
      </div>
      {advice && (
        <button type="button" class="primary" onClick={() => apply({ maxsize: advice.maxsize })}>
          Remember {count(advice.maxsize)}…
        </button>
      )}
    </section>
  );
}

interface Settings {
  maxsize: number;
  stats: boolean;
}

function Configure(props: {
  path: string;
  known: Stream;
  wanted: Partial<Settings>;
  onClose: () => void;
  onDone: () => void;
}) {
  const { idempotence } = props.known;
  const [maxsize, setMaxsize] = useState(String(props.wanted.maxsize ?? idempotence.maxsize));
  const [duration, setDuration] = useState(String(idempotence.duration_seconds));
  const [keep, setKeep] = useState(true);
  const isStats = props.wanted.stats !== undefined;
  const given = (text: string, old: number) => (Number(text) !== old ? Number(text) : undefined);
  const changes = { maxsize: given(maxsize, idempotence.maxsize), duration_seconds: given(duration, idempotence.duration_seconds) };
  const isChange = changes.maxsize !== undefined || changes.duration_seconds !== undefined;
  const body = isStats ? { settings: { "idmp-stats": "ON" } } : isChange ? { ...changes, keep } : null;
  const smaller =
    keep && (Number(maxsize) < idempotence.maxsize || Number(duration) < idempotence.duration_seconds);
  return (
    <Action
      title={isStats ? "Count what becomes of appends" : "How much is remembered"}
      path={props.path}
      body={body}
      verb={isStats ? "Count it" : "Apply"}
      warning={
        isStats
          ? undefined
          : !keep
            ? `All ${exact(idempotence.iids)} IDs that are remembered now are forgotten. A retry of one of them is stored twice.`
            : smaller
              ? "IDs that the smaller window has no room for are forgotten. A retry of one of them is stored twice."
              : undefined
      }
      onClose={props.onClose}
      onDone={props.onDone}
    >
      {!isStats && (
        <>
          <div class="pair">
            <Field label="IDs of each producer" hint="1 to 10,000">
              <input
                type="number"
                min="1"
                max="10000"
                value={maxsize}
                onInput={(event) => setMaxsize(event.currentTarget.value)}
              />
            </Field>
            <Field label="Seconds" hint="1 to 86,400">
              <input
                type="number"
                min="1"
                max="86400"
                value={duration}
                onInput={(event) => setDuration(event.currentTarget.value)}
              />
            </Field>
          </div>
          <label class="tick">
            <input type="checkbox" checked={keep} onChange={() => setKeep(!keep)} /> Keep what is remembered
          </label>
        </>
      )}
    </Action>
  );
}
