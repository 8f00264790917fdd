//! Any bytes as the rules of a user, a rule a line: they are refused and change nothing, or the
//! user is written as a line from which a file of users makes the same user again.
#![no_main]

use std::sync::LazyLock;

use engine::config::{Config, Settings};
use engine::table::CommandIndex;
use engine::users::Users;
use libfuzzer_sys::fuzz_target;
use resp::ArgvBuf;

static COMMANDS: LazyLock<CommandIndex> =
    LazyLock::new(|| CommandIndex::new(commands::TABLE.rows()));
static CONFIG: LazyLock<Config> = LazyLock::new(|| Config::resolve(&Settings::default()));

const NAME: &[u8] = b"somebody";

fuzz_target!(|text: &[u8]| {
    let mut users = Users::new(&COMMANDS, &CONFIG, 1);
    let before = users.file_text();
    let rules = text.split(|byte| *byte == b'\n');
    let Ok(user) = users.change(NAME, rules, &COMMANDS, &CONFIG) else {
        assert_eq!(users.file_text(), before);
        return;
    };
    for request in [
        &["GET", "a"][..],
        &["COPY", "a", "b"],
        &["XREAD", "STREAMS", "b", "0"],
    ] {
        let request: ArgvBuf = request.iter().collect();
        let row = COMMANDS
            .find_for(request.as_argv())
            .expect("it is a command");
        let _ = user.check(row, request.as_argv());
    }
    let written = users.file_text();
    let mut loaded = Users::new(&COMMANDS, &CONFIG, 1);
    loaded
        .load_file("users", &written, &COMMANDS, &CONFIG)
        .expect("what was written can be read");
    assert_eq!(loaded.file_text(), written);
});
