// Clients that are connected.

import { useState } from "preact/hooks";
import { bytes, exact, span } from "../format";
import { usePoll } from "../live";
import { Card, Empty, Loading, Search, Table, Trouble } from "../ui";

type Client = Record<string, string>;

export function Clients() {
  const [filter, setFilter] = useState("");
  const { data, fault, reload } = usePoll<{ clients: Client[] }>("/clients", 2000);
  const all = data?.clients ?? [];
  const fits = (client: Client) =>
    ["addr", "name", "user", "cmd"].some((field) => (client[field] ?? "").toLowerCase().includes(filter.toLowerCase()));
  const found = all.filter(fits);
  return (
    <>
      <div class="title">
        <h1>Clients</h1>
        {data && <span class="faint">{exact(all.length)}</span>}
        <Search value={filter} label="Address, name, user, command" onInput={setFilter} />
      </div>
      {fault && fault.code !== "offline" && <Trouble fault={fault} retry={reload} />}
      {!data && !fault && <Loading what="clients" />}
      {data && (
        <Card class="list">
          {found.length === 0 ? (
            <Empty title="No client fits the filter" />
          ) : (
            <Table label="Clients">
              <thead>
                <tr>
                  <th scope="col">Address</th>
                  <th scope="col">Name</th>
                  <th scope="col">User</th>
                  <th scope="col">Last command</th>
                  <th scope="col" class="number">Connected</th>
                  <th scope="col" class="number">Idle</th>
                  <th scope="col" class="number">Output waiting</th>
                </tr>
              </thead>
              <tbody>
                {found.slice(0, 500).map((client) => (
                  <tr key={client.id}>
                    <td class="id">{client.addr === ":0" ? "in the server" : client.addr || "–"}</td>
                    <td>{client.name || <span class="faint">–</span>}</td>
                    <td>{client.user}</td>
                    <td>
                      {client.cmd}
                      {client.flags?.includes("b") && <span class="badge">waiting</span>}
                    </td>
                    <td class="number">{span(Number(client.age) * 1000)}</td>
                    <td class="number">{span(Number(client.idle) * 1000)}</td>
                    <td class={`number ${client.omem === "0" ? "faint" : "warn"}`}>{bytes(Number(client.omem ?? 0))}</td>
                  </tr>
                ))}
              </tbody>
            </Table>
          )}
        </Card>
      )}
    </>
  );
}
