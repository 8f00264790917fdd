//! The refusals of clients in the log: at most one line for each kind and second, with a count.

use engine::Mono;
use engine::server::Server;

/// How long a kind is silent after a line of it, in milliseconds.
const SILENCE_MS: u64 = 1000;

/// A kind of refusal, and how it is counted.
struct Kind {
    text: &'static str,
    count: fn(&Server) -> u64,
}

const KINDS: [Kind; 4] = [
    Kind {
        text: "logins failed: a wrong password",
        count: |server| answered(server, "WRONGPASS"),
    },
    Kind {
        text: "requests were refused of clients that did not log in",
        count: |server| answered(server, "NOAUTH"),
    },
    Kind {
        text: "connections were refused: there were maxclients, or protected mode keeps other machines out",
        count: |server| server.shell.connections_rejected,
    },
    Kind {
        text: "requests were refused for want of memory (maxmemory)",
        count: |server| answered(server, "OOM"),
    },
];

/// Returns how often an error with this code was answered.
fn answered(server: &Server, code: &str) -> u64 {
    let mut errors = server.errors.iter();
    errors
        .find(|(found, _)| *found == code)
        .map_or(0, |(_, count)| count)
}

/// What the log has of each kind.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    told: [Told; KINDS.len()],
}

#[derive(Debug, Clone, Copy, Default)]
struct Told {
    /// How many had been counted then.
    count: u64,
    /// Until when nothing is logged.
    silent_until: Mono,
}

impl Refusals {
    /// Logs what was refused since the last line, unless that was only just written.
    pub(crate) fn tell(&mut self, server: &Server, now: Mono) {
        for (text, count) in self.news(server, now) {
            tracing::warn!(count, "{text}");
        }
    }

    fn news(&mut self, server: &Server, now: Mono) -> Vec<(&'static str, u64)> {
        let mut news = Vec::new();
        for (kind, told) in KINDS.iter().zip(&mut self.told) {
            let count = (kind.count)(server);
            if count < told.count {
                // After CONFIG RESETSTAT, what came since cannot be told apart.
                told.count = 0;
            }
            if count > told.count && now >= told.silent_until {
                news.push((kind.text, count - told.count));
                *told = Told {
                    count,
                    silent_until: now.plus(SILENCE_MS),
                };
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use engine::config::Settings;
    use engine::{Engine, Now};

    use super::*;

    #[test]
    fn a_kind_is_told_once_a_second_with_a_count() {
        let mut engine = Engine::new(Settings::default(), 1, Now::default(), &commands::TABLE);
        let mut refusals = Refusals::default();
        let mut news = |rejected, at| {
            engine.server.shell.connections_rejected = rejected;
            let news = refusals.news(&engine.server, Mono(at));
            news.iter().map(|(_, count)| *count).collect::<Vec<_>>()
        };
        assert!(news(0, 0).is_empty());
        assert_eq!(news(3, 100), [3]);
        assert!(news(5, 200).is_empty());
        assert!(news(9, 1099).is_empty());
        assert_eq!(news(9, 1100), [6]);
        assert!(news(9, 5000).is_empty());
        // The counters were reset.
        assert_eq!(news(2, 9000), [2]);
    }
}
