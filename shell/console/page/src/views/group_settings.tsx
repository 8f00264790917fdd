// What a group does by itself: shown, and changed.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Action } from "../action";
import { type OneGroup, type Setting, shown } from "../api";
import { exact, span } from "../format";
import { streamPlace } from "../router";
import { Card, Field, Name } from "../ui";

type Settings = OneGroup["settings"];

/** A setting of the server's (`XGROUP SETCFG`): the fields it is changed by, and what it means. */
interface Known {
  name: string;
  fields: { label: string; hint: string }[];
  says: (value: Setting, db: number) => ComponentChildren;
  label: string;
}

const number = (value: Setting) => (typeof value === "number" ? value : 0);

const KNOWN: Known[] = [
  {
    name: "claim",
    label: "An entry that is not acknowledged is given to another",
    fields: [{ label: "Given to another after", hint: "milliseconds; 0: never" }],
    says: (value) => (number(value) === 0 ? "never" : `after ${span(number(value))}`),
  },
  {
    name: "maxpending",
    label: "A consumer has pending, at most",
    fields: [{ label: "Pending of a consumer, at most", hint: "0: any number" }],
    says: (value) => (number(value) === 0 ? "any number" : exact(number(value))),
  },
  {
    name: "maxdeliveries",
    label: "An entry is delivered, at most",
    fields: [{ label: "Deliveries, at most", hint: "then it is a dead letter; 0: any number" }],
    says: (value) => (number(value) === 0 ? "any number of times" : `${exact(number(value))} times`),
  },
  {
    name: "deadletter",
    label: "Dead letters go to",
    fields: [{ label: "Dead-letter stream", hint: "empty: none" }],
    says: (value, db) =>
      typeof value === "number" || Array.isArray(value) || value === "" ? (
        "no stream"
      ) : (
        <a href={streamPlace(db, value)}>
          <Name text={value} />
        </a>
      ),
  },
  {
    name: "backoff",
    label: "Before it is given again, it waits",
    fields: [
      { label: "First pause", hint: "milliseconds; then twice as long" },
      { label: "Longest pause", hint: "milliseconds; 0 and 0: none" },
    ],
    says: (value) =>
      Array.isArray(value) && value[1] > 0 ? `${span(value[0])}, then longer, up to ${span(value[1])}` : "not at all",
  },
  {
    name: "jitter",
    label: "Pauses are shorter by up to",
    fields: [{ label: "Pauses shorter by up to", hint: "percent: 0 to 100" }],
    says: (value) => `${number(value)} %`,
  },
];

export function GroupSettings(props: { db: number; path: string; settings: Settings; onDone: () => void }) {
  const [isChanging, setChanging] = useState(false);
  const known = KNOWN.filter(({ name }) => name in props.settings);
  return (
    <Card
      title="What it does by itself"
      aside={
        <button type="button" class="small" onClick={() => setChanging(true)}>
          Change…
        </button>
      }
    >
      <dl class="facts">
        {known.map(({ name, label, says }) => (
          <div key={name}>
            <dt>{label}</dt>
            <dd>{says(props.settings[name] ?? 0, props.db)}</dd>
          </div>
        ))}
      </dl>
      {isChanging && (
        <Change
          path={props.path}
          known={known}
          settings={props.settings}
          onClose={() => setChanging(false)}
          onDone={props.onDone}
        />
      )}
    </Card>
  );
}

/** What stands in the fields of a setting. */
function texts(value: Setting): string[] {
  if (Array.isArray(value)) return value.map(String);
  return [typeof value === "number" ? String(value) : shown(value)];
}

function Change(props: {
  path: string;
  known: Known[];
  settings: Settings;
  onClose: () => void;
  onDone: () => void;
}) {
  // As they were when the dialog was opened: what is asked for again does not overwrite them.
  const [before] = useState(props.settings);
  const [given, setGiven] = useState<Record<string, string[]>>({});
  const body: Settings = {};
  for (const { name } of props.known) {
    const old = before[name] ?? 0;
    const now = given[name];
    if (!now || now.join(" ") === texts(old).join(" ")) continue;
    const [first = 0, second = 0] = now.map(Number);
    body[name] = Array.isArray(old) ? [first, second] : typeof old === "number" ? first : (now[0] ?? "");
  }
  const isNumber = (of: string) => typeof before[of] === "number" || Array.isArray(before[of]);
  return (
    <Action
      title="What the group does by itself"
      path={props.path}
      body={Object.keys(body).length > 0 ? { settings: body } : null}
      verb="Apply"
      warning={
        "claim" in body && number(body.claim ?? 0) > 0
          ? "An entry that is worked on for longer is given to a second consumer. XTOUCH keeps it."
          : undefined
      }
      onClose={props.onClose}
      onDone={props.onDone}
    >
      <div class="settings">
        {props.known.map(({ name, fields }) =>
          fields.map(({ label, hint }, index) => {
            const now = given[name] ?? texts(before[name] ?? 0);
            return (
              <Field key={label} label={label} hint={hint}>
                <input
                  value={now[index]}
                  spellcheck={false}
                  inputMode={isNumber(name) ? "numeric" : "text"}
                  onInput={(event) => {
                    const text = event.currentTarget.value;
                    setGiven({ ...given, [name]: now.map((old, at) => (at === index ? text : old)) });
                  }}
                />
              </Field>
            );
          }),
        )}
      </div>
    </Action>
  );
}
