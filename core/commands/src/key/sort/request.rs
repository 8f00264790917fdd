//! The arguments of `SORT`.

use std::ops::Range;

use engine::args::Args;
use engine::error::CmdError;
use resp::Argv;

use super::lookup::Lookup;
use super::order::Order;
use super::source::Direction;

/// What is asked for.
#[derive(Debug)]
pub(in crate::key) struct Request<'a> {
    pub(super) key: &'a [u8],
    pub(super) by: By<'a>,
    pub(super) order: Order,
    pub(super) direction: Direction,
    pub(super) get: Vec<Get<'a>>,
    pub(super) store: Option<&'a [u8]>,
    /// All arguments, the command's name included.
    pub(super) whole: Argv<'a>,
    /// The first option for which the user must be allowed to read every key: what it reads depends
    /// on values.
    pub(super) reads_all_keys: Option<&'static str>,
    /// Offset and count.
    limit: Option<(i64, i64)>,
}

/// By what elements are sorted.
#[derive(Debug)]
pub(super) enum By<'a> {
    Themselves,
    /// What other keys hold.
    Keys(Lookup<'a>),
    /// They stay in their order.
    Nothing,
}

/// What is answered for each element.
#[derive(Debug)]
pub(super) enum Get<'a> {
    /// Itself.
    Element,
    /// What another key holds.
    Of(Lookup<'a>),
    /// The pattern names no key.
    Nothing,
}

impl<'a> Get<'a> {
    fn of(pattern: &'a [u8]) -> Get<'a> {
        match pattern {
            b"#" => Get::Element,
            pattern => Lookup::of(pattern).map_or(Get::Nothing, Get::Of),
        }
    }

    pub(super) fn as_lookup(&self) -> Option<&Lookup<'a>> {
        match self {
            Get::Of(lookup) => Some(lookup),
            Get::Element | Get::Nothing => None,
        }
    }
}

/// What becomes of `STORE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storing {
    Allowed,
    /// The command has no such option.
    Unknown,
}

impl<'a> Request<'a> {
    pub(super) fn parse(args: &mut Args<'a>, storing: Storing) -> Result<Request<'a>, CmdError> {
        let mut request = Request {
            whole: args.whole(),
            reads_all_keys: None,
            key: args.required()?,
            by: By::Themselves,
            order: Order::Numbers,
            direction: Direction::Ascending,
            get: Vec::new(),
            store: None,
            limit: None,
        };
        while args.left() > 0 {
            if args.keyword("ASC") {
                request.direction = Direction::Ascending;
            } else if args.keyword("DESC") {
                request.direction = Direction::Descending;
            } else if args.keyword("ALPHA") {
                request.order = Order::Texts;
            } else if args.left() >= 3 && args.keyword("LIMIT") {
                request.limit = Some((args.integer()?, args.integer()?));
            } else if storing == Storing::Allowed && args.keyword_with_value("STORE") {
                request.store = Some(args.required()?);
            } else if args.keyword_with_value("BY") {
                request.sort_by(args.required()?);
            } else if args.keyword_with_value("GET") {
                request.reads_all_keys.get_or_insert("GET");
                request.get.push(Get::of(args.required()?));
            } else {
                return Err(CmdError::Syntax);
            }
        }
        Ok(request)
    }

    /// A pattern that names no key sorts by nothing, whatever other patterns there are.
    fn sort_by(&mut self, pattern: &'a [u8]) {
        if Lookup::of(pattern).is_some() {
            self.reads_all_keys.get_or_insert("BY");
        }
        self.by = match (&self.by, Lookup::of(pattern)) {
            (By::Nothing, _) | (_, None) => By::Nothing,
            (By::Themselves | By::Keys(_), Some(lookup)) => By::Keys(lookup),
        };
    }

    /// The places of the elements that are answered, of this many.
    pub(super) fn range(&self, len: usize) -> Range<usize> {
        let Some((offset, count)) = self.limit else {
            return 0..len;
        };
        let offset = offset.max(0) as u64;
        let from = usize::try_from(offset).map_or(len, |offset| offset.min(len));
        let to = match usize::try_from(count) {
            Ok(count) => from.saturating_add(count).min(len),
            Err(_) => len,
        };
        from..to
    }
}
