// The groups of all streams, the one that has most to do first.

import { useState } from "preact/hooks";
import { type GroupBehind, query, segment } from "../api";
import { count } from "../format";
import { usePoll } from "../live";
import { groupPlace, streamPlace } from "../router";
import { Card, Code, Empty, Loading, Name, Search, Table, Trouble } from "../ui";

export function GroupsView() {
  const [filter, setFilter] = useState("");
  const pattern = filter === "" || /[*?[\\]/.test(filter) ? filter : `*${filter}*`;
  const { data, fault, reload } = usePoll<{ groups: GroupBehind[] }>(
    `/groups${query({ match: pattern, count: 500 })}`,
    2000,
  );
  return (
    <>
      <div class="title">
        <h1>Groups</h1>
        <Search value={filter} label="Filter by stream" onInput={setFilter} />
      </div>
      {fault && fault.code !== "offline" && <Trouble fault={fault} retry={reload} />}
      {!data && !fault && <Loading what="groups" />}
      {data?.groups.length === 0 && (
        <Card>
          <Empty title={filter ? "No group fits the filter" : "There are no groups"}>
            {!filter && <Code text="redis-cli XGROUP CREATE orders kitchen 0 MKSTREAM" />}
          </Empty>
        </Card>
      )}
      {data && data.groups.length > 0 && (
        <Card class="list">
          <Table label="Groups, the one that has most to do first">
            <thead>
              <tr>
                <th scope="col">Group</th>
                <th scope="col">Stream</th>
                <th scope="col" class="number">To read</th>
                <th scope="col" class="number">Pending</th>
                <th scope="col" class="number">Consumers</th>
              </tr>
            </thead>
            <tbody>
              {data.groups.map((group) => (
                <tr key={`${group.db}/${segment(group.stream)}/${segment(group.name)}`}>
                  <td>
                    <a data-row href={groupPlace(group.db, group.stream, group.name)}>
                      <Name text={group.name} />
                    </a>
                  </td>
                  <td>
                    <a href={streamPlace(group.db, group.stream)}>
                      <Name text={group.stream} />
                    </a>
                    {group.db > 0 && <span class="badge">db {group.db}</span>}
                  </td>
                  <td class={`number ${group.lag ? "" : "faint"}`}>{count(group.lag)}</td>
                  <td class={`number ${group.pending ? "" : "faint"}`}>{count(group.pending)}</td>
                  <td class={`number ${group.consumers ? "" : "faint"}`}>{count(group.consumers)}</td>
                </tr>
              ))}
            </tbody>
          </Table>
        </Card>
      )}
    </>
  );
}
