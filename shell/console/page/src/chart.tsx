// Curves over time, by uPlot.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Line {
  name: string;
  /** The name of a variable of the style sheet. */
  colour: string;
  values: number[];
}

/** A colour of the style sheet, as it is in the theme that is shown. */
function colour(variable: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const HEIGHT = 170;

/** Seconds that are shown at least, so that the first curve does not stretch from edge to edge. */
const SECONDS_MIN = 30;

function range(_: uPlot, min: number, max: number): [number, number] {
  const last = max ?? Date.now() / 1000;
  return [Math.min(min ?? last, last - SECONDS_MIN), last];
}

export function Chart(props: {
  label: string;
  times: number[];
  lines: Line[];
  format: (value: number) => string;
  theme: string;
}) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const data: uPlot.AlignedData = [
    props.times.map((ms) => ms / 1000),
    ...props.lines.map((line) => line.values),
  ];
  useEffect(() => {
    const parent = element.current;
    if (!parent) return;
    const [faint, line] = [colour("--faint"), colour("--line")];
    const axis = {
      stroke: faint,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    const made = new uPlot(
      {
        width: parent.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { points: { size: 6 }, y: false },
        padding: [8, 26, 0, 0],
        scales: { x: { range }, y: { range: (_, __, max) => [0, Math.max(max * 1.15, 1)] } },
        axes: [
          { ...axis, grid: { show: false }, space: 70, size: 26, gap: 6, values: [[1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
          { ...axis, size: 54, values: (_, ticks) => ticks.map(props.format) },
        ],
        series: [
          {},
          ...props.lines.map((line) => ({
            label: line.name,
            stroke: colour(line.colour),
            fill: colour(`${line.colour}-wash`),
            width: 1.75,
            points: { show: false },
          })),
        ],
      },
      data,
      parent,
    );
    chart.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: parent.clientWidth, height: HEIGHT }));
    observer.observe(parent);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [props.theme, props.lines.length]);
  useEffect(() => chart.current?.setData(data), [props.times.at(-1), props.times.length]);
  const latest = props.lines.map((line) => `${line.name} ${props.format(line.values.at(-1) ?? 0)}`);
  return (
    <figure class="chart">
      <div ref={element} role="img" aria-label={`${props.label}: ${latest.join(", ")}`} />
      <figcaption>
        {props.lines.map((line) => (
          <span key={line.name} class={`key ${line.colour.slice(2)}`}>
            {line.name} <b>{props.format(line.values.at(-1) ?? 0)}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
