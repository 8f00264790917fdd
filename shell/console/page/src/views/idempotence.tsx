// Which streams remember idempotent IDs, and what that caught.

import { type Streams, query, segment } from "../api";
import { count, exact, plural } from "../format";
import { useLive, usePoll } from "../live";
import { streamPlace } from "../router";
import { Card, Code, Empty, Loading, Name, Stat, Table, Trouble } from "../ui";

export function IdempotenceView() {
  const { samples } = useLive();
  const sums = samples.at(-1)?.overview.streams;
  const { data, fault, reload } = usePoll<Streams>(`/streams${query({ sort: "duplicates", count: 200 })}`, 1000);
  const rows = data?.streams.filter((row) => row.iids > 0 || row.duplicates > 0) ?? [];
  return (
    <>
      <h1>Idempotence</h1>
      {sums && (
        <div class="stats small">
          <Stat
            label="Duplicates caught"
            value={<span title={exact(sums.duplicates)}>{count(sums.duplicates)}</span>}
            note="retries that added nothing"
            tone={sums.duplicates > 0 ? "good" : undefined}
          />
          <Stat label="Producers" value={count(sums.producers)} note="of which IDs are remembered" />
          <Stat label="IDs remembered" value={count(sums.iids)} note="by all streams" />
        </div>
      )}
      {fault && fault.code !== "offline" && <Trouble fault={fault} retry={reload} />}
      {!data && !fault && <Loading what="streams" />}
      {data && rows.length === 0 && (
        <Card>
          <Empty title="No stream remembers an idempotent ID">
            <p>
              A producer that names itself and its message can send again without storing it twice. Try it: the second
              line is a retry.
            </p>
            <Code
              text={"redis-cli XADD orders IDMP till-7 sale-1 '*' item tea\nredis-cli XADD orders IDMP till-7 sale-1 '*' item tea"}
            />
          </Empty>
        </Card>
      )}
      {rows.length > 0 && (
        <Card class="list" title="Streams" aside={plural(rows.length, "stream")}>
          <Table label="Streams that remember idempotent IDs">
            <thead>
              <tr>
                <th scope="col">Stream</th>
                <th scope="col" class="number">Duplicates caught</th>
                <th scope="col" class="number">IDs remembered</th>
                <th scope="col" class="number">Producers</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={`${row.db}/${segment(row.name)}`}>
                  <td>
                    <a data-row href={streamPlace(row.db, row.name, "idempotence")}>
                      <Name text={row.name} />
                    </a>
                    {row.db > 0 && <span class="badge">db {row.db}</span>}
                  </td>
                  <td class={`number ${row.duplicates ? "good" : "faint"}`}>{count(row.duplicates)}</td>
                  <td class="number">{count(row.iids)}</td>
                  <td class="number">{count(row.producers)}</td>
                </tr>
              ))}
            </tbody>
          </Table>
        </Card>
      )}
    </>
  );
}
