//! `COMMAND GETKEYS`.

use engine::args::Args;
use engine::command::{Command, Ctx, Flow};
use engine::error::CmdError;
use engine::table;
use engine::table::{
    Arg, Arity, Categories, Flags, FoundKey, Group, KeyFlags, KeySpec, KeysNotFound, Spec,
};
use resp::Argv;

/// `COMMAND GETKEYS command [arg …]`
pub(super) struct GetKeys;

impl Command for GetKeys {
    const SPEC: Spec = Spec {
        summary: "Tells the keys of a request.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) where N is the number of arguments to the command",
        arity: Arity::AtLeast(3),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::CONNECTION,
        args: &[
            Arg::string("command"),
            Arg::string("arg").optional().multiple(),
        ],
        ..Spec::named("getkeys")
    };
    type Parsed<'a> = Argv<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Argv<'a>, CmdError> {
        Ok(args.rest())
    }

    fn execute(request: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let keys = keys_of(ctx, request)?;
        ctx.reply.array(keys.count);
        // Memory that grows is found and cleared by the system again and again.
        ctx.reply.reserve(keys.bytes);
        // Several times as fast as a loop, which asks every layer of the iterator for each key.
        // Others wait meanwhile.
        keys.iter().for_each(|found| ctx.reply.bulk(found.key));
        Ok(Flow::Done)
    }
}

/// The keys of a request. They are found again rather than kept: a request may have millions.
pub(super) struct Keys<'a> {
    spec: &'static Spec,
    request: Argv<'a>,
    pub(super) count: usize,
    /// About how many bytes they have in a reply.
    bytes: usize,
}

/// What a key has in a reply beside its bytes, if it is short.
const BULK_BYTES: usize = "$99\r\n\r\n".len();

impl<'a> Keys<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = FoundKey<'a>> {
        let found = table::keys_of(self.spec, self.request);
        found.map_while(Result::ok).take(self.count)
    }
}

/// Finds the keys of a request.
pub(super) fn keys_of<'a>(ctx: &Ctx<'_>, request: Argv<'a>) -> Result<Keys<'a>, CmdError> {
    let found = ctx.server.commands.find_request(request);
    let (row, _) = found.ok_or(CmdError::KeysOfUnknownCommand)?;
    let spec = row.spec;
    // Channels of shards are found as keys are, by clients of a cluster.
    let is_key = |keys: &KeySpec| !keys.flags.has(KeyFlags::NOT_KEY);
    if !spec.keys.iter().any(is_key) {
        return Err(CmdError::NoKeyArguments);
    }
    if !spec.arity.accepts(request.len()) {
        return Err(CmdError::KeysOfWrongArity);
    }
    let mut found = table::keys_of(spec, request);
    let add = |(count, bytes), found: FoundKey<'_>| (count + 1, bytes + found.key.len());
    let found = found.try_fold((0, 0), |sums, found| found.map(|found| add(sums, found)));
    let (count, bytes) = match found {
        Ok(sums) => sums,
        Err(KeysNotFound) if spec.flags.has(Flags::NO_MANDATORY_KEYS) => (0, 0),
        Err(KeysNotFound) => return Err(CmdError::KeysNotFound),
    };
    Ok(Keys {
        spec,
        request,
        count,
        bytes: bytes + count * BULK_BYTES,
    })
}
