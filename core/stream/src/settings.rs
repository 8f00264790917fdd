//! What can be set of a stream or a group beyond what Redis has.
//!
//! A setting is one row ([`Row`]) of its owner's list: the word that names it, its form, how it is
//! read and set, and the tag that stands for it in files. Commands, the journal, snapshots and
//! digests know settings only by these rows, so a new one is a field and a row ([`StreamSettings`],
//! [`GroupSettings`]). An owner whose settings are all as by default has none ([`Configured`]),
//! and takes one pointer for that.

mod backoff;
mod of_group;
mod of_stream;
mod retain;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Debug;

use triomphe::Arc;

pub use backoff::Backoff;
pub use of_group::{DeadLetterRule, GroupSettings};
pub use of_stream::{IidMode, OnConflict, OnGap, StreamSettings};
pub use retain::Retain;

/// The settings of one kind of owner. The default is what every owner has that was told nothing.
pub trait Settings: Clone + Default + PartialEq + Debug + 'static {
    /// All of them, in the order in which they are shown.
    const ROWS: &'static [Row<Self>];
}

/// One setting of an owner with the settings `S`.
#[derive(Debug)]
pub struct Row<S> {
    /// The word that names it in a command, in capitals. Replies have it in lower case.
    pub word: &'static str,
    /// What stands for it in files. It belongs to this setting for ever.
    pub tag: u8,
    /// What it can be.
    pub form: Form,
    /// What it is.
    pub get: fn(&S) -> SettingValue<'_>,
    /// Sets it to a value that its form allows.
    pub set: fn(&mut S, SettingValue<'_>),
}

/// What a setting can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One of these words, by its place.
    Word(&'static [&'static str]),
    /// A number within these bounds.
    Number {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// Two numbers, the second of which is not below the first.
    Span {
        /// The greatest of both.
        max: u64,
    },
    /// Any bytes.
    Text {
        /// The most of them.
        bytes_max: usize,
    },
}

/// The value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingValue<'a> {
    /// A number, or the place of a word in its form.
    Number(u64),
    /// Two numbers.
    Span(u64, u64),
    /// Bytes.
    Text(&'a [u8]),
}

impl<'a> SettingValue<'a> {
    /// The number; 0 for what no form of one number allows.
    pub fn number(self) -> u64 {
        match self {
            SettingValue::Number(number) => number,
            SettingValue::Span(..) | SettingValue::Text(_) => 0,
        }
    }

    /// The two numbers; 0 and 0 for what no form of two allows.
    pub fn span(self) -> (u64, u64) {
        match self {
            SettingValue::Span(first, second) => (first, second),
            SettingValue::Number(_) | SettingValue::Text(_) => (0, 0),
        }
    }

    /// The bytes; none for numbers, which no form with bytes allows.
    pub fn text(self) -> &'a [u8] {
        match self {
            SettingValue::Number(_) | SettingValue::Span(..) => &[],
            SettingValue::Text(text) => text,
        }
    }
}

/// Why a text is no value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAValue {
    /// It is no number.
    NotANumber,
    /// It is not within the form.
    NotAllowed,
}

impl Form {
    /// How many texts name a value.
    pub const fn text_count(self) -> usize {
        match self {
            Form::Word(_) | Form::Number { .. } | Form::Text { .. } => 1,
            Form::Span { .. } => 2,
        }
    }

