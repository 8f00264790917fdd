// Which view is shown: what is behind the `#` of the address.

import { useEffect, useState } from "preact/hooks";
import { type Text, segment } from "./api";

/** The parts of the address, as they were written, and what follows a question mark. */
export interface Place {
  parts: string[];
  query: URLSearchParams;
}

export function here(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  // A part may be empty: it is the name of a key.
  return { parts: path === "" ? [] : path.split("/"), query: new URLSearchParams(query) };
}

export function usePlace(): Place {
  const [place, set] = useState(here);
  useEffect(() => {
    const changed = () => set(here());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return place;
}

export function go(to: string): void {
  location.hash = to;
}

export function streamPlace(db: number, stream: Text, tab = "entries"): string {
  return `#/streams/${db}/${segment(stream)}/${tab}`;
}

export function groupPlace(db: number, stream: Text, group: Text): string {
  return `#/streams/${db}/${segment(stream)}/groups/${segment(group)}`;
}
