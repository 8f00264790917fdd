//! The text of `INFO` while it is written.

use std::fmt::{Display, Write};

/// Sections of `name:value` lines.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    text: String,
}

impl Sheet {
    /// Begins a section.
    pub(super) fn section(&mut self, title: &str) {
        if !self.text.is_empty() {
            self.text.push_str("\r\n");
        }
        self.write(format_args!("# {title}\r\n"));
    }

    /// Writes a line.
    pub(super) fn line(&mut self, name: &str, value: impl Display) {
        self.write(format_args!("{name}:{value}\r\n"));
    }

    /// Writes a number of bytes twice, as a number and in units that people read.
    pub(super) fn bytes(&mut self, name: &str, bytes: u64) {
        self.line(name, bytes);
        self.line(&format!("{name}_human"), human(bytes));
    }

    /// Writes by how much one number of bytes is more than another, as a ratio and in bytes.
    pub(super) fn excess(&mut self, name: &str, bytes: u64, of: u64) {
        let ratio = bytes as f64 / of.max(1) as f64;
        self.line(&format!("{name}_ratio"), format_args!("{ratio:.2}"));
        let excess = bytes.cast_signed().saturating_sub(of.cast_signed());
        self.line(&format!("{name}_bytes"), excess);
    }

    /// Writes a line that is 1 or 0.
    pub(super) fn flag(&mut self, name: &str, set: bool) {
        self.line(name, u8::from(set));
    }

    /// What was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn write(&mut self, args: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        self.text.write_fmt(args).ok();
    }
}

/// A number of bytes in units that people read.
fn human(bytes: u64) -> String {
    let units = [
        (1u64 << 40, 'T'),
        (1 << 30, 'G'),
        (1 << 20, 'M'),
        (1 << 10, 'K'),
    ];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, letter)) => format!("{:.2}{letter}", bytes as f64 / *unit as f64),
        None => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn bytes_are_shown_with_two_decimals() {
        assert_eq!(human(0), "0B");
        assert_eq!(human(1023), "1023B");
        assert_eq!(human(757_408), "739.66K");
        assert_eq!(human(25_276_514_304), "23.54G");
    }
}