    /// The value that a client names with this text, or with this and a second one. Words may be in
    /// any case.
    ///
    /// # Errors
    /// [`NotAValue`] if the form has no such value.
    pub fn parse<'a>(self, text: &'a [u8], second: &[u8]) -> Result<SettingValue<'a>, NotAValue> {
        let value = match self {
            Form::Word(words) => {
                let place = words
                    .iter()
                    .position(|word| word.as_bytes().eq_ignore_ascii_case(text));
                SettingValue::Number(place.ok_or(NotAValue::NotAllowed)? as u64)
            }
            Form::Number { .. } => SettingValue::Number(parse_number(text)?),
            Form::Span { .. } => SettingValue::Span(parse_number(text)?, parse_number(second)?),
            Form::Text { .. } => SettingValue::Text(text),
        };
        if self.allows(value) {
            Ok(value)
        } else {
            Err(NotAValue::NotAllowed)
        }
    }

    /// The text with which a client names a value of this form; two of them with a space between.
    pub fn text_of(self, value: SettingValue<'_>) -> Cow<'_, [u8]> {
        match (value, self) {
            (SettingValue::Number(place), Form::Word(words)) => {
                let word = usize::try_from(place)
                    .ok()
                    .and_then(|place| words.get(place));
                Cow::Borrowed(word.map_or(b"", |word| word.as_bytes()))
            }
            (SettingValue::Number(number), _) => Cow::Owned(number.to_string().into_bytes()),
            (SettingValue::Span(first, second), _) => {
                Cow::Owned(format!("{first} {second}").into_bytes())
            }
            (SettingValue::Text(text), _) => Cow::Borrowed(text),
        }
    }

    /// Returns whether it has this value.
    pub fn allows(self, value: SettingValue<'_>) -> bool {
        match (self, value) {
            (Form::Word(words), SettingValue::Number(place)) => place < words.len() as u64,
            (Form::Number { min, max }, SettingValue::Number(number)) => {
                (min..=max).contains(&number)
            }
            (Form::Span { max }, SettingValue::Span(first, second)) => {
                first <= second && second <= max
            }
            (Form::Text { bytes_max }, SettingValue::Text(text)) => text.len() <= bytes_max,
            (
                Form::Word(_) | Form::Number { .. },
                SettingValue::Span(..) | SettingValue::Text(_),
            )
            | (Form::Span { .. }, SettingValue::Number(_) | SettingValue::Text(_))
            | (Form::Text { .. }, SettingValue::Number(_) | SettingValue::Span(..)) => false,
        }
    }
}

fn parse_number(text: &[u8]) -> Result<u64, NotAValue> {
    let number = collections::parse_integer(text).ok_or(NotAValue::NotANumber)?;
    u64::try_from(number).map_err(|_| NotAValue::NotAllowed)
}

impl<S: Settings> Row<S> {
    /// The row with this tag.
    pub fn tagged(tag: u64) -> Option<&'static Row<S>> {
        S::ROWS.iter().find(|row| u64::from(row.tag) == tag)
    }
}

/// The settings of an owner, which take one pointer while all of them are as by default.
#[derive(Clone, Debug)]
pub struct Configured<S>(Option<Arc<S>>);

impl<S> Default for Configured<S> {
    fn default() -> Self {
        Configured(None)
    }
}

impl<S: Settings> Configured<S> {
    /// The settings; `None` if all are as by default.
    #[inline]
    pub fn get(&self) -> Option<&S> {
        self.0.as_deref()
    }

    /// The settings, those that are as by default included.
    pub fn to_settings(&self) -> S {
        self.get().cloned().unwrap_or_default()
    }

    /// Sets them. Returns whether that changed one.
    pub fn set(&mut self, settings: &S) -> bool {
        let changes = self.to_settings() != *settings;
        if changes {
            let is_default = *settings == S::default();
            self.0 = (!is_default).then(|| Arc::new(settings.clone()));
        }
        changes
    }

    /// Calls `f` with each setting that is not as by default.
    pub fn for_each(&self, mut f: impl FnMut(&'static Row<S>, SettingValue<'_>)) {
        let Some(settings) = self.get() else {
            return;
        };
        let default = S::default();
        for row in S::ROWS {
            let value = (row.get)(settings);
            if value != (row.get)(&default) {
                f(row, value);
            }
        }
    }

    /// How many settings are not as by default.
    pub fn len(&self) -> usize {
        let mut len = 0;
        self.for_each(|_, _| len += 1);
        len
    }

    /// Returns whether all are as by default.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let mut bytes = self.get().map_or(0, size_of_val);
        self.for_each(|_, value| bytes += value.text().len());
        bytes
    }
}
