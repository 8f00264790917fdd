//! Curves as SVG: sizes on a logarithmic axis, values on one that begins at 0, a line for each
//! server.
//!
//! A picture stands by itself: no script, no font from elsewhere, and colours for light and dark
//! surroundings. Lines differ by the form of their marks too. A bar at each mark reaches from the
//! least to the greatest round.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use crate::curve::{Curve, Line, lines, short_number};
use crate::runner::WorkResult;

/// Writes a file for each curve that has something to show; returns how many.
///
/// # Errors
/// When the folder cannot be made or a file cannot be written.
pub fn write_all(folder: &Path, results: &[WorkResult]) -> Result<usize> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut count = 0;
    for result in results {
        for curve in &result.curves {
            let lines = lines(curve, result);
            if lines.is_empty() {
                continue;
            }
            let path = folder.join(format!("{}.svg", curve.name));
            std::fs::write(&path, svg(curve, &lines))
                .with_context(|| path.display().to_string())?;
            count += 1;
        }
    }
    Ok(count)
}

/// The picture of a curve.
pub fn svg(curve: &Curve, lines: &[Line]) -> String {
    let axes = Axes::of(lines);
    let mut out = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">
<title>{title}: {y} against {x}</title>
<style>{STYLE}</style>
<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>
<text class="head" x="{LEFT}" y="26">{title}</text>
<text class="axis" x="{LEFT}" y="76">{y}</text>
<text class="axis" x="{middle}" y="{x_title_y}" text-anchor="middle">{x}</text>
"#,
        title = escaped(&curve.title),
        x = escaped(&curve.size_title),
        y = escaped(curve.metric.title()),
        middle = (LEFT + RIGHT) / 2.0,
        x_title_y = HEIGHT - 10.0,
    );
    axes.draw(&mut out);
    let mut legend_x = LEFT;
    for (index, line) in lines.iter().enumerate() {
        let style = index % STYLES;
        let _ = writeln!(out, r#"<g class="line s{style}">"#);
        draw_line(line, style, &axes, curve, &mut out);
        let _ = writeln!(
            out,
            r#"<path class="curve" d="M{:.1} 46H{:.1}"/>"#,
            legend_x,
            legend_x + 24.0
        );
        draw_mark(style, legend_x + 12.0, 46.0, "", &mut out);
        out.push_str("</g>\n");
        let _ = writeln!(
            out,
            r#"<text class="name" x="{:.1}" y="50">{}</text>"#,
            legend_x + 30.0,
            escaped(&line.peer)
        );
        legend_x += 54.0 + LETTER_WIDTH * line.peer.chars().count() as f64;
    }
    out.push_str("</svg>\n");
    out
}

fn draw_line(line: &Line, style: usize, axes: &Axes, curve: &Curve, out: &mut String) {
    let mut path = String::new();
    for (index, (size, spread)) in line.values.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(
            path,
            "{command}{:.1} {:.1}",
            axes.x(*size),
            axes.y(spread.median)
        );
    }
    let _ = writeln!(out, r#"<path class="curve" d="{path}"/>"#);
    for (size, spread) in &line.values {
        let (x, y) = (axes.x(*size), axes.y(spread.median));
        let (low, high) = (axes.y(spread.min), axes.y(spread.max));
        let _ = writeln!(
            out,
            r#"<path class="range" d="M{x:.1} {low:.1}V{high:.1}"/>"#
        );
        let decimals = curve.metric.decimals();
        let tip = format!(
            "{}, {}: {:.decimals$} {} ({:.decimals$} to {:.decimals$})",
            line.peer,
            short_number(*size),
            spread.median,
            curve.metric.title(),
            spread.min,
            spread.max
        );
        draw_mark(style, x, y, &tip, out);
    }
}

