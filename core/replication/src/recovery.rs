//! A log that an operator begins again, because the one before it has lost something.
//!
//! Nodes remember how far they have read, and refuse a log that is another one there. So the new
//! log begins at a number that no record has had: whatever nodes remember is before it, and they
//! begin with the snapshot that was made there, as those that were left behind. Its first record
//! begins an epoch, so nothing that was written for the old log is valid behind it.

use crate::chain::Chain;
use crate::place::{Epoch, Position, Seq};
use crate::record::{Kind, Record};

/// What numbers of first records are multiples of, so that they can be told from others.
const STEP: u64 = 1_000_000_000_000;

/// How far a first record is at least behind all that is known: what was appended and is known to
/// nobody any more has fewer records.
const UNKNOWN_MAX: u64 = STEP / 10;

impl Position {
    /// The first record of a log that goes on behind this position, and where a reader is behind
    /// it. `known` is the greatest number that a record is known to have had, `epoch` one that is
    /// greater than any, with a nonce of its own.
    pub fn begin_again(&self, known: Seq, epoch: Epoch) -> (Position, Vec<u8>) {
        let record = Record {
            kind: Kind::Epoch,
            epoch,
            last: self.lsn,
            prev: self.chain,
            acked: self.seq,
            body: &[],
        };
        let bytes = record.encode();
        let known = known.max(self.seq).0.saturating_add(UNKNOWN_MAX);
        let seq = Seq(known.div_ceil(STEP).saturating_mul(STEP));
        let chain = Chain::after(&bytes);
        let at = Position {
            seq,
            valid: seq,
            lsn: self.lsn,
            chain,
            tip: chain,
            epoch,
        };
        (at, bytes)
    }
}

#[cfg(test)]
mod tests {
    use batch::Lsn;

    use super::*;
    use crate::place::Mark;
    use crate::reader::{Entry, Reader, Verdict};

    const OLD: Position = Position {
        seq: Seq(70),
        valid: Seq(70),
        lsn: Lsn::new(12),
        chain: Chain::START,
        tip: Chain::START,
        epoch: Epoch {
            number: 2,
            nonce: 5,
        },
    };

    #[test]
    fn a_log_that_begins_again_is_beyond_what_nodes_remember_and_goes_on_with_the_next_batch() {
        let epoch = Epoch {
            number: 4,
            nonce: 6,
        };
        let (at, first) = OLD.begin_again(Seq(90), epoch);
        assert_eq!((at.seq, at.lsn), (Seq(STEP), OLD.lsn));
        let forgotten = Mark {
            seq: Seq(100),
            lsn: Lsn::new(30),
            chain: Chain::after(b"lost"),
        };
        let mut reader = Reader::new(at, Some(forgotten));
        assert!(reader.has_caught_up() && reader.verify_last(&first).is_ok());
        // A batch that was written for the old log arrives late.
        let batch = |epoch, prev| Record {
            kind: Kind::Batch {
                first: Lsn::new(13),
                part: 0,
                parts: 1,
            },
            epoch,
            last: Lsn::new(13),
            prev,
            acked: Seq(70),
            body: b"batch",
        };
        let late = batch(OLD.epoch, OLD.chain).encode();
        let seq = at.seq.next();
        assert_eq!(reader.read(seq, at.seq, &late), Ok(Verdict::Void));
        let next = Epoch {
            number: 5,
            nonce: 7,
        };
        let leads = Record {
            kind: Kind::Epoch,
            epoch: next,
            last: at.lsn,
            prev: at.chain,
            acked: at.seq,
            body: b"",
        };
        let leads = leads.encode();
        let seq = seq.next();
        let begun = Verdict::Valid(Entry::Epoch(next, Vec::new()));
        assert_eq!(reader.read(seq, at.seq, &leads), Ok(begun));
        let goes_on = batch(next, Chain::after(&leads)).encode();
        let read = reader.read(seq.next(), at.seq, &goes_on);
        assert!(matches!(read, Ok(Verdict::Valid(Entry::Group(_)))));
    }

    #[test]
    fn each_beginning_is_far_behind_the_one_before() {
        let (first, _) = OLD.begin_again(Seq(STEP - UNKNOWN_MAX), OLD.epoch);
        assert_eq!(first.seq, Seq(STEP));
        let (second, _) = OLD.begin_again(Seq(STEP - UNKNOWN_MAX + 1), OLD.epoch);
        assert_eq!(second.seq, Seq(2 * STEP));
        assert_eq!(
            second.begin_again(Seq::ZERO, OLD.epoch).0.seq,
            Seq(3 * STEP)
        );
    }
}
