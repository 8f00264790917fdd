//! A command that calls others: their replies and errors, one batch, and what may not be called.

use commands::COMMANDS;
use engine::args::Args;
use engine::clients::session::SessionId;
use engine::command::{Command, CommandTable, Ctx, Entry, Flow, Numbered, count, entry};
use engine::config::Settings;
use engine::error::CmdError;
use engine::store::log::Journalling;
use engine::table::{Arity, Flags, Spec};
use engine::{Engine, Lsn, Mono, Now};
use resp::{Argv, ArgvBuf, Protocol, Reply};

/// `CALLS request [; request …]`: answers what each request answers, errors too.
struct Calls;

impl Command for Calls {
    const SPEC: Spec = Spec {
        arity: Arity::AtLeast(2),
        flags: Flags::NO_MANDATORY_KEYS,
        ..Spec::named("calls")
    };
    type Parsed<'a> = Argv<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Argv<'a>, CmdError> {
        Ok(args.rest())
    }

    fn execute(args: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        let requests = requests(args);
        ctx.reply.array(requests.len());
        for request in &requests {
            if let Err(error) = ctx.call(request.as_argv()) {
                ctx.refuse(error);
            }
        }
        Ok(Flow::Done)
    }
}

/// `TRIES request [; request …]`: looks at each reply before it goes on. Answers all of them as
/// one text, or the first error.
struct Tries;

impl Command for Tries {
    const SPEC: Spec = Spec {
        arity: Arity::AtLeast(2),
        ..Spec::named("tries")
    };
    type Parsed<'a> = Argv<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Argv<'a>, CmdError> {
        Ok(args.rest())
    }

    fn execute(args: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        ctx.reply.simple("nothing of this is left");
        let mut text = Vec::new();
        for request in &requests(args) {
            let mut own = Reply::new(Protocol::Resp3);
            std::mem::swap(ctx.reply, &mut own);
            let result = ctx.call(request.as_argv());
            std::mem::swap(ctx.reply, &mut own);
            result?;
            text.extend(own.into_bytes());
        }
        ctx.reply.clear();
        ctx.reply.bulk(&text);
        Ok(Flow::Done)
    }
}

/// What stands between semicolons.
fn requests(args: Argv<'_>) -> Vec<ArgvBuf> {
    let args: Vec<&[u8]> = args.iter().collect();
    args.split(|arg| *arg == b";")
        .map(|request| request.iter().copied().collect())
        .collect()
}

static CALLERS: &[Entry] = &[entry::<Calls>(), entry::<Tries>()];

static FAMILIES: &[&[Entry]] = &{
    let mut families = [CALLERS; COMMANDS.len() + 1];
    let mut family = 0;
    while family < COMMANDS.len() {
        families[family] = COMMANDS[family];
        family += 1;
    }
    families
};

static NUMBERED: Numbered<{ count(FAMILIES) }> = Numbered::new(FAMILIES);

static TABLE: CommandTable = CommandTable::of(&NUMBERED);

const NOW: Now = Now {
    unix_us: 1_790_000_000_000_000,
    mono: Mono(0),
};

struct Server {
    engine: Engine,
    client: SessionId,
}

impl Server {
    fn new() -> Server {
        let mut engine = Engine::new(Settings::default(), 7, NOW, &TABLE);
        engine.set_journalling(Journalling::On);
        let client = engine.connect(String::new(), String::new(), NOW);
        Server { engine, client }
    }

    fn ask_as(&mut self, client: SessionId, request: &str) -> (String, Lsn) {
        let mut reply = Reply::new(Protocol::Resp2);
        let argv: ArgvBuf = request.split(' ').map(str::as_bytes).collect();
        let outcome = self.engine.request(client, argv.as_argv(), NOW, &mut reply);
        let text = String::from_utf8_lossy(&reply.into_bytes()).into_owned();
        (
            text.replace("\r\n", " ").trim_end().to_owned(),
            outcome.depends_on,
        )
    }

    fn ask(&mut self, request: &str) -> String {
        self.ask_as(self.client, request).0
    }

    fn last(&self) -> Lsn {
        self.engine.log().last()
    }
}

#[test]
fn a_command_gets_replies_and_errors_of_those_it_calls_all_in_one_batch() {
    let mut server = Server::new();
    server.ask("SET text abc");
    let before = server.last();
    let request = "CALLS SET a 1 ; INCR a ; XADD text * f v ; XADD s 1-1 f v ; NONE ; GET ; GET a";
    let (reply, depends_on) = server.ask_as(server.client, request);
    assert_eq!(
        reply,
        "*7 +OK :2 -WRONGTYPE Operation against a key holding the wrong kind of value $3 1-1 \
         -ERR unknown command 'NONE' -ERR wrong number of arguments for 'get' command $1 2"
    );
    assert_eq!(server.last(), before.next());
    assert_eq!(depends_on, server.last());
    let effects = server.engine.log().encoded().to_vec();
    let begins = effects.windows(5).filter(|at| *at == b"MULTI").count();
    assert_eq!(begins, 1);
}

