//! `EX`, `PX`, `EXAT`, `PXAT`, and what may stand in their place: how long a string lives.

use engine::UnixMs;
use engine::args::{Args, parse_i64};
use engine::error::CmdError;
use engine::store::effect::Expiry;

use crate::key::expiry::{Base, Unit, expiry_ms};

/// What a command says about how long a string lives.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lifetime<'a> {
    /// Nothing.
    Unsaid,
    /// The word that the command has beside a time: `KEEPTTL` or `PERSIST`.
    Word,
    /// Until then.
    Until(Expiration<'a>),
}

impl<'a> Lifetime<'a> {
    /// Takes an option of the lifetime, if one comes next: `word`, or one with a time. Said twice,
    /// the last one counts.
    ///
    /// # Errors
    /// If another option was there before.
    pub(super) fn parse(&mut self, args: &mut Args<'a>, word: &str) -> Result<bool, CmdError> {
        let next = if args.keyword(word) {
            Lifetime::Word
        } else if let Some(expiration) = Expiration::parse(args)? {
            Lifetime::Until(expiration)
        } else {
            return Ok(false);
        };
        let agree = match (&self, &next) {
            (Lifetime::Unsaid, _) | (Lifetime::Word, Lifetime::Word) => true,
            (Lifetime::Until(last), Lifetime::Until(next)) => {
                (last.unit, last.base) == (next.unit, next.base)
            }
            (Lifetime::Until(_), Lifetime::Unsaid | Lifetime::Word)
            | (Lifetime::Word, Lifetime::Unsaid | Lifetime::Until(_)) => false,
        };
        if !agree {
            return Err(CmdError::Syntax);
        }
        *self = next;
        Ok(true)
    }

    /// As in an effect, where the word is `KEEPTTL`; `command` is the name for errors.
    pub(super) fn expiry(&self, now: UnixMs, command: &'static str) -> Result<Expiry, CmdError> {
        Ok(match self {
            Lifetime::Unsaid => Expiry::Never,
            Lifetime::Word => Expiry::Keep,
            Lifetime::Until(expiration) => Expiry::At(expiration.resolve(now, command)?),
        })
    }
}

/// When a string expires, as the client gave it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expiration<'a> {
    number: &'a [u8],
    unit: Unit,
    base: Base,
}

impl<'a> Expiration<'a> {
    /// Milliseconds or seconds from now on.
    pub(super) fn after(number: &'a [u8], unit: Unit) -> Expiration<'a> {
        Expiration {
            number,
            unit,
            base: Base::Now,
        }
    }

    /// Takes one of the options with its number, if it comes next.
    fn parse(args: &mut Args<'a>) -> Result<Option<Expiration<'a>>, CmdError> {
        let options = [
            ("EX", Unit::Seconds, Base::Now),
            ("PX", Unit::Milliseconds, Base::Now),
            ("EXAT", Unit::Seconds, Base::Epoch),
            ("PXAT", Unit::Milliseconds, Base::Epoch),
        ];
        for (option, unit, base) in options {
            if args.keyword_with_value(option) {
                let number = args.required()?;
                return Ok(Some(Expiration { number, unit, base }));
            }
        }
        Ok(None)
    }

    /// The point in time; `command` is the name for errors.
    pub(super) fn resolve(&self, now: UnixMs, command: &'static str) -> Result<UnixMs, CmdError> {
        let number = parse_i64(self.number).ok_or(CmdError::NotAnInteger)?;
        if number <= 0 {
            return Err(CmdError::InvalidExpire(command));
        }
        expiry_ms(number, self.unit, self.base, now).ok_or(CmdError::InvalidExpire(command))
    }
}
