//! What `XDELEX` and `XACKDEL` share: their options, and what they answer for each ID.

use engine::args::Args;
use engine::error::CmdError;
use resp::{Argv, Reply};
use stream::References;

use super::ids_block::parse_ids_block;
use super::references_option::parse_references;

/// The entry is not there.
pub(super) const NOT_FOUND: i64 = -1;

/// The entry was deleted.
pub(super) const DELETED: i64 = 1;

/// The entry stays, because groups still refer to it.
pub(super) const STILL_REFERENCED: i64 = 2;

/// Which entries are deleted, and what becomes of the references to them.
pub(super) struct Deletion<'a> {
    pub(super) references: References,
    /// Not read yet: errors in them come after those of the key.
    pub(super) ids: Argv<'a>,
}

impl<'a> Deletion<'a> {
    /// Takes all that is left. The caller answers an error only after that of a wrong type.
    pub(super) fn parse(args: &mut Args<'a>) -> Result<Deletion<'a>, CmdError> {
        let parsed = Deletion::options(args);
        args.rest();
        parsed
    }

    fn options(args: &mut Args<'a>) -> Result<Deletion<'a>, CmdError> {
        let mut references = None;
        let mut ids = None;
        while args.left() > 0 {
            if args.keyword("IDS") {
                ids = Some(parse_ids_block(args)?);
                continue;
            }
            let policy = parse_references(args).ok_or(CmdError::Syntax)?;
            if references.replace(policy).is_some() {
                return Err(CmdError::Syntax);
            }
        }
        Ok(Deletion {
            references: references.unwrap_or_default(),
            ids: ids.ok_or(CmdError::Syntax)?,
        })
    }

    /// How references are treated once it is decided which entries no group needs.
    pub(super) fn decided(references: References) -> References {
        match references {
            References::Delete => References::Delete,
            References::Keep | References::Acknowledged => References::Keep,
        }
    }
}

/// Answers that none of the entries is there.
pub(super) fn reply_none(ids: Argv<'_>, reply: &mut Reply) {
    reply_each(ids.iter().map(|_| NOT_FOUND), reply);
}

/// Answers for each ID.
pub(super) fn reply_each(replies: impl ExactSizeIterator<Item = i64>, reply: &mut Reply) {
    reply.array(replies.len());
    replies.for_each(|number| reply.int(number));
}
