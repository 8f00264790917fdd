// A row of a list of entries: its fields in a line, and all of them once it is opened.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type Entry, shown } from "../api";
import { Icon, Name } from "../ui";
import { Value } from "./value";

/** How many fields a line shows, and how much of each. */
const FIELDS_MAX = 8;
const LETTERS_MAX = 120;

export function Row(props: {
  fields: Entry["fields"];
  /** What kind of a row it is, for its look. */
  class?: string;
  /** What is before the fields in the line, and behind them. */
  before: ComponentChildren;
  behind?: ComponentChildren;
  /** What is beside the line, such as a button. */
  beside?: ComponentChildren;
  /** What an open row says above its fields. */
  about: ComponentChildren;
}) {
  const [isOpen, setOpen] = useState(false);
  const style = [isOpen ? "open" : "", props.class ?? ""].join(" ").trim();
  return (
    <li class={style}>
      <button type="button" data-row class="entry" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Icon name="right" />
        {props.before}
        <span class="fields-line">
          {props.fields.slice(0, FIELDS_MAX).map((field, index) => (
            <span key={index}>
              <b>
                <Name text={field.name} />
              </b>{" "}
              {shown(field.value).slice(0, LETTERS_MAX)}
            </span>
          ))}
        </span>
        {props.behind}
      </button>
      {props.beside}
      {isOpen && (
        <div class="opened">
          <p class="faint">{props.about}</p>
          <dl>
            {props.fields.map((field, index) => (
              <div key={index}>
                <dt>
                  <Name text={field.name} />
                </dt>
                <dd>
                  <Value text={field.value} />
                </dd>
              </div>
            ))}
          </dl>
        </div>
      )}
    </li>
  );
}
