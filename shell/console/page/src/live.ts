// The overview as it changes: one connection that listens to events, and what it told so far.

import { useEffect, useState } from "preact/hooks";
import { Fault, type Overview, answered, get } from "./api";
import { onSession } from "./session";

/** What was told at a moment, and how fast it grew since the one before. */
export interface Sample {
  at: number;
  overview: Overview;
  changesPerSecond: number;
  duplicatesPerSecond: number;
}

export interface Live {
  /** The latest first is at the end; none before the first event. */
  samples: Sample[];
  /** Why nothing is told; null if all is well. */
  fault: Fault | null;
  /** Grows each time that the server is there again. */
  returns: number;
}

/** How many samples are remembered: five minutes of them. */
const SAMPLES_MAX = 600;

/** How long nobody asks again after a failure. */
const RETRY_MS = 1500;

/** An event comes twice a second; when none came for this long, the server is gone. */
const SILENCE_MS = 6000;

let live: Live = { samples: [], fault: null, returns: 0 };
const listeners = new Set<(live: Live) => void>();
/** Ends the connection that listens; null while there is none. */
let source: AbortController | null = null;
let timer: number | undefined;

function change(next: Partial<Live>): void {
  live = { ...live, ...next };
  for (const listener of listeners) listener(live);
}

function heard(overview: Overview): void {
  const at = Date.now();
  const last = live.samples.at(-1);
  const seconds = last ? (at - last.at) / 1000 : 0;
  const restarted = last !== undefined && overview.uptime_seconds < last.overview.uptime_seconds;
  const growth = (of: (overview: Overview) => number) =>
    last && seconds > 0.2 && !restarted
      ? Math.max(0, (of(overview) - of(last.overview)) / seconds)
      : 0;
  const sample = {
    at,
    overview,
    changesPerSecond: growth((overview) => overview.last_lsn),
    duplicatesPerSecond: growth((overview) => overview.streams.duplicates),
  };
  const samples = [...live.samples.slice(1 - SAMPLES_MAX), sample];
  change({
    samples,
    returns: live.fault ? live.returns + 1 : live.returns,
    fault: null,
  });
  wait(SILENCE_MS);
}

/** Tries again after a while, unless something is heard before. */
function wait(ms: number): void {
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    hangUp();
    void failed();
  }, ms);
}

async function failed(): Promise<void> {
  // Events say only that there are none; the same question asked once says why.
  try {
    const overview = await get<Overview>("/overview");
    heard(overview);
    listen();
  } catch (error) {
    const fault = error instanceof Fault ? error : new Fault("unknown", String(error));
    change({ fault });
    // Nothing is told until somebody has signed in.
    if (fault.code !== "unauthorized") wait(RETRY_MS);
  }
}

function hangUp(): void {
  source?.abort();
  source = null;
}

/** Listens to events. An `EventSource` would do so without the token of who is signed in. */
function listen(): void {
  hangUp();
  const mine = new AbortController();
  source = mine;
  wait(SILENCE_MS);
  const ended = () => {
    if (source !== mine) return;
    source = null;
    wait(200);
  };
  void read(mine.signal).then(ended, ended);
}

/** Reads events until there are no more: each has its data in one line, and ends in an empty one. */
async function read(signal: AbortSignal): Promise<void> {
  const answer = await answered("/events", { signal });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done) return;
    const events = (text + value).split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data) heard(JSON.parse(data) as Overview);
    }
  }
}

/** Listens while the page is seen: a tab in the background takes no place of another's. */
export function start(): void {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      hangUp();
      clearTimeout(timer);
    } else if (!source) {
      listen();
    }
  });
  onSession(({ refusal }) => {
    if (refusal === null) return begin();
    hangUp();
    clearTimeout(timer);
  });
  listen();
}

/** Somebody else is signed in: what was told so far was told to another. */
function begin(): void {
  change({ samples: [], fault: null });
  listen();
}

export function useLive(): Live {
  const [now, set] = useState(live);
  useEffect(() => {
    listeners.add(set);
    set(live);
    return () => void listeners.delete(set);
  }, []);
  return now;
}

export interface Asked<T> {
  data: T | null;
  /** When it came. */
  at: number;
  fault: Fault | null;
  reload: () => void;
}

/** The answer at a path, asked again each so many milliseconds while the page is seen. */
export function usePoll<T>(path: string | null, everyMs: number): Asked<T> {
  const [state, set] = useState<{ path: string | null; data: T | null; at: number; fault: Fault | null }>({
    path,
    data: null,
    at: 0,
    fault: null,
  });
  const [turn, setTurn] = useState(0);
  const { returns } = useLive();
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    let next: number | undefined;
    const run = async () => {
      if (!document.hidden) {
        try {
          const data = await get<T>(path, abort.signal);
          set({ path, data, at: Date.now(), fault: null });
        } catch (error) {
          if (abort.signal.aborted) return;
          const fault = error instanceof Fault ? error : new Fault("unknown", String(error));
          // What was known is still shown; of something else nothing is.
          set((before) => ({ ...before, path, data: before.path === path ? before.data : null, fault }));
        }
      }
      if (!abort.signal.aborted) next = window.setTimeout(run, everyMs);
    };
    void run();
    return () => {
      abort.abort();
      clearTimeout(next);
    };
  }, [path, everyMs, turn, returns]);
  const isCurrent = state.path === path;
  return {
    data: isCurrent ? state.data : null,
    at: state.at,
    fault: isCurrent ? state.fault : null,
    reload: () => setTurn((turn) => turn + 1),
  };
}

/** The values of the last answers, for a curve. It begins again when `key` changes. */
export function useHistory(
  key: string,
  value: number | null,
  at: number,
  max = 120,
): [number, number][] {
  const [history, set] = useState<{ key: string; points: [number, number][] }>({ key, points: [] });
  useEffect(() => {
    if (value === null) return;
    set((before) => {
      const points = before.key === key ? before.points : [];
      return { key, points: [...points.slice(1 - max), [at, value]] };
    });
    // An answer is a point of the curve, even if its value is that of the one before.
  }, [key, at]);
  return history.key === key ? history.points : [];
}