#[test]
fn what_is_replayed_of_calls_is_what_they_did() {
    let mut server = Server::new();
    server.ask("CALLS SET a 1 ; SELECT 2 ; SET b 2 ; XADD s 1-1 f v");
    let (bytes, last) = (server.engine.log().encoded().to_vec(), server.last());
    let mut other = Server::new();
    let mut replay = other.engine.begin_replay(NOW);
    other
        .engine
        .replay(&mut replay, &bytes, engine::Author::Weir)
        .unwrap();
    let _ = other.engine.end_replay(replay, last, Journalling::On);
    assert_eq!(
        other.ask("CALLS GET a ; SELECT 2 ; GET b ; XLEN s"),
        "*4 $1 1 +OK $1 2 :1"
    );
}

#[test]
fn a_command_may_look_at_replies_and_answer_an_error_as_its_own() {
    let mut server = Server::new();
    assert_eq!(
        server.ask("TRIES SET a 1 ; GET a ; GET none"),
        "$15 +OK $1 1 _"
    );
    let before = server.last();
    assert_eq!(
        server.ask("TRIES SET a 2 ; XLEN a ; SET a 3"),
        "-WRONGTYPE Operation against a key holding the wrong kind of value"
    );
    assert_eq!(server.ask("GET a"), "$1 2");
    assert_eq!(server.last(), before.next());
}

#[test]
fn a_reply_depends_on_what_replies_of_calls_depend_on() {
    let mut server = Server::new();
    let (_, written) = server.ask_as(server.client, "SET a 1");
    server.ask("SET b 1");
    let (_, depends_on) = server.ask_as(server.client, "CALLS PING ; GET a ; GET none");
    assert_eq!(depends_on, written);
}

#[test]
fn an_error_counts_once_and_so_does_each_command() {
    let mut server = Server::new();
    server.ask("CALLS SET a 1 ; XLEN a ; XLEN");
    server.ask("TRIES XLEN a");
    let info = server.ask("INFO errorstats");
    assert!(info.contains("errorstat_WRONGTYPE:count=2"), "{info}");
    assert!(info.contains("errorstat_ERR:count=1"), "{info}");
    let info = server.ask("INFO commandstats");
    let xlen = info
        .split(' ')
        .find(|line| line.starts_with("cmdstat_xlen:"));
    let xlen = xlen.unwrap();
    assert!(xlen.contains("calls=2,"), "{xlen}");
    assert!(xlen.ends_with("rejected_calls=1,failed_calls=2"), "{xlen}");
}

#[test]
fn nothing_blocks_that_is_called_and_what_is_not_for_scripts_is_refused() {
    let mut server = Server::new();
    assert_eq!(server.ask("CALLS XREAD BLOCK 0 STREAMS s 0"), "*1 *-1");
    for request in [
        "MULTI", "EXEC", "DISCARD", "WATCH a", "QUIT", "RESET", "SAVE", "AUTH a",
    ] {
        assert_eq!(
            server.ask(&format!("CALLS {request} ; PING")),
            "*2 -ERR This Redis command is not allowed from script +PONG",
            "{request}"
        );
    }
}

#[test]
fn commands_that_call_one_another_come_to_an_end() {
    let mut server = Server::new();
    let too_deep = "-ERR Commands call one another too deeply";
    assert_eq!(server.ask("CALLS CALLS PING"), "*1 *1 +PONG");
    assert_eq!(
        server.ask("CALLS CALLS CALLS PING"),
        format!("*1 *1 *1 {too_deep}")
    );
    server.ask("MULTI");
    server.ask("CALLS PING");
    server.ask("CALLS CALLS PING");
    assert_eq!(server.ask("EXEC"), format!("*2 *1 +PONG *1 *1 {too_deep}"));
}

#[test]
fn writes_that_are_not_accepted_are_refused_call_by_call() {
    let mut server = Server::new();
    server.ask("SET a 1");
    server.engine.server.writes = engine::server::Writes::Refused("no".to_owned());
    assert_eq!(server.ask("CALLS GET a ; SET a 2"), "*2 $1 1 -MISCONF no");
}

#[test]
fn a_waiting_client_is_served_once_all_calls_have_ended() {
    let mut server = Server::new();
    let reader = server.engine.connect(String::new(), String::new(), NOW);
    server.ask_as(reader, "XREAD BLOCK 0 COUNT 9 STREAMS s $");
    server.ask("CALLS XADD s 1-1 f v ; XADD s 1-2 f v");
    let outbox = server.engine.take_deliveries();
    let served = outbox.into_iter().map(|one| one.bytes.into_bytes());
    let served: Vec<String> = served
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .collect();
    assert!(matches!(&served[..], [one] if one.contains("1-1") && one.contains("1-2")));
}
