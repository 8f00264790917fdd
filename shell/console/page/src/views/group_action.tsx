// What can be done with a group and its pending entries.

import { useState } from "preact/hooks";
import { Action } from "../action";
import { type Text, address } from "../api";
import { plural } from "../format";
import { Field } from "../ui";

export type Chosen =
  | { kind: "ack" | "nack" | "claim"; ids: string[] }
  | { kind: "set-id"; at: string }
  | { kind: "redrive"; from: Text };

export function GroupAction(props: {
  path: (verb: string) => string;
  db: number;
  stream: Text;
  group: Text;
  chosen: Chosen;
  consumers: string[];
  onClose: () => void;
  onDone: () => void;
}) {
  const { chosen, onClose, onDone } = props;
  const [consumer, setConsumer] = useState("");
  const [reason, setReason] = useState("fail");
  const [id, setId] = useState(chosen.kind === "set-id" ? chosen.at : "");
  const rest = { path: props.path(chosen.kind), onClose, onDone };
  const [most, setMost] = useState("100");
  const entries = "ids" in chosen ? plural(chosen.ids.length, "entry", "entries") : "";
  switch (chosen.kind) {
    case "ack":
      return (
        <Action
          {...rest}
          title={`Acknowledge ${entries}`}
          body={{ ids: chosen.ids }}
          verb="Acknowledge"
          warning="Nobody gets an acknowledged entry again. Do this only if it was processed, or must not be."
        />
      );
    case "nack":
      return (
        <Action {...rest} title={`Give back ${entries}`} body={{ ids: chosen.ids, reason }} verb="Give back">
          <Field label="What this says of the last delivery">
            <select value={reason} onChange={(event) => setReason(event.currentTarget.value)}>
              <option value="silent">It does not count</option>
              <option value="fail">It failed: another may try</option>
              <option value="fatal">Nobody can process it</option>
            </select>
          </Field>
        </Action>
      );
    case "claim":
      return (
        <Action
          {...rest}
          title={`Claim ${entries}`}
          body={consumer === "" ? null : { ids: chosen.ids, consumer }}
          verb="Claim"
          warning="The consumer that has them now may still be working on them: then they are processed twice."
        >
          <Field label="Who gets them" hint="a consumer of the group, or a new one">
            <input
              value={consumer}
              list="consumers"
              spellcheck={false}
              onInput={(event) => setConsumer(event.currentTarget.value)}
            />
            <datalist id="consumers">
              {props.consumers.map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </Field>
        </Action>
      );
    case "redrive":
      return (
        <Action
          {...rest}
          path={address("/streams/{stream}/redrive", { stream: chosen.from }, { db: props.db })}
          title="Redrive dead letters"
          body={Number(most) > 0 ? { destination: props.stream, group: props.group, count: Number(most) } : null}
          verb="Redrive"
          warning="They are delivered again. Do this when what made them fail is mended."
        >
          <Field label="At most" hint="1 to 1,000, the oldest first">
            <input type="number" min="1" max="1000" value={most} onInput={(event) => setMost(event.currentTarget.value)} />
          </Field>
        </Action>
      );
    case "set-id":
      return (
        <Action
          {...rest}
          title="Set where the group reads on"
          body={id === "" ? null : { id }}
          verb="Set"
          warning="Back: entries are delivered again. Forward: those in between are never delivered."
        >
          <Field label="Above this ID" hint="0: all entries; $: only what is added from now on">
            <input value={id} spellcheck={false} onInput={(event) => setId(event.currentTarget.value)} />
          </Field>
        </Action>
      );
  }
}