/// A circle, a square, a diamond or a triangle, with a text for those who point at it.
fn draw_mark(style: usize, x: f64, y: f64, tip: &str, out: &mut String) {
    let tip = match tip {
        "" => String::new(),
        tip => format!("<title>{}</title>", escaped(tip)),
    };
    let _ = match style {
        0 => writeln!(
            out,
            r#"<circle class="mark" cx="{x:.1}" cy="{y:.1}" r="4.5">{tip}</circle>"#
        ),
        _ => {
            let (x, y) = (format!("{x:.1}"), format!("{y:.1}"));
            let form = match style {
                1 => "m-4-4h8v8h-8z",
                2 => "m0-5.5l5.5 5.5l-5.5 5.5l-5.5-5.5z",
                _ => "m0-5l5 9h-10z",
            };
            writeln!(out, r#"<path class="mark" d="M{x} {y}{form}">{tip}</path>"#)
        }
    };
}

/// Where sizes and values lie.
struct Axes {
    /// Every size, in order.
    sizes: Vec<u64>,
    /// Logarithms at the left and the right end.
    logs: (f64, f64),
    /// The value of one step on the axis of values, and how many there are.
    step: f64,
    steps: u32,
}

impl Axes {
    fn of(lines: &[Line]) -> Self {
        let values = || lines.iter().flat_map(|line| &line.values);
        let mut sizes: Vec<u64> = values().map(|(size, _)| *size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let log = |size: Option<u64>| size.map_or(0.0, |size| (size as f64).log10());
        let least = log(sizes.iter().copied().find(|size| *size > 0));
        let greatest = log(sizes.last().copied().filter(|size| *size > 0));
        // 0 has no logarithm: it stands a decade to the left of the rest, behind a gap in the axis.
        let left = match sizes[..] {
            [0, _, ..] => least - 1.0,
            _ => least,
        };
        let highest = values().map(|(_, spread)| spread.max).fold(0.0, f64::max);
        let step = round_step(highest / STEPS_WANTED);
        let steps = (highest / step).ceil().max(1.0);
        Self {
            sizes,
            logs: (left, greatest),
            step,
            steps: steps as u32,
        }
    }

    fn x(&self, size: u64) -> f64 {
        let (left, right) = self.logs;
        let log = if size == 0 {
            left
        } else {
            (size as f64).log10()
        };
        let share = if right > left {
            (log - left) / (right - left)
        } else {
            0.5
        };
        LEFT + INSET + share * (RIGHT - LEFT - 2.0 * INSET)
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - value / (self.step * f64::from(self.steps)) * (BOTTOM - TOP)
    }

    fn draw(&self, out: &mut String) {
        for index in 0..=self.steps {
            let value = self.step * f64::from(index);
            let y = self.y(value);
            let class = if index == 0 { "base" } else { "grid" };
            let _ = writeln!(
                out,
                r#"<path class="{class}" d="M{LEFT} {y:.1}H{RIGHT}"/><text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
                LEFT - 8.0,
                y + 4.0,
                value_text(value, self.step)
            );
        }
        for size in &self.sizes {
            let x = self.x(*size);
            let _ = writeln!(
                out,
                r#"<path class="base" d="M{x:.1} {BOTTOM}v5"/><text class="tick" x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                BOTTOM + 20.0,
                short_number(*size)
            );
        }
        if let [0, next, ..] = self.sizes[..] {
            let x = (self.x(0) + self.x(next)) / 2.0;
            let _ = writeln!(
                out,
                r#"<path class="base" d="M{:.1} {:.1}l4-10m4 0l-4 10"/>"#,
                x - 4.0,
                BOTTOM + 5.0
            );
        }
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below.
fn round_step(step: f64) -> f64 {
    if step <= 0.0 || !step.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(step.log10().floor());
    let choices = [1.0, 2.0, 5.0].map(|factor| factor * power);
    choices
        .into_iter()
        .find(|choice| *choice >= step)
        .unwrap_or(10.0 * power)
}

/// A value on its axis, with as many digits as steps of this height need.
fn value_text(value: f64, step: f64) -> String {
    if step >= 1000.0 {
        return short_number(value.round() as u64);
    }
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    format!("{value:.decimals$}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// The field that values are drawn in.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 696.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = 360.0;
/// Between the ends of the axis of sizes and the first and last size.
const INSET: f64 = 28.0;
const STEPS_WANTED: f64 = 6.0;
/// About the width of a letter of the legend.
const LETTER_WIDTH: f64 = 7.5;
/// Forms of marks, and colours.
const STYLES: usize = 4;
const STYLE: &str = "
text{font-family:system-ui,sans-serif;font-size:13px;fill:#1f2328}
.head{font-size:16px;font-weight:600}
.tick,.axis{fill:#59636e;font-size:12px}
.ground{fill:#fff}
.grid,.base{fill:none;stroke:#d1d9e0;stroke-width:1}
.base{stroke:#818b98}
.curve{fill:none;stroke-width:2.5;stroke-linejoin:round}
.range{fill:none;stroke-width:1.5;opacity:.6}
.s0{stroke:#0969da;fill:#0969da}
.s1{stroke:#bc4c00;fill:#bc4c00}
.s2{stroke:#1a7f37;fill:#1a7f37}
.s3{stroke:#8250df;fill:#8250df}
.mark{stroke:none}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}
.tick,.axis{fill:#9198a1}
.ground{fill:#0d1117}
.grid{stroke:#3d444d}
.base{stroke:#9198a1}
.s0{stroke:#4493f8;fill:#4493f8}
.s1{stroke:#f0883e;fill:#f0883e}
.s2{stroke:#3fb950;fill:#3fb950}
.s3{stroke:#ab7df8;fill:#ab7df8}
}
";

#[cfg(test)]
mod tests;
