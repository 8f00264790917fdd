// A value, shown as what it is.

import { useState } from "preact/hooks";
import { type Text, bytesOf, shown } from "../api";
import { decoded, tokens } from "../decode";
import { bytes } from "../format";
import { Copy } from "../ui";

/** Letters that are shown at once; more are shown when asked for. */
const SHOWN_MAX = 4000;

export function Value({ text }: { text: Text }) {
  const [isWhole, setWhole] = useState(false);
  const found = decoded(text);
  const cut = !isWhole && found.text.length > SHOWN_MAX;
  const part = cut ? found.text.slice(0, SHOWN_MAX) : found.text;
  const isData = found.kind === "JSON" || found.kind === "MessagePack";
  return (
    <div class={`value-of ${found.kind}`}>
      <div class="kind">
        {found.kind !== "text" && <span class="badge">{found.kind}</span>}
        <small class="faint">{bytes(bytesOf(text).length)}</small>
        <Copy text={typeof text === "string" ? text : shown(text)} what="the value" />
      </div>
      <pre tabIndex={0}>
        {part === ""
          ? "(empty)"
          : isData
            ? tokens(part).map((token, index) => (
                <span key={index} class={token.kind}>
                  {token.text}
                </span>
              ))
            : part}
      </pre>
      {cut && (
        <button type="button" class="small" onClick={() => setWhole(true)}>
          Show all of it
        </button>
      )}
    </div>
  );
}
