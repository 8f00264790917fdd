//! The settings of a stream or a group, in arguments and in replies.

use engine::args::Args;
use engine::error::{CmdError, StreamError};
use resp::Reply;
use stream::{Form, NotAValue, Row, SettingValue, Settings};

/// Settings that a command names one after the other. What is not named stays.
pub(super) struct NamedSettings<S> {
    settings: S,
    named: Vec<&'static str>,
}

impl<S: Settings> NamedSettings<S> {
    /// Begins with the settings as they are.
    pub(super) fn new(settings: S) -> NamedSettings<S> {
        NamedSettings {
            settings,
            named: Vec::new(),
        }
    }

    /// Takes a setting and its value, if they come next. Returns whether they did.
    pub(super) fn parse(&mut self, args: &mut Args<'_>) -> Result<bool, CmdError> {
        let mut rows = S::ROWS.iter();
        let Some(row) = rows.find(|row| args.keyword_with_value(row.word)) else {
            return Ok(false);
        };
        if self.named.contains(&row.word) {
            return Err(CmdError::Stream(StreamError::ConfiguredTwice(row.word)));
        }
        let first = args.required()?;
        let second = match row.form.text_count() {
            1 => &[],
            _ => args.next().ok_or(CmdError::Syntax)?,
        };
        let value = row.form.parse(first, second);
        let value = value.map_err(|reason| refused(row, reason))?;
        (row.set)(&mut self.settings, value);
        self.named.push(row.word);
        Ok(true)
    }

    /// The settings with what was named; `None` if nothing was.
    pub(super) fn finish(self) -> Option<S> {
        (!self.named.is_empty()).then_some(self.settings)
    }
}

fn refused<S>(row: &Row<S>, reason: NotAValue) -> CmdError {
    let setting = row.word;
    let error = match (row.form, reason) {
        (_, NotAValue::NotANumber) => return CmdError::NotAnInteger,
        (Form::Word(words), NotAValue::NotAllowed) => {
            StreamError::SettingNotOneOf(setting, words.join(" or "))
        }
        (Form::Number { min, max }, NotAValue::NotAllowed) => {
            StreamError::SettingOutOfRange { setting, min, max }
        }
        (Form::Span { max }, NotAValue::NotAllowed) => {
            StreamError::SettingNotASpan { setting, max }
        }
        (Form::Text { bytes_max }, NotAValue::NotAllowed) => {
            StreamError::SettingTooLong { setting, bytes_max }
        }
    };
    CmdError::Stream(error)
}

/// Writes the name and the value of each setting, the number of which is that of their rows.
pub(super) fn write_settings<S: Settings>(reply: &mut Reply, settings: &S) {
    for row in S::ROWS {
        reply.bulk(row.word.to_ascii_lowercase().as_bytes());
        match ((row.get)(settings), row.form) {
            (SettingValue::Number(place), Form::Word(words)) => {
                let word = usize::try_from(place)
                    .ok()
                    .and_then(|place| words.get(place));
                reply.bulk(word.map_or(b"", |word| word.as_bytes()));
            }
            (SettingValue::Number(number), _) => write_number(reply, number),
            (SettingValue::Span(first, second), _) => {
                reply.array(2);
                write_number(reply, first);
                write_number(reply, second);
            }
            (SettingValue::Text(text), _) => reply.bulk(text),
        }
    }
}

fn write_number(reply: &mut Reply, number: u64) {
    reply.int(i64::try_from(number).unwrap_or(i64::MAX));
}
