// Numbers, sizes and times as they are read.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function count(value: number): string {
  return value < 100_000 ? whole.format(Math.round(value)) : short.format(value);
}

export function exact(value: number): string {
  return whole.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function rate(perSecond: number): string {
  if (Number.isInteger(perSecond)) return count(perSecond);
  return perSecond < 10 ? perSecond.toFixed(1) : count(perSecond);
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function micros(value: number): string {
  if (value < 1000) return `${value} µs`;
  if (value < 1_000_000) return `${(value / 1000).toPrecision(3)} ms`;
  return `${(value / 1_000_000).toPrecision(3)} s`;
}

/** How long something took or is ago. */
export function span(ms: number): string {
  if (ms < 0) ms = 0;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 60) return pair(minutes, "min", seconds % 60, "s");
  const hours = minutes / 60;
  if (hours < 24) return pair(hours, "h", minutes % 60, "min");
  return pair(hours / 24, "d", hours % 24, "h");
}

function pair(most: number, unit: string, rest: number, restUnit: string): string {
  const [whole, part] = [Math.floor(most), Math.floor(rest)];
  return part === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${part} ${restUnit}`;
}

/** How long ago, in one unit. */
export function ago(ms: number): string {
  const past = Date.now() - ms;
  if (ms === 0) return "never";
  if (past < -1000) return `in ${span(-past)}`;
  if (past < 2000) return "just now";
  const units: [number, string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1000, "s"],
  ];
  const [size, unit] = units.find(([size]) => past >= size) ?? [1000, "s"];
  return `${exact(Math.floor(past / size))} ${unit} ago`;
}

export function clock(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return String(ms);
  const two = (number: number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** The time in an ID, in milliseconds. */
export function timeOf(id: string): number {
  return Number(id.split("-")[0]);
}

/** Whether the time in an ID is one, rather than a number that somebody made up. */
export function isTime(ms: number): boolean {
  return ms > 946_684_800_000 && ms < 4_102_444_800_000;
}
