//! A selector: commands together with the keys and channels on which they are allowed.

use resp::Argv;

use crate::error::{Denied, DeniedObject, DeniedWhen};
use crate::limits::USER_ITEMS_MAX;
use crate::table::{
    ChannelUse, CommandIndex, FoundChannel, FoundKey, KeyFlags, Named, Rights, Row, channels_of,
    keys_of, only_key,
};
use crate::users::commands::{CommandRules, is_space_or_null};
use crate::users::fault::RuleFault;
use crate::users::pattern::{Beginning, Pattern, first_word, whole_word};

/// The commands, keys and channels that are allowed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// The commands.
    pub commands: CommandRules,
    all_keys: bool,
    keys: Vec<(Rights, Pattern)>,
    all_channels: bool,
    channels: Vec<Pattern>,
}

/// Returns whether a pattern gives these rights on a key, which has this [`first_word`].
#[inline]
fn fits((has, pattern): &(Rights, Pattern), needed: Rights, word: u64, key: &[u8]) -> bool {
    has.has(needed) && pattern.matches_from(word, key)
}

/// Why a selector does not allow a request. The later one is told if several selectors refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotAllowed<'a> {
    /// The command or subcommand.
    Command,
    /// A key, and which it is among the keys of the request.
    Key(usize, &'a [u8]),
    /// A channel, likewise.
    Channel(usize, &'a [u8]),
}

impl NotAllowed<'_> {
    /// What the user is told who made the request.
    pub fn denied(self, user: &[u8], row: &Row) -> Denied {
        Denied {
            user: user.to_vec(),
            object: match self {
                NotAllowed::Command => DeniedObject::Command(row.full_name()),
                NotAllowed::Key(_, key) => DeniedObject::Key(key.to_vec()),
                NotAllowed::Channel(_, channel) => DeniedObject::Channel(channel.to_vec()),
            },
            when: DeniedWhen::Asked,
        }
    }
}

/// What of a selector allowed requests before: most clients use keys of one kind, so it is where to
/// look first. It is about one selector as it is, and void when that changes.
#[derive(Debug, Clone, Copy)]
pub struct Precedent {
    /// All commands that are allowed at all may do all they do to keys that begin so.
    beginning: Beginning,
    /// The place of the pattern that allowed the last key.
    likely: usize,
}

impl Precedent {
    /// Nothing was allowed yet.
    pub const NONE: Precedent = Precedent {
        beginning: Beginning::OF_NONE,
        likely: 0,
    };
}

/// What a request needs of keys beyond those that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'w> {
    /// Nothing.
    Named,
    /// It may read any key.
    AllKeysRead,
    /// It may do this to each key that matches a pattern.
    KeysLike(&'w [u8], KeyFlags),
}

impl Selector {
    /// One that allows nothing.
    pub(super) fn none(commands: &CommandIndex, all_channels: bool) -> Selector {
        Selector {
            commands: CommandRules::none(commands),
            all_keys: false,
            keys: Vec::new(),
            all_channels,
            channels: Vec::new(),
        }
    }

    /// Returns whether everything is allowed.
    pub(super) fn allows_everything(&self) -> bool {
        self.commands.allows_all() && self.all_keys && self.all_channels
    }

