// What the API tells, and how it is asked. `docs/console.md` and `/api/v1/openapi.json` describe it.

import { authorization, refused } from "./session";

/** Bytes: text if they are UTF-8. */
export type Text = string | { base64: string };

export interface Overview {
  version: string;
  uptime_seconds: number;
  ready: boolean;
  not_ready_because: string | null;
  /** Null if the server shares no log. */
  cluster_role: string | null;
  clients: number;
  clients_blocked: number;
  commands_per_second: number;
  memory_bytes: number;
  memory_limit_bytes: number;
  keys: number;
  slow_commands: number;
  last_lsn: number;
  streams: {
    streams: number;
    entries: number;
    bytes: number;
    groups: number;
    pending: number;
    producers: number;
    iids: number;
    duplicates: number;
    age_seconds: number;
  };
}

export interface StreamRow {
  db: number;
  name: Text;
  length: number;
  added: number;
  bytes: number;
  last_ms: number;
  groups: number;
  lag: number;
  pending: number;
  producers: number;
  iids: number;
  duplicates: number;
}

export interface Streams {
  streams: StreamRow[];
  total: number;
  cursor: string | null;
  age_seconds: number;
}

export interface Stream {
  name: Text;
  length: number;
  added: number;
  first_id: string;
  last_id: string;
  max_deleted_id: string;
  groups: number;
  delayed: number;
  idempotence: {
    duration_seconds: number;
    maxsize: number;
    producers: number;
    iids: number;
    added: number;
    duplicates: number;
    counted: { conflicts: number; fenced: number; stale: number; gaps: number; dropped: number } | null;
  };
}

/** How well a window of idempotent IDs fits. */
export interface Fit {
  monotone: boolean;
  full: number;
  busiest: { name: Text; iids: number; window_used_percent: number; reaches_back_ms: number } | null;
  dropped: number | null;
  advice: { duration_seconds: number; maxsize: number } | null;
  reason: string;
}

export interface Entry {
  id: string;
  fields: { name: Text; value: Text }[];
}

export interface Entries {
  entries: Entry[];
  next: string | null;
  looked_at: number;
}

export interface Group {
  name: Text;
  consumers: number;
  pending: number;
  last_delivered_id: string;
  entries_read: number | null;
  lag: number;
}

/** The value of a setting: a number, two numbers, or a word or a key. */
export type Setting = number | [number, number] | Text;

export interface OneGroup extends Group {
  settings: Record<string, Setting>;
  dead_letters: { stream: Text; entries: number | null } | null;
}

export interface DelayedEntry {
  ticket: string;
  due_ms: number;
  fields: { name: Text; value: Text }[];
}

export interface Delayed {
  entries: DelayedEntry[];
  total: number;
  next: string | null;
}

export interface GroupBehind {
  db: number;
  stream: Text;
  name: Text;
  consumers: number;
  pending: number;
  lag: number;
}

export interface Consumer {
  name: Text;
  pending: number;
  idle_ms: number;
  inactive_ms: number | null;
}

export interface Pending {
  id: string;
  consumer: Text;
  idle_ms: number | null;
  deliveries: number;
}

export interface Producer {
  name: Text;
  epoch: number;
  iids: number;
  window_used_percent: number;
  active_ms: number | null;
  duplicates: number | null;
  conflicts: number | null;
  fenced: number | null;
  dropped: number | null;
}

export interface Times {
  count: number;
  median_us: number;
  p99_us: number;
  longest_us: number;
  by_us: Bucket[];
}

/** A part of a histogram: how many are at most that large, those of the parts before included. */
export interface Bucket {
  up_to: number;
  count: number;
}

export interface Durability {
  journal: boolean;
  health: string;
  writes_refused_because: string | null;
  last_lsn: number;
  durable_lsn: number;
  commits: number;
  batches: number;
  commits_by_batches: Bucket[];
  journal_bytes: number;
  backlog_bytes: number;
  writes: Times;
  syncs: Times;
  background_syncs: Times;
  rewriting: boolean;
  rewrites: number;
  rewrite_failures: number;
  snapshotting: boolean;
  snapshots: number;
  snapshot_failures: number;
  last_snapshot_seconds: number;
  recovery: { bytes: number; batches: number; cut_bytes: number; took_ms: number };
}

