//! The options of `HGETEX` and `HSETEX`, which come in any order, `FIELDS` among them.

use engine::Now;
use engine::args::Args;
use engine::error::{CmdError, HashError};
use engine::table::Arg;
use resp::Argv;

use super::field_list::{number_among_options, shown};
use super::until::Until;

/// The times in the grammar.
pub(super) const EXPIRATION: [Arg; 4] = [
    Arg::integer("seconds").token("EX"),
    Arg::integer("milliseconds").token("PX"),
    Arg::unix_time("unix-time-seconds").token("EXAT"),
    Arg::unix_time("unix-time-milliseconds").token("PXAT"),
];

/// What becomes of the deadlines of the fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiration {
    /// They are the time that was given.
    Until,
    /// There are none any more (`PERSIST`).
    Persist,
    /// They stay (`KEEPTTL`).
    Keep,
}

/// Which fields must exist.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// None (`FNX`).
    NoneThere,
    /// All (`FXX`).
    AllThere,
}

/// What was read, up to the first thing that is wrong.
pub(super) struct Options<'a> {
    until: Option<Until>,
    expiration: Option<Expiration>,
    pub(super) condition: Option<Condition>,
    fields: Option<Argv<'a>>,
    /// It is told only once the time is known to be one.
    wrong: Option<CmdError>,
}

/// What distinguishes the two commands.
struct Form {
    name: &'static str,
    /// What beside a time may be said of deadlines.
    other: &'static str,
    /// How many arguments belong to a field.
    per_field: usize,
}

impl<'a> Options<'a> {
    pub(super) fn of_get(args: Argv<'a>) -> Options<'a> {
        Options::parse(
            args,
            &Form {
                name: "hgetex",
                other: "PERSIST",
                per_field: 1,
            },
        )
    }

    pub(super) fn of_set(args: Argv<'a>) -> Options<'a> {
        Options::parse(
            args,
            &Form {
                name: "hsetex",
                other: "KEEPTTL",
                per_field: 2,
            },
        )
    }

    fn parse(args: Argv<'a>, form: &Form) -> Options<'a> {
        let mut options = Options {
            until: None,
            expiration: None,
            condition: None,
            fields: None,
            wrong: None,
        };
        let mut args = Args::new(args, 0);
        while args.left() > 0 && options.wrong.is_none() {
            options.wrong = options.take(&mut args, form).err();
        }
        if options.wrong.is_none() {
            options.wrong = options.check(form).err();
        }
        options
    }

    /// Takes the next option.
    fn take(&mut self, args: &mut Args<'a>, form: &Form) -> Result<(), CmdError> {
        if args.keyword("FIELDS") {
            if self.fields.is_some() {
                return Err(CmdError::Hash(HashError::FieldsTwice));
            }
            if args.left() == 0 {
                return Err(CmdError::Arity(form.name.to_owned()));
            }
            let number =
                number_among_options(args).ok_or(CmdError::Hash(HashError::FieldsInvalid))?;
            let len = number.saturating_mul(form.per_field);
            self.fields = Some(
                args.take(len)
                    .map_err(|_| CmdError::Hash(HashError::FieldsShort))?,
            );
        } else if args.keyword("PERSIST") {
            self.set_expiration(Expiration::Persist, form)?;
        } else if args.keyword("KEEPTTL") {
            self.set_expiration(Expiration::Keep, form)?;
        } else if args.keyword("FNX") {
            self.set_condition(Condition::NoneThere)?;
        } else if args.keyword("FXX") {
            self.set_condition(Condition::AllThere)?;
        } else if self.expiration.is_some() && Until::parse(&mut args.clone()).is_some() {
            return Err(CmdError::OneExpiry(form.other));
        } else if let Some(until) = Until::parse(args) {
            self.until = Some(until?);
            self.expiration = Some(Expiration::Until);
        } else {
            return Err(CmdError::UnknownArgument(shown(args.required()?)));
        }
        Ok(())
    }

    fn set_expiration(&mut self, to: Expiration, form: &Form) -> Result<(), CmdError> {
        match self.expiration.replace(to) {
            None => Ok(()),
            Some(_) => Err(CmdError::OneExpiry(form.other)),
        }
    }

    fn set_condition(&mut self, to: Condition) -> Result<(), CmdError> {
        match self.condition.replace(to) {
            None => Ok(()),
            Some(_) => Err(CmdError::Hash(HashError::OneFieldCondition)),
        }
    }

    /// Checks that the options are those of the command, which Redis does last.
    fn check(&self, form: &Form) -> Result<(), CmdError> {
        let is_foreign = match form.per_field {
            1 => self.condition.is_some() || self.expiration == Some(Expiration::Keep),
            _ => self.expiration == Some(Expiration::Persist),
        };
        match is_foreign {
            true => Err(CmdError::ForeignArgument),
            false => Ok(()),
        }
    }

    /// The time that was given, in milliseconds since the epoch, for the command of this name.
    pub(super) fn deadline_ms(
        &self,
        now: Now,
        name: &'static str,
    ) -> Result<Option<u64>, CmdError> {
        let until = self.until.map(|until| until.deadline_ms(now, name));
        until.transpose()
    }

    /// The fields, with their values if there are any, and what becomes of their deadlines.
    pub(super) fn checked(self) -> Result<(Argv<'a>, Option<Expiration>), CmdError> {
        match (self.wrong, self.fields) {
            (Some(wrong), _) => Err(wrong),
            (None, Some(fields)) => Ok((fields, self.expiration)),
            (None, None) => Err(CmdError::Hash(HashError::FieldsMissing)),
        }
    }
}
