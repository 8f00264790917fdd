//! A command that is not finished: others wait for it, then are told so, and few may run meanwhile.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::clients::delivery::Then;
use engine::clients::session::SessionId;
use engine::config::Settings;
use engine::server::Order;
use engine::{Engine, Mono, Next, Now};
use resp::{ArgvBuf, Protocol, Reply};

const BUSY: &str =
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
const KILLED: &str = "-ERR Script killed by user with SCRIPT KILL.\r\n";

/// A server without a log whose clock stands still unless it is told to go on.
struct Server {
    engine: Engine,
    now: Now,
}

impl Server {
    fn new(busy_reply_ms: &str) -> Server {
        let now = Now {
            unix_us: 1_790_000_000_000_000,
            mono: Mono(0),
        };
        let mut settings = Settings::default();
        settings.set("busy-reply-threshold", busy_reply_ms).unwrap();
        settings.set("enable-debug-command", "yes").unwrap();
        Server {
            engine: Engine::new(settings, 7, now, &commands::TABLE),
            now,
        }
    }

    fn connect(&mut self) -> SessionId {
        self.engine.connect(String::new(), String::new(), self.now)
    }

    /// A client whose command is not finished before so many seconds have passed.
    fn sleeper(&mut self, seconds: u32) -> SessionId {
        let sleeper = self.connect();
        assert_eq!(self.ask(sleeper, &format!("DEBUG SLEEP {seconds}")), None);
        sleeper
    }

    /// The reply to a request, if it does not wait.
    fn ask(&mut self, session: SessionId, words: &str) -> Option<String> {
        let mut reply = Reply::new(Protocol::Resp2);
        let argv: ArgvBuf = words.split(' ').collect();
        let outcome = self
            .engine
            .request(session, argv.as_argv(), self.now, &mut reply);
        let reply = String::from_utf8(reply.into_bytes()).unwrap();
        (outcome.then != Next::Wait).then_some(reply)
    }

    fn pass(&mut self, ms: u64) {
        self.now.mono = self.now.mono.plus(ms);
        self.now.unix_us += i64::try_from(ms).unwrap() * 1000;
        self.engine.timer(self.now);
        // Nobody has to look again at once, and for ever.
        let next = self.engine.next_deadline(self.now);
        assert!(next.is_none_or(|at| at > self.now.mono), "{next:?}");
    }

    /// What clients get that waited, in order.
    fn delivered(&mut self) -> Vec<(SessionId, String)> {
        let deliveries = self.engine.take_deliveries().into_iter();
        deliveries
            .map(|delivery| {
                assert_eq!(delivery.then, Then::Resume);
                let text = String::from_utf8(delivery.bytes.into_bytes()).unwrap();
                (delivery.session, text)
            })
            .collect()
    }
}

#[test]
fn others_wait_up_to_the_threshold_and_are_then_told() {
    let mut server = Server::new("100");
    let (early, late, killer) = (server.connect(), server.connect(), server.connect());
    let sleeper = server.sleeper(600);
    assert_eq!(server.ask(early, "GET k"), None);
    assert_eq!(server.ask(killer, "WATCH k"), None);
    server.pass(99);
    assert_eq!(server.delivered(), []);
    server.pass(1);
    let ok = || "+OK\r\n".to_owned();
    let told = [(early, BUSY.to_owned()), (killer, ok())];
    assert_eq!(server.delivered(), told);
    let client = sleeper.client;
    assert_eq!(server.engine.take_orders(), [Order::TellBusy { client }]);
    assert_eq!(server.ask(late, "PING").as_deref(), Some(BUSY));
    // One that connects now is told so, too.
    let new = server.connect();
    assert_eq!(server.ask(new, "SHUTDOWN").as_deref(), Some(BUSY));
    assert_eq!(server.ask(killer, "SCRIPT KILL"), Some(ok()));
    assert_eq!(server.delivered(), [(sleeper, KILLED.to_owned())]);
    assert_eq!(server.ask(late, "PING").as_deref(), Some("+PONG\r\n"));
    let none = "-NOTBUSY No scripts in execution right now.\r\n";
    assert_eq!(server.ask(killer, "SCRIPT KILL").as_deref(), Some(none));
}