/** The servers that share a log. */
export interface Cluster {
  name: string;
  role: string;
  epoch: number;
  leader: string | null;
  elections: number;
  lease_ms: number | null;
  staleness_ms: number | null;
  durable_lsn: number;
  log: {
    health: string;
    sequence: number;
    records_under_way: number;
    backlog_bytes: number;
    doubts: number;
    connected: string;
    servers: { name: string; leads: boolean; current: boolean; lag: number }[];
  };
  commits: { groups: number; batches: number; bytes: number; times: Times };
  nodes: ClusterNode[];
  snapshots: LogSnapshots | null;
}

export interface ClusterNode {
  address: string;
  version: string;
  leads: boolean;
  this: boolean;
  applied_lsn: number;
  lag: number;
  silent_ms: number;
  down: boolean;
}

export interface LogSnapshots {
  newest_sequence: number;
  made: number;
  making: boolean;
  took_ms: number;
  trimmed_to: number;
  error: string | null;
}

export interface Key {
  name: Text;
  kind: string;
  expires_in_ms: number | null;
}

export interface KeyValue extends Key {
  encoding: string | null;
  bytes: number | null;
  length: number;
  elements: { field: Text | null; value: Text; score: number | string | null }[];
  cursor: string | null;
}

export interface SlowCommand {
  id: number;
  at_seconds: number;
  took_us: number;
  arguments: Text[];
  address: Text;
  client_name: Text;
}

/** What an action did, or would do. */
export interface Done {
  dry_run: boolean;
  command: Text[];
  allowed: boolean;
  summary: string;
  count: number;
  id: string | null;
}

/** Why there is no answer: the API's word for it, or `offline` if nobody answers. */
export class Fault extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask(path, { signal: signal ?? null });
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
}

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  return (await answered(path, init)).json();
}

/** The answer at a path of the API, for who is signed in. */
export async function answered(path: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    const headers = { ...authorization(), ...init.headers };
    // Without credentials of the browser's own, it does not ask for a password by itself.
    answer = await fetch(`/api/v1${path}`, { ...init, headers, credentials: "omit" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Fault("offline", "The server does not answer.");
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  const message = typeof told.message === "string" ? told.message : `The answer is ${answer.status}.`;
  if (answer.status === 401) refused(message);
  throw new Fault(typeof told.error === "string" ? told.error : "unknown", message);
}

/** Parameters after a question mark; those without a value are left out. */
export function query(parameters: Record<string, string | number | boolean | null | undefined>): string {
  const given = Object.entries(parameters).filter(([, value]) => value != null && value !== "");
  const text = given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&");
  return text && `?${text}`;
}

/** Names that no path can have: browsers and proxies take them for steps. */
const NO_PART_OF_A_PATH = ["", ".", ".."];

/** A path of the API with names in the place of what is in braces, and parameters. */
export function address(
  path: string,
  names: Record<string, Text>,
  parameters: Parameters<typeof query>[0] = {},
): string {
  const others: Record<string, string> = {};
  const filled = path.replace(/\{(\w+)\}/g, (_, part: string) => {
    const name = names[part] ?? "";
    if (typeof name !== "string" || !NO_PART_OF_A_PATH.includes(name)) return segment(name);
    others[part] = name;
    return "-";
  });
  const rest = Object.entries(others).map(([part, name]) => `${part}=${encodeURIComponent(name)}`);
  const asked = query(parameters);
  return filled + (rest.length === 0 ? asked : `${asked || "?"}${asked && "&"}${rest.join("&")}`);
}

/** A name as a part of a path. */
export function segment(name: Text): string {
  if (typeof name === "string") return encodeURIComponent(name);
  return [...bytesOf(name)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

/** The bytes of a text. */
export function bytesOf(text: Text): Uint8Array {
  if (typeof text === "string") return new TextEncoder().encode(text);
  return Uint8Array.from(atob(text.base64), (letter) => letter.charCodeAt(0));
}

/** A text that can be read: bytes that are no UTF-8 as `\xff`. */
export function shown(text: Text): string {
  if (typeof text === "string") return text;
  return [...bytesOf(text)]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, "0")}`,
    )
    .join("");
}

/** The name that a part of a path stands for. */
export function named(part: string): Text {
  try {
    return decodeURIComponent(part);
  } catch {
    const raw = part.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    return { base64: btoa(raw) };
  }
}
