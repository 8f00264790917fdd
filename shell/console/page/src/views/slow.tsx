// Commands that took long.

import type { SlowCommand } from "../api";
import { shown } from "../api";
import { ago, clock, micros } from "../format";
import { usePoll } from "../live";
import { Card, Code, Empty, Loading, Name, Table, Trouble } from "../ui";

export function Slow() {
  const { data, fault, reload } = usePoll<{ commands: SlowCommand[] }>("/slow-log?count=200", 2000);
  return (
    <>
      <h1>Slow log</h1>
      {fault && fault.code !== "offline" && <Trouble fault={fault} retry={reload} />}
      {!data && !fault && <Loading what="the slow log" />}
      {data?.commands.length === 0 && (
        <Card>
          <Empty title="No command took long">
            <p>
              Commands that take longer than <code>slowlog-log-slower-than</code> microseconds show here. To see more:
            </p>
            <Code text="redis-cli CONFIG SET slowlog-log-slower-than 1000" />
          </Empty>
        </Card>
      )}
      {data && data.commands.length > 0 && (
        <Card class="list">
          <Table label="Slow commands, the latest first">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col" class="number">Took</th>
                <th scope="col">Command</th>
                <th scope="col">Client</th>
              </tr>
            </thead>
            <tbody>
              {data.commands.map((command) => (
                <tr key={command.id}>
                  <td title={clock(command.at_seconds * 1000)}>{ago(command.at_seconds * 1000)}</td>
                  <td class={`number ${command.took_us > 100_000 ? "warn" : ""}`}>{micros(command.took_us)}</td>
                  <td class="id long">{command.arguments.map(shown).join(" ")}</td>
                  <td>
                    {shown(command.client_name) ? <Name text={command.client_name} /> : <span class="id">{shown(command.address)}</span>}
                  </td>
                </tr>
              ))}
            </tbody>
          </Table>
        </Card>
      )}
    </>
  );
}
