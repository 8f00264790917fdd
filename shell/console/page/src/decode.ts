// Values as they are read: JSON and MessagePack indented, text as it is, other bytes as a dump.

import { decode as unpack } from "@msgpack/msgpack";
import { type Text, bytesOf } from "./api";

export interface Decoded {
  kind: "text" | "JSON" | "MessagePack" | "bytes";
  text: string;
}

/** Text of JSON with a word for each of its parts. */
export interface Token {
  kind: "key" | "string" | "number" | "word" | "mark";
  text: string;
}

/** Bytes of a value that are decoded; of a longer one only the text is shown. */
const DECODED_BYTES_MAX = 256 * 1024;

export function decoded(value: Text): Decoded {
  if (typeof value === "string") {
    const first = value.trimStart()[0];
    if ((first === "{" || first === "[") && value.length <= DECODED_BYTES_MAX) {
      const pretty = indented(value);
      if (pretty !== null) return { kind: "JSON", text: pretty };
    }
    return { kind: "text", text: value };
  }
  const bytes = bytesOf(value);
  if (bytes.length <= DECODED_BYTES_MAX) {
    try {
      const found: unknown = unpack(bytes, { useBigInt64: true });
      if (typeof found === "object" && found !== null) {
        return { kind: "MessagePack", text: written(found, "") };
      }
    } catch {
      // It is something else.
    }
  }
  return { kind: "bytes", text: dump(bytes) };
}

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;

/** JSON, indented; null if it is none. Its numbers stay as they were written. */
function indented(text: string): string | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let depth = 0;
  let result = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  let before = "";
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === "}" || token === "]") {
      depth -= 1;
      if (before !== "{" && before !== "[") result += line();
    } else if (before === "{" || before === "[") {
      result += line();
    }
    result += token;
    if (token === "{" || token === "[") depth += 1;
    if (token === ",") result += line();
    if (token === ":") result += " ";
    before = token;
  }
  return result;
}

/** Text of JSON in parts, so that each can have its colour. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKENS)) {
    if (match.index > at) found.push({ kind: "mark", text: text.slice(at, match.index) });
    const token = match[0];
    at = match.index + token.length;
    const kind = token.startsWith('"')
      ? text[at] === ":"
        ? "key"
        : "string"
      : /^[-\d]/.test(token)
        ? "number"
        : /^[a-z]/.test(token)
          ? "word"
          : "mark";
    found.push({ kind, text: token });
  }
  if (at < text.length) found.push({ kind: "mark", text: text.slice(at) });
  return found;
}

/** What MessagePack stands for, written like JSON. */
function written(value: unknown, indent: string): string {
  const deeper = `${indent}  `;
  if (value instanceof Uint8Array) return `"${hex(value)}"`;
  if (value instanceof Date) return `"${value.toISOString()}"`;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    const parts = value.map((part) => deeper + written(part, deeper));
    return `[\n${parts.join(",\n")}\n${indent}]`;
  }
  if (typeof value === "object" && value !== null) {
    const pairs = Object.entries(value);
    if (pairs.length === 0) return "{}";
    const parts = pairs.map(([key, part]) => `${deeper}${JSON.stringify(key)}: ${written(part, deeper)}`);
    return `{\n${parts.join(",\n")}\n${indent}}`;
  }
  if (typeof value === "string") return JSON.stringify(value);
  return String(value);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes in rows of sixteen, with the letters among them. */
function dump(bytes: Uint8Array): string {
  const rows: string[] = [];
  const end = Math.min(bytes.length, 4096);
  const width = Math.min(end, 16) * 3 - 1;
  for (let at = 0; at < end; at += 16) {
    const row = bytes.subarray(at, Math.min(at + 16, end));
    const digits = [...row].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const letters = [...row].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·"));
    rows.push(`${at.toString(16).padStart(4, "0")}  ${digits.padEnd(width)}  ${letters.join("")}`);
  }
  if (bytes.length > end) rows.push(`… and ${bytes.length - end} bytes more`);
  return rows.join("\n");
}