    /// Checks a request.
    pub(super) fn check<'a>(
        &self,
        row: &'static Row,
        argv: Argv<'a>,
        wanted: Wanted<'_>,
    ) -> Result<(), NotAllowed<'a>> {
        if !self.commands.allows(row) {
            let first = if row.container.is_empty() { 1 } else { 2 };
            if !self.commands.allows_with(row, argv.get(first)) {
                return Err(NotAllowed::Command);
            }
        }
        if !self.all_keys {
            match only_key(row.spec, argv) {
                Some(found) => self.check_key(0, &found)?,
                // A request whose keys cannot be found is refused by its command.
                None => keys_of(row.spec, argv)
                    .flatten()
                    .enumerate()
                    .try_for_each(|(index, found)| self.check_key(index, &found))?,
            }
            let has_wanted = match wanted {
                Wanted::Named => true,
                Wanted::AllKeysRead => self.reads_all_keys(),
                Wanted::KeysLike(pattern, flags) => self.allows_keys_like(pattern, flags),
            };
            if !has_wanted {
                return Err(NotAllowed::Key(0, b""));
            }
        }
        if !self.all_channels && !row.spec.channels.is_empty() {
            for (index, found) in channels_of(row.spec, argv).flatten().enumerate() {
                let is_left = found.used == ChannelUse::Unsubscribe;
                if !is_left && !self.allows_channel(&found) {
                    return Err(NotAllowed::Channel(index, found.channel));
                }
            }
        }
        Ok(())
    }

    /// Returns whether a request is allowed because it is like one before that was; otherwise
    /// [`Selector::clearly_allows`] has to look.
    #[inline]
    pub(super) fn allows_by(&self, row: &Row, argv: Argv<'_>, precedent: &Precedent) -> bool {
        if self.commands.allows(row)
            && let Named::Key(place, _) = row.named
            && let Some(key) = argv.in_place(usize::from(place))
            && let Some(word) = whole_word(key)
        {
            return precedent.beginning.is_of(word);
        }
        false
    }

    /// Returns whether a request is allowed, as far as that is found out quickly: `false` says only
    /// that [`Selector::check`] has to look.
    pub(super) fn clearly_allows(
        &self,
        row: &Row,
        argv: Argv<'_>,
        precedent: &mut Precedent,
    ) -> bool {
        if !self.commands.allows(row) {
            return false;
        }
        match row.named {
            Named::Nothing => true,
            Named::Key(..) if self.all_keys => {
                precedent.beginning = Beginning::OF_ALL;
                true
            }
            Named::Key(place, rights) => {
                let key = argv.get(usize::from(place));
                key.is_some_and(|key| self.clearly_allows_key(key, rights, precedent))
            }
            Named::More => false,
        }
    }

    fn clearly_allows_key(&self, key: &[u8], rights: Rights, precedent: &mut Precedent) -> bool {
        let word = first_word(key);
        let is_right = |known: &(Rights, Pattern)| fits(known, rights, word, key);
        let mut likely = self
            .keys
            .get(precedent.likely)
            .filter(|known| is_right(known));
        if likely.is_none()
            && let Some(place) = self.keys.iter().position(is_right)
        {
            precedent.likely = place;
            likely = self.keys.get(place);
        }
        let Some((has, pattern)) = likely else {
            return false;
        };
        if *has == Rights::ALL
            && let Some(beginning) = pattern.beginning()
        {
            precedent.beginning = beginning;
        }
        true
    }

    #[inline]
    fn check_key<'a>(&self, index: usize, found: &FoundKey<'a>) -> Result<(), NotAllowed<'a>> {
        match found.flags.has(KeyFlags::NOT_KEY) || self.allows_key(found) {
            true => Ok(()),
            false => Err(NotAllowed::Key(index, found.key)),
        }
    }

    #[inline]
    fn allows_key(&self, found: &FoundKey<'_>) -> bool {
        let needed = Rights::needed(found.flags);
        let word = first_word(found.key);
        let mut keys = self.keys.iter();
        keys.any(|known| fits(known, needed, word, found.key))
    }

    /// Returns whether a key may be read.
    pub(super) fn may_read(&self, key: &[u8]) -> bool {
        let flags = KeyFlags::RO.and(KeyFlags::ACCESS);
        self.all_keys || self.allows_key(&FoundKey { key, flags })
    }

    /// Returns whether every key may be read.
    pub(super) fn reads_every_key(&self) -> bool {
        self.all_keys || self.reads_all_keys()
    }

    /// Returns whether one pattern lets every key be read.
    fn reads_all_keys(&self) -> bool {
        let mut keys = self.keys.iter();
        keys.any(|(rights, pattern)| rights.has(Rights::READ) && pattern.text() == b"*")
    }

    /// Returns whether one pattern lets this be done to each key that another pattern matches.
    fn allows_keys_like(&self, like: &[u8], flags: KeyFlags) -> bool {
        let needed = Rights::needed(flags);
        let mut keys = self.keys.iter();
        keys.any(|(rights, pattern)| rights.has(needed) && pattern.covers(like))
    }

    /// Returns whether a channel may be used. A pattern of channels may be if that very pattern is
    /// allowed.
    pub(super) fn allows_channel(&self, found: &FoundChannel<'_>) -> bool {
        let mut channels = self.channels.iter();
        self.all_channels
            || channels.any(|pattern| match found.is_pattern {
                true => pattern.text() == found.channel,
                false => pattern.matches(found.channel),
            })
    }

    /// Allows all keys.
    pub(super) fn allow_all_keys(&mut self) {
        self.all_keys = true;
        self.keys.clear();
    }

    /// Allows no key.
    pub(super) fn reset_keys(&mut self) {
        self.all_keys = false;
        self.keys.clear();
    }

    /// Allows all channels, or none.
    pub(super) fn reset_channels(&mut self, all: bool) {
        self.all_channels = all;
        self.channels.clear();
    }

    /// Allows the keys of a pattern.
    pub(super) fn allow_keys(&mut self, rights: Rights, text: &[u8]) -> Result<(), RuleFault> {
        if text.iter().any(|byte| is_space_or_null(*byte)) {
            return Err(RuleFault::Syntax);
        }
        let mut known = self.keys.iter_mut();
        let mut rights = rights;
        if let Some((known, _)) = known.find(|(_, pattern)| pattern.text() == text) {
            *known = known.and(rights);
            rights = *known;
        } else if self.keys.len() >= USER_ITEMS_MAX {
            return Err(RuleFault::TooMany);
        } else {
            self.keys.push((rights, Pattern::new(text)));
        }
        if rights == Rights::ALL && text == b"*" {
            self.allow_all_keys();
        }
        Ok(())
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let keys = self.keys.iter().map(|(_, pattern)| pattern);
        let patterns = keys.chain(&self.channels);
        let patterns =
            patterns.map(|pattern| size_of::<(Rights, Pattern)>() + pattern.text().len());
        size_of::<Selector>() + patterns.sum::<usize>() + self.commands.bytes()
    }

    /// Returns whether all keys are allowed, so that a pattern would change nothing.
    pub(super) fn allows_all_keys(&self) -> bool {
        self.all_keys
    }

    /// Allows the channels of a pattern.
    pub(super) fn allow_channels(&mut self, text: &[u8]) -> Result<(), RuleFault> {
        if self.all_channels {
            return Err(RuleFault::ChannelsAfterAll);
        }
        if text.iter().any(|byte| is_space_or_null(*byte)) {
            return Err(RuleFault::Syntax);
        }
        if self.channels.iter().any(|pattern| pattern.text() == text) {
            return Ok(());
        }
        if self.channels.len() >= USER_ITEMS_MAX {
            return Err(RuleFault::TooMany);
        }
        self.channels.push(Pattern::new(text));
        Ok(())
    }

    /// The keys, as rules.
    pub fn keys_text(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".to_vec();
        }
        let keys = self.keys.iter().map(|(rights, pattern)| {
            let sign: &[u8] = match *rights {
                Rights::READ => b"%R~",
                Rights::WRITE => b"%W~",
                _ => b"~",
            };
            [sign, pattern.text()].concat()
        });
        keys.collect::<Vec<_>>().join(b" ".as_slice())
    }

    /// The channels, as rules.
    pub fn channels_text(&self) -> Vec<u8> {
        if self.all_channels {
            return b"&*".to_vec();
        }
        let channels = self.channels.iter();
        let channels = channels.map(|pattern| [b"&", pattern.text()].concat());
        channels.collect::<Vec<_>>().join(b" ".as_slice())
    }

    /// All rules, as a line tells them.
    pub(super) fn describe(&self, text: &mut Vec<u8>) {
        let keys = self.keys_text();
        if !keys.is_empty() {
            text.extend_from_slice(&keys);
            text.push(b' ');
        }
        let channels = self.channels_text();
        if !self.all_channels {
            text.extend_from_slice(b"resetchannels ");
        }
        if !channels.is_empty() {
            text.extend_from_slice(&channels);
            text.push(b' ');
        }
        text.extend_from_slice(&self.commands.text());
    }
}
