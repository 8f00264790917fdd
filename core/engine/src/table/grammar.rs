//! The grammar of a command's arguments, as `COMMAND DOCS` and the reference pages show it.

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgKind {
    /// Any bytes.
    String,
    /// A whole number.
    Integer,
    /// A floating-point number.
    Double,
    /// A key; the number is the index of its key specification.
    Key(u8),
    /// A glob-style pattern.
    Pattern,
    /// A pattern that names a key for each of some elements; the number as for a key.
    KeyPattern(u8),
    /// A point in time.
    UnixTime,
    /// A bare keyword.
    PureToken,
    /// One of several.
    OneOf(&'static [Arg]),
    /// Several in a row.
    Block(&'static [Arg]),
}

/// Whether an argument must not be shown to others (`MONITOR`, the slow log).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// It may be.
    No,
    /// It must not: with its keyword before it, or, if it has none, with all arguments beside it.
    Always,
    /// It must not if the argument before it is one of these names, in any case of letters.
    After(&'static [&'static str]),
}

/// One argument of the grammar in `COMMAND DOCS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arg {
    /// Its name.
    pub name: &'static str,
    /// Its name as shown; the same as `name` unless set.
    pub display: &'static str,
    /// What it is.
    pub kind: ArgKind,
    /// The keyword before it; empty if none.
    pub token: &'static str,
    /// The version that brought it; empty if as old as the command.
    pub since: &'static str,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Its keyword is repeated with it.
    pub multiple_token: bool,
    /// The version that deprecated it; empty if none.
    pub deprecated_since: &'static str,
    /// Hidden from `MONITOR` and the slow log, or not.
    pub secret: Secret,
}

impl Arg {
    /// An argument of the given kind.
    pub const fn new(name: &'static str, kind: ArgKind) -> Arg {
        Arg {
            name,
            display: name,
            kind,
            token: "",
            since: "",
            optional: false,
            multiple: false,
            multiple_token: false,
            deprecated_since: "",
            secret: Secret::No,
        }
    }

    /// Any bytes.
    pub const fn string(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::String)
    }

    /// A whole number.
    pub const fn integer(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::Integer)
    }

    /// A floating-point number.
    pub const fn double(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::Double)
    }

    /// A key, found by the key specification of the given index.
    pub const fn key(name: &'static str, key_spec: u8) -> Arg {
        Arg::new(name, ArgKind::Key(key_spec))
    }

    /// A glob-style pattern.
    pub const fn pattern(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::Pattern)
    }

    /// A pattern of keys, which the key specification of the given index is about.
    pub const fn key_pattern(name: &'static str, key_spec: u8) -> Arg {
        Arg::new(name, ArgKind::KeyPattern(key_spec))
    }

    /// A point in time.
    pub const fn unix_time(name: &'static str) -> Arg {
        Arg::new(name, ArgKind::UnixTime)
    }

    /// A bare keyword.
    pub const fn word(name: &'static str, token: &'static str) -> Arg {
        Arg::new(name, ArgKind::PureToken).token(token)
    }

    /// One of several.
    pub const fn one_of(name: &'static str, choices: &'static [Arg]) -> Arg {
        Arg::new(name, ArgKind::OneOf(choices))
    }

    /// Several in a row.
    pub const fn block(name: &'static str, parts: &'static [Arg]) -> Arg {
        Arg::new(name, ArgKind::Block(parts))
    }

    /// The same after a keyword.
    #[must_use]
    pub const fn token(mut self, token: &'static str) -> Arg {
        self.token = token;
        self
    }

    /// The same under another name when shown.
    #[must_use]
    pub const fn display(mut self, display: &'static str) -> Arg {
        self.display = display;
        self
    }

    /// The same, known since a later version than the command.
    #[must_use]
    pub const fn since(mut self, version: &'static str) -> Arg {
        self.since = version;
        self
    }

    /// The same, deprecated since a version.
    #[must_use]
    pub const fn deprecated_since(mut self, version: &'static str) -> Arg {
        self.deprecated_since = version;
        self
    }

    /// The same, never shown.
    #[must_use]
    pub const fn secret(mut self) -> Arg {
        self.secret = Secret::Always;
        self
    }

    /// The same, not shown after one of these names.
    #[must_use]
    pub const fn secret_after(mut self, names: &'static [&'static str]) -> Arg {
        self.secret = Secret::After(names);
        self
    }

    /// The same, optional.
    #[must_use]
    pub const fn optional(mut self) -> Arg {
        self.optional = true;
        self
    }

    /// The same, once or more.
    #[must_use]
    pub const fn multiple(mut self) -> Arg {
        self.multiple = true;
        self
    }

    /// The same, once or more, each time with its keyword.
    #[must_use]
    pub const fn multiple_token(mut self) -> Arg {
        self.multiple = true;
        self.multiple_token = true;
        self
    }
}
