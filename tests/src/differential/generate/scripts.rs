//! Scripts: other commands, called by one of them, some of which fail, and what scripts make of
//! their replies.
//!
//! Only commands are called whose replies are compared to the last byte. A script that may end
//! early calls nothing on streams: the generator would not know what has become of them.

use super::super::command::{Argument, Command};
use super::super::compare::is_exact;
use super::Generator;
use super::focus::Family;

/// What a script may call that goes on when a command fails.
const ANY: [(u32, Family); 6] = [
    (4, Generator::stream_command),
    (3, Generator::string_command),
    (2, Generator::list_command),
    (2, Generator::set_command),
    (2, Generator::sorted_set_command),
    (2, Generator::hash_command),
];

/// What any other may call.
const NO_STREAMS: [(u32, Family); 4] = [
    (3, Generator::string_command),
    (2, Generator::list_command),
    (2, Generator::set_command),
    (2, Generator::hash_command),
];

/// How a script ends that has its replies in `r`.
const ENDS: [&str; 9] = [
    "return r",
    "return r[1]",
    "return {r[1], #r, false, r[2]}",
    "return #r .. type(r[#r])",
    "return redis.status_reply('FINE')",
    "return redis.error_reply('MINE failed')",
    "return {err = 'without a code'}",
    "error('in the end')",
    // An index of what is none is an error, too.
    "return r[1].err or r[1].ok or r[1][1]",
];

impl Generator {
    /// A script of one to four commands; seldom something else about scripts.
    pub(super) fn script_command(&mut self) {
        if !self.in_transaction && self.random.percent(2) {
            self.push(Command::new(&["SCRIPT", "FLUSH"]));
            return;
        }
        let goes_on = self.random.percent(60);
        let families: &[(u32, Family)] = if goes_on { &ANY } else { &NO_STREAMS };
        let before = self.commands.len();
        for _ in 0..1 + self.random.below(4) {
            self.draw_of(families);
        }
        let drawn: Vec<Command> = self.commands.drain(before..).collect();
        // A lag that Redis does not know is no field of a map any more in a script.
        let is_fit = |command: &Command| {
            command.slot.is_none() && is_exact(command) && command.name() != "xinfo"
        };
        let texts: Option<Vec<Vec<&[u8]>>> = drawn.iter().map(texts).collect();
        match texts {
            Some(texts) if drawn.iter().all(is_fit) => {
                let script = self.script(&texts, goes_on);
                self.run_script(&script, &texts, goes_on);
            }
            _ => self.commands.extend(drawn),
        }
    }

    fn script(&mut self, texts: &[Vec<&[u8]>], goes_on: bool) -> String {
        let mut script = String::new();
        if !goes_on {
            let first_lines = ["", "", "", "#!lua\n", "#!lua flags=no-writes\n"];
            script.push_str(self.random.pick(&first_lines));
        }
        script.push_str("local r = {}\n");
        if self.random.percent(25) {
            script.push_str("redis.setresp(3)\n");
        }
        let mut from = 1;
        for text in texts {
            let call = match goes_on || self.random.percent(50) {
                true => "redis.pcall",
                false => "redis.call",
            };
            let to = from + text.len() - 1;
            script.push_str(&format!("r[#r + 1] = {call}(unpack(ARGV, {from}, {to}))\n"));
            from = to + 1;
        }
        if !goes_on && self.random.percent(10) {
            script.push_str("r[#r + 1] = redis.pcall('NOSUCH', KEYS[1])\n");
        }
        script.push_str(self.random.pick(&ENDS));
        script
    }

    /// Runs a script by its text, or by its name.
    fn run_script(&mut self, script: &str, texts: &[Vec<&[u8]>], goes_on: bool) {
        let suffix = match !goes_on && self.random.percent(15) {
            true => "_RO",
            false => "",
        };
        let mut name = None;
        if self.random.percent(25) {
            name = self.emit_kept(Command::new(&["SCRIPT", "LOAD", script]));
        }
        let mut command = match name {
            Some(slot) => {
                let mut command = Command::new(&[&format!("EVALSHA{suffix}")]);
                command.push(Argument::Reply("", slot));
                command
            }
            None => Command::new(&[&format!("EVAL{suffix}"), script]),
        };
        command.push("0");
        for text in texts.iter().flatten() {
            command.push(Argument::Text(text.to_vec()));
        }
        self.push(command);
    }
}

/// The arguments, if none is the reply to another command.
fn texts(command: &Command) -> Option<Vec<&[u8]>> {
    command.arguments.iter().map(text).collect()
}

fn text(argument: &Argument) -> Option<&[u8]> {
    match argument {
        Argument::Text(text) => Some(text),
        Argument::Reply(..) | Argument::Elements(_) => None,
    }
}
