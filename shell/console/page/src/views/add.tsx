// An entry is added by hand.

import { useState } from "preact/hooks";
import { Action } from "../action";
import { Field, Icon } from "../ui";

export function AddEntry(props: { path: string; name: string; onClose: () => void; onDone: () => void }) {
  const [fields, setFields] = useState<[string, string][]>([["", ""]]);
  const [id, setId] = useState("*");
  const [producer, setProducer] = useState("");
  const [iid, setIid] = useState("");
  const change = (index: number, part: 0 | 1, text: string) =>
    setFields(fields.map((pair, at) => (at !== index ? pair : part === 0 ? [text, pair[1]] : [pair[0], text])));
  const named = fields.filter(([name, value]) => name !== "" || value !== "");
  const isWhole = named.length > 0 && id !== "" && (producer === "") === (iid === "");
  const body = {
    id,
    fields: named,
    ...(producer !== "" && { idempotent: { producer, iid } }),
  };
  return (
    <Action
      title={`Add an entry to ${props.name}`}
      path={props.path}
      body={isWhole ? body : null}
      verb="Add the entry"
      onClose={props.onClose}
      onDone={props.onDone}
    >
      {fields.map(([name, value], index) => (
        <div class="pair" key={index}>
          <Field label="Field">
            <input value={name} spellcheck={false} onInput={(event) => change(index, 0, event.currentTarget.value)} />
          </Field>
          <Field label="Value">
            <textarea rows={1} value={value} spellcheck={false} onInput={(event) => change(index, 1, event.currentTarget.value)} />
          </Field>
          <button
            type="button"
            class="ghost"
            aria-label={`Remove field ${index + 1}`}
            disabled={fields.length === 1}
            onClick={() => setFields(fields.filter((_, at) => at !== index))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <button type="button" class="small" onClick={() => setFields([...fields, ["", ""]])}>
        <Icon name="plus" /> Another field
      </button>
      <details>
        <summary>ID, and once only</summary>
        <div class="pair three">
          <Field label="ID" hint="* makes one">
            <input value={id} spellcheck={false} onInput={(event) => setId(event.currentTarget.value)} />
          </Field>
          <Field label="Producer" hint="with an idempotent ID">
            <input value={producer} spellcheck={false} onInput={(event) => setProducer(event.currentTarget.value)} />
          </Field>
          <Field label="Idempotent ID" hint="a retry adds nothing">
            <input value={iid} spellcheck={false} onInput={(event) => setIid(event.currentTarget.value)} />
          </Field>
        </div>
      </details>
    </Action>
  );
}
