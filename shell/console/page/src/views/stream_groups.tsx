// The groups of one stream.

import { type Group, type Text, address, segment, shown } from "../api";
import { count } from "../format";
import { usePoll } from "../live";
import { groupPlace } from "../router";
import { Card, Code, Empty, Id, Loading, Name, Table, Trouble } from "../ui";

export function StreamGroups({ db, stream }: { db: number; stream: Text }) {
  const path = address("/streams/{stream}/groups", { stream }, { db });
  const { data, fault, reload } = usePoll<{ groups: Group[] }>(path, 1500);
  if (fault && !data) return fault.code === "offline" ? null : <Trouble fault={fault} retry={reload} />;
  if (!data) return <Loading what="groups" />;
  if (data.groups.length === 0) {
    return (
      <Card>
        <Empty title="The stream has no groups">
          <p>A group gives each entry to one of its consumers:</p>
          <Code text={`redis-cli XGROUP CREATE ${shown(stream)} kitchen 0`} />
        </Empty>
      </Card>
    );
  }
  return (
    <Card class="list">
      <Table label="Groups">
        <thead>
          <tr>
            <th scope="col">Group</th>
            <th scope="col" class="number">To read</th>
            <th scope="col" class="number">Pending</th>
            <th scope="col" class="number">Consumers</th>
            <th scope="col">Last delivered</th>
          </tr>
        </thead>
        <tbody>
          {data.groups.map((group) => (
            <tr key={segment(group.name)}>
              <td>
                <a data-row href={groupPlace(db, stream, group.name)}>
                  <Name text={group.name} />
                </a>
              </td>
              <td class="number">{count(group.lag)}</td>
              <td class="number">{count(group.pending)}</td>
              <td class="number">{count(group.consumers)}</td>
              <td>
                <Id id={group.last_delivered_id} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
    </Card>
  );
}
