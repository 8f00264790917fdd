//! Commands about the server, its clients and their transactions.

use super::{Attack, Ground};

pub(super) const GROUND: Ground = Ground {
    name: "clients",
    flags: &[
        ("slowlog-log-slower-than", "0"),
        ("slowlog-max-len", "100000"),
    ],
    data: &["SET k v"],
    attacks: &[
        Attack::of(
            "CLIENT LIST of 2,000 clients, 20 times",
            &["20 * CLIENT LIST"],
        )
        .beside(2000, &["PING"]),
        Attack::of(
            "CLIENT LIST ID of 200,000 IDs",
            &["CLIENT LIST ID {200000 x 1#}"],
        )
        .beside(1000, &["PING"]),
        Attack::of(
            "CLIENT LIST ID of one ID, 200,000 times",
            &["CLIENT LIST ID {200000 x 7}"],
        ),
        Attack::of(
            "CLIENT KILL with 100,000 filters",
            &["CLIENT KILL {100000 x LADDR 1.2.3.4:#}"],
        )
        .beside(1000, &["PING"]),
        Attack::of(
            "CLIENT UNBLOCK and CLIENT SETNAME, 100,000 times",
            &[
                "100000 * CLIENT UNBLOCK 999999",
                "100000 * CLIENT SETNAME n#",
            ],
        ),
        Attack::of(
            "COMMAND and COMMAND DOCS, 20 times",
            &["20 * COMMAND", "20 * COMMAND DOCS"],
        ),
        Attack::of(
            "COMMAND DOCS of one command, 20,000 times",
            &["COMMAND DOCS {20000 x set}"],
        ),
        Attack::of(
            "COMMAND INFO of 100,000 names",
            &["COMMAND INFO {100000 x n#}"],
        ),
        Attack::of("INFO everything, 100 times", &["100 * INFO everything"]),
        Attack::of("INFO of 100,000 sections", &["INFO {100000 x server}"]),
        Attack::of("CONFIG GET *, 100 times", &["100 * CONFIG GET *"]),
        Attack::of("CONFIG SET of 200 KB", &["CONFIG SET save {100000*1 }"]),
        Attack::of(
            "CONFIG SET of 100,000 pairs",
            &["CONFIG SET {100000 x maxclients 10000}"],
        ),
        Attack::of("SLOWLOG GET of 100,000 entries", &["SLOWLOG GET -1"])
            .after(&["100000 * SET k {100*v}"]),
        Attack::of("SLOWLOG RESET of 100,000 entries", &["SLOWLOG RESET"]),
        Attack::of(
            "LATENCY HISTOGRAM of 100,000 names",
            &["LATENCY HISTOGRAM {100000 x set}"],
        ),
        Attack::of(
            "LATENCY RESET of 100,000 names",
            &["LATENCY RESET {100000 x n#}"],
        ),
        Attack::of("LOLWUT, 1,000 times", &["1000 * LOLWUT"]),
        Attack::of(
            "HELLO, AUTH and RESET, 50,000 times",
            &["50000 * HELLO 2", "50000 * AUTH {100*p}", "50000 * RESET"],
        ),
        Attack::of(
            "MULTI, 200,000 commands and EXEC",
            &["MULTI", "200000 * SET k v", "EXEC"],
        ),
        Attack::of(
            "MULTI, 200,000 commands and DISCARD",
            &["MULTI", "200000 * SET k v", "DISCARD"],
        ),
        Attack::of(
            "OBJECT ENCODING and TYPE, 100,000 times",
            &["100000 * OBJECT ENCODING k", "100000 * TYPE k"],
        ),
        Attack::of(
            "an unknown command of 10 MB",
            &["{10000000*x} {10000000*y}"],
        ),
        Attack::of("PING of 60 MB", &["PING {60000000*x}"]),
    ],
};
