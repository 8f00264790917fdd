// Parts that several views are made of.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { type Fault, type Text, shown } from "./api";
import { clock, count, isTime, timeOf } from "./format";

const ICONS = {
  overview: "M4 13h6V4H4zm10 7h6V4h-6zM4 20h6v-4H4z",
  streams: "M3 7c3 0 3 3 6 3s3-3 6-3 3 3 6 3M3 14c3 0 3 3 6 3s3-3 6-3 3 3 6 3",
  groups: "M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zm-6 8c0-3 2.700-5 6-5s6 2 6 5m1-14a3 3 0 0 1 0 6m2 3c2 .6 3 2.400 3 5",
  idempotence: "M12 4 5 7v5c0 4 3 7 7 8 4-1 7-4 7-8V7zm-3 8 2.200 2.200L15.500 10",
  durability: "M5 6c0-1.700 3-3 7-3s7 1.300 7 3-3 3-7 3-7-1.300-7-3zm0 0v12c0 1.700 3 3 7 3s7-1.300 7-3V6M5 12c0 1.700 3 3 7 3s7-1.300 7-3",
  cluster: "M12 3a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM5 16a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zm14 0a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM10.700 7.700 6.300 16m7-8.300 4.400 8.300M8 18.500h8",
  keys: "M14.500 13.500a4.500 4.500 0 1 0-4-4L4 16v4h4v-2h2v-2h2z",
  clients: "M4 5h16v11H4zm4 15h8m-4-4v4",
  slow: "M12 7v5l3 2m6-2a9 9 0 1 1-18 0 9 9 0 0 1 18 0z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.500 1.500m11 11L19 19M5 19l1.500-1.500m11-11L19 5",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z",
  auto: "M12 3a9 9 0 1 0 0 18zm0 0v18a9 9 0 0 0 0-18z",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zm5-1.500L20 20",
  plus: "M12 5v14M5 12h14",
  pause: "M8 5v14M16 5v14",
  play: "M7 5l12 7-12 7z",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.500l4.500 4.500L19 7",
  user: "M12 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zm-7 9c0-3.500 3-6 7-6s7 2.500 7 6",
  leave: "M14 8V5H4v14h10v-3M9 12h11m-3.500-3.500L20 12l-3.500 3.500",
  clock: "M12 7v5l3 2m6-2a9 9 0 1 1-18 0 9 9 0 0 1 18 0z",
  warn: "M12 4 2.500 20h19zM12 10v4m0 3v.01",
  right: "M9 6l6 6-6 6",
  keyboard: "M3 6h18v12H3zm4 4h.01M11 10h.01M15 10h.01M17 10h.01M8 14h8",
};

export type IconName = keyof typeof ICONS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}

/** A name of somebody else's, which is text whatever is in it. */
export function Name({ text }: { text: Text }) {
  const name = shown(text);
  if (name === "") return <span class="faint">(empty)</span>;
  return <span class={typeof text === "string" ? "name" : "name bytes"}>{name}</span>;
}

export function Id({ id }: { id: string }) {
  const ms = timeOf(id);
  return (
    <span class="id" title={isTime(ms) ? clock(ms) : undefined}>
      {id}
    </span>
  );
}

export function Card(props: {
  title?: ComponentChildren;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`card ${props.class ?? ""}`}>
      {props.title && (
        <header>
          <h2>{props.title}</h2>
          {props.aside && <div class="aside">{props.aside}</div>}
        </header>
      )}
      {props.children}
    </section>
  );
}

export function Stat(props: {
  label: string;
  value: ComponentChildren;
  note?: ComponentChildren;
  tone?: "good" | "warn" | "bad" | undefined;
  href?: string;
}) {
  const inside = (
    <>
      <span class="label">{props.label}</span>
      <span class="value">{props.value}</span>
      {props.note !== undefined && <span class="note">{props.note}</span>}
    </>
  );
  const style = `stat ${props.tone ?? ""}`;
  return props.href ? (
    <a class={style} href={props.href}>
      {inside}
    </a>
  ) : (
    <div class={style}>{inside}</div>
  );
}

/** How full something is. */
export function Meter(props: { value: number; max?: number; label: string }) {
  const max = props.max ?? 100;
  const part = max > 0 ? Math.min(1, props.value / max) : 0;
  const tone = part >= 0.9 ? "bad" : part >= 0.7 ? "warn" : "";
  return (
    <svg
      class={`meter ${tone}`}
      viewBox="0 0 100 6"
      preserveAspectRatio="none"
      role="img"
      aria-label={props.label}
    >
      <rect class="rest" width="100" height="6" rx="3" />
      {part > 0 && <rect class="part" width={Math.max(2, part * 100)} height="6" rx="3" />}
    </svg>
  );
}

