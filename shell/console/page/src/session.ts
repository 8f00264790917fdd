// Who is signed in: a token, which stands for a name and a password, and is all that is kept.

import { useEffect, useState } from "preact/hooks";

export interface Session {
  /** The name of the user; null while nobody is signed in. */
  user: string | null;
  token: string | null;
  /** What the server said when it wanted to know who calls; null if it serves this caller. */
  refusal: string | null;
}

/** Where the token is kept, for as long as the tab is open. */
const KEY = "weir-session";

function kept(): Session {
  try {
    const { user, token } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    if (typeof user === "string" && typeof token === "string") return { user, token, refusal: null };
  } catch {
    // What is there is not what this page has written.
  }
  return { user: null, token: null, refusal: null };
}

let session = kept();
const listeners = new Set<(session: Session) => void>();

function change(next: Session): void {
  session = next;
  if (session.token === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify({ user: session.user, token: session.token }));
  for (const listener of listeners) listener(session);
}

export function authorization(): Record<string, string> {
  return session.token === null ? {} : { authorization: `Bearer ${session.token}` };
}

/** The server does not serve who calls: the token has ended, or there is none and it wants one. */
export function refused(message: string): void {
  if (session.refusal !== null) return;
  const isOver = session.token !== null;
  const why = isOver ? "The sign-in has ended: its time is over, or the user was changed." : message;
  change({ user: session.user, token: null, refusal: why });
}

/** Signs in. Returns why not, if the server refuses. */
export async function signIn(user: string, password: string): Promise<string | null> {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  const basic = btoa(String.fromCharCode(...bytes));
  try {
    const answer = await fetch("/api/v1/session", {
      method: "POST",
      headers: { authorization: `Basic ${basic}` },
      credentials: "omit",
    });
    const told = await answer.json();
    if (!answer.ok) return told.message;
    change({ user, token: told.token, refusal: null });
    return null;
  } catch {
    return "The server does not answer.";
  }
}

export async function signOut(): Promise<void> {
  const ended = fetch("/api/v1/session/end", { method: "POST", headers: authorization(), credentials: "omit" });
  await ended.catch(() => null);
  change({ user: null, token: null, refusal: null });
}

/** Calls whenever somebody signs in or out, or has to. */
export function onSession(listener: (session: Session) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function useSession(): Session {
  const [now, set] = useState(session);
  useEffect(() => onSession(set), []);
  return now;
}