#[test]
fn a_transaction_that_meets_a_command_that_is_not_finished_is_lost() {
    let mut server = Server::new("100");
    let (before, meanwhile) = (server.connect(), server.connect());
    assert!(server.ask(before, "MULTI").is_some());
    assert!(server.ask(before, "SET k 1").is_some());
    server.sleeper(1);
    server.pass(100);
    assert_eq!(server.ask(before, "SET k 2").as_deref(), Some(BUSY));
    assert_eq!(server.ask(meanwhile, "MULTI").as_deref(), Some("+OK\r\n"));
    let aborted = format!(
        "-EXECABORT Transaction discarded because of: {}",
        &BUSY[1..]
    );
    assert_eq!(server.ask(meanwhile, "EXEC"), Some(aborted));
    server.pass(900);
    let exec = server.ask(before, "EXEC").unwrap();
    assert!(exec.starts_with("-EXECABORT"), "{exec}");
    assert_eq!(server.ask(before, "EXISTS k").as_deref(), Some(":0\r\n"));
}

#[test]
fn nobody_is_told_if_the_threshold_is_zero() {
    let mut server = Server::new("0");
    let other = server.connect();
    let sleeper = server.sleeper(100);
    assert_eq!(server.ask(other, "PING"), None);
    server.pass(99_999);
    assert_eq!(server.delivered(), []);
    server.pass(1);
    let done = [
        (sleeper, "+OK\r\n".to_owned()),
        (other, "+PONG\r\n".to_owned()),
    ];
    assert_eq!(server.delivered(), done);
}

#[test]
fn data_stays_as_it_is_until_the_command_has_ended() {
    let mut server = Server::new("100");
    let (other, reader) = (server.connect(), server.connect());
    server.ask(other, "SET k v PX 50");
    server.ask(other, "XGROUP CREATE s g $ MKSTREAM");
    server.ask(other, "XADD s 1-1 f v");
    server.ask(other, "XREADGROUP GROUP g a STREAMS s >");
    // This one claims what nobody has acknowledged, once that is idle for long enough.
    let read = "XREADGROUP GROUP g b BLOCK 0 CLAIM 50 STREAMS s >";
    assert_eq!(server.ask(reader, read), None);
    let sleeper = server.sleeper(1);
    for _ in 0..9 {
        server.pass(100);
        assert_eq!(server.engine.stats().expired_by_timer, 0);
        assert_eq!(server.delivered(), []);
    }
    server.pass(100);
    let delivered = server.delivered();
    assert_eq!(delivered[0], (sleeper, "+OK\r\n".to_owned()));
    assert!(delivered[1].0 == reader && delivered[1].1.contains("1-1"));
    server.pass(1);
    assert_eq!(server.engine.stats().expired_by_timer, 1);
}

#[test]
fn a_command_whose_client_has_gone_goes_on() {
    let mut server = Server::new("100");
    let other = server.connect();
    let sleeper = server.sleeper(1);
    server.engine.disconnect(sleeper);
    server.pass(100);
    assert_eq!(server.ask(other, "PING").as_deref(), Some(BUSY));
    server.pass(900);
    assert_eq!(server.ask(other, "PING").as_deref(), Some("+PONG\r\n"));
    assert_eq!(server.delivered(), []);
}

#[test]
fn a_pause_that_was_ordered_outlasts_the_command() {
    let mut server = Server::new("100");
    let (other, early) = (server.connect(), server.connect());
    assert!(server.ask(other, "CLIENT PAUSE 150 ALL").is_some());
    // Even the long command waits for the pause, and those that waited with it wait for it then.
    assert_eq!(server.ask(early, "DEBUG SLEEP 1"), None);
    assert_eq!(server.ask(other, "PING"), None);
    server.pass(150);
    assert_eq!(server.delivered(), []);
    server.pass(100);
    assert_eq!(server.delivered(), [(other, BUSY.to_owned())]);
    server.pass(900);
    assert_eq!(server.delivered(), [(early, "+OK\r\n".to_owned())]);
}