/** The shape of the last values, without axes. */
export function Spark({ values, label }: { values: number[]; label: string }) {
  const [width, height] = [96, 22];
  const max = Math.max(...values, 1e-9);
  const step = width / Math.max(values.length - 1, 1);
  const points = values.map(
    (value, index) => `${(index * step).toFixed(1)} ${(height - 2 - (value / max) * (height - 4)).toFixed(1)}`,
  );
  const line = points.length > 1 ? `M${points.join("L")}` : `M0 ${height - 2}H${width}`;
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {points.length > 1 && <path class="area" d={`${line}V${height}H0z`} />}
      <path class="line" d={line} />
    </svg>
  );
}

/** Columns that show how often each value was met. */
export function Histogram(props: {
  bars: { name: string; count: number }[];
  label: string;
  /** No column is worse than another. */
  plain?: boolean;
}) {
  const { bars, label, plain } = props;
  const max = Math.max(...bars.map((bar) => bar.count), 1);
  return (
    <ul class={plain ? "histogram plain" : "histogram"} aria-label={label}>
      {bars.map((bar) => (
        <li key={bar.name}>
          <span class="count">{count(bar.count)}</span>
          <svg viewBox="0 0 10 60" preserveAspectRatio="none" aria-hidden="true">
            <rect
              x="0"
              y={60 - Math.max(bar.count ? 2 : 0.5, (bar.count / max) * 60)}
              width="10"
              height={Math.max(bar.count ? 2 : 0.5, (bar.count / max) * 60)}
            />
          </svg>
          <span class="of">{bar.name}</span>
        </li>
      ))}
    </ul>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="loading" role="status">
      <span class="wave" aria-hidden="true" />
      Loading {what}…
    </div>
  );
}

export function Empty(props: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 80 24" aria-hidden="true">
        <path d="M2 6h24c10 0 11 12 21 12h31M2 13h18c10 0 11 8 21 8" />
      </svg>
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}

/** Why something cannot be shown, and what to do. */
export function Trouble({ fault, retry }: { fault: Fault; retry?: () => void }) {
  const advice: Record<string, string> = {
    offline: "It is asked again until it answers. Look at its log, or start it.",
    "not-allowed": "Sign in as a user whose rules allow it, or ask an administrator for the right.",
    "not-found": "It may have been deleted or renamed.",
    "wrong-type": "The key holds a value of another type: look under Keys.",
    "not-ready": "Wait until the server is ready, or look at Durability.",
  };
  return (
    <div class="trouble" role="alert">
      <Icon name="warn" />
      <div>
        <strong>{fault.message}</strong>
        {advice[fault.code] && <p>{advice[fault.code]}</p>}
      </div>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Copy({ text, what }: { text: string; what: string }) {
  const [done, set] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text).catch(() => {});
    set(true);
    setTimeout(() => set(false), 1200);
  };
  return (
    <button type="button" class="ghost small" onClick={copy} aria-label={`Copy ${what}`} title={`Copy ${what}`}>
      <Icon name={done ? "check" : "copy"} />
    </button>
  );
}

export function Code({ text }: { text: string }) {
  return (
    <div class="code">
      <pre tabIndex={0}>{text}</pre>
      <Copy text={text} what="the command" />
    </div>
  );
}

export function Field(props: { label: string; hint?: string; children: ComponentChildren }) {
  return (
    <label class="field">
      <span>{props.label}</span>
      {props.children}
      {props.hint && <small>{props.hint}</small>}
    </label>
  );
}

export function Search(props: {
  value: string;
  label: string;
  onInput: (value: string) => void;
}) {
  return (
    <label class="search">
      <Icon name="search" />
      <input
        type="search"
        data-search
        value={props.value}
        placeholder={props.label}
        aria-label={props.label}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

/** A row of links of which one is where we are. */
export function Tabs(props: { tabs: { name: string; href: string; isHere: boolean }[]; label: string }) {
  return (
    <nav class="tabs" aria-label={props.label}>
      {props.tabs.map((tab) => (
        <a key={tab.name} href={tab.href} aria-current={tab.isHere ? "page" : undefined}>
          {tab.name}
        </a>
      ))}
    </nav>
  );
}

/** A table that can be scrolled to the side on a narrow page. */
export function Table(props: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.label}>
      <table>{props.children}</table>
    </div>
  );
}
