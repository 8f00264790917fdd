// Figures that several views show: facts of a list, and histograms.

import type { Bucket } from "../api";
import { Histogram } from "../ui";

export function Fact({ name, value, isBad }: { name: string; value: string; isBad?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isBad ? "bad" : ""}>{value}</dd>
    </div>
  );
}

export interface Range {
  from: number;
  upTo: number;
  count: number;
}

/** The parts of a histogram, each with what is in it alone, and `factor` times as wide. */
export function ranges(buckets: Bucket[], factor: number): Range[] {
  const found: Range[] = [];
  let [from, before] = [0, 0];
  for (const [index, bucket] of buckets.entries()) {
    const isBound = Number.isInteger(Math.round(Math.log2(bucket.up_to)) / Math.log2(factor));
    if (!isBound && index < buckets.length - 1) continue;
    found.push({ from: from + 1, upTo: bucket.up_to, count: bucket.count - before });
    [from, before] = [bucket.up_to, bucket.count];
  }
  // Nothing is below the first.
  const first = found.findIndex((range) => range.count > 0);
  return first < 0 ? [] : found.slice(first);
}

export function Sizes(props: { parts: Range[]; name: (range: Range) => string; label: string; none: string }) {
  if (props.parts.length === 0) return <p class="calm">{props.none}</p>;
  return (
    <Histogram
      plain
      label={props.label}
      bars={props.parts.map((range) => ({ name: props.name(range), count: range.count }))}
    />
  );
}
