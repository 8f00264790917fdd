//! A short run of rows of numbers in ascending order, packed.
//!
//! A row is `N` numbers; the leading `K` of them are its key, and no two rows have the same key.
//! Neighbours resemble each other, so each column keeps a base and stores what a row has above it,
//! in as few bytes as its greatest value needs (none if all rows agree). Rows are stored one after
//! another, so that inserting or removing one is a single move of bytes. The columns of a row are
//! arranged as in a number, the first one highest: a row of at most eight bytes, which most are, is
//! read and written at once, and its key compares as one number. A column whose new value does not
//! fit is widened, which rewrites the run. A rewrite leaves room, so that it happens only a few
//! times in the life of a run. [`Tree`](super::Tree) makes an order of runs.

use std::cmp::Ordering;

/// Ascending rows of `N` numbers.
#[derive(Clone, Debug)]
pub(super) struct Rows<const N: usize> {
    /// The skipped rows, the rows, and `SLACK_BYTES` more; or nothing before the first row.
    bytes: Vec<u8>,
    columns: Columns<N>,
    len: u16,
    /// Rows removed at the front whose bytes are still there: removal in order moves nothing.
    skipped: u16,
}

/// How the columns of a run are packed.
#[derive(Clone, Copy, Debug)]
struct Columns<const N: usize> {
    bases: [u64; N],
    /// The greatest number above its base that each column holds: as many bytes as it takes in a
    /// row, 0 to 8. One of 8 has the base 0.
    masks: [u64; N],
    /// Where in the bytes of a row each column begins.
    offsets: [u8; N],
    /// Bytes of a row: of all columns together.
    stride: u8,
}

/// Bytes after the last row: every number is read and written as eight bytes.
const SLACK_BYTES: usize = 8;

/// A row of this many bytes is one number.
const NARROW_BYTES_MAX: u8 = 8;

/// The least memory that is allocated.
const CAPACITY_MIN: usize = 64;

/// What an empty run may keep.
const CLEARED_CAPACITY_MAX: usize = 256;

/// The greatest number that fits this many bytes.
const MASKS: [u64; 9] = [
    0,
    0xff,
    0xffff,
    0xff_ffff,
    0xffff_ffff,
    0xff_ffff_ffff,
    0xffff_ffff_ffff,
    0xff_ffff_ffff_ffff,
    u64::MAX,
];

impl<const N: usize> Rows<N> {
    /// A run of this many rows takes no more.
    pub(super) const LEN_MAX: usize = 256;

    /// No rows.
    pub(super) fn new() -> Self {
        Rows {
            bytes: Vec::new(),
            columns: Columns::new([0; N], [0; N]),
            len: 0,
            skipped: 0,
        }
    }

    /// No rows, but memory for a run that resembles this one.
    pub(super) fn to_next(&self) -> Self {
        Rows {
            bytes: Vec::with_capacity(self.bytes.len()),
            columns: self.columns,
            len: 0,
            skipped: 0,
        }
    }

    /// Adds rows behind the last one. The caller keeps the order and `LEN_MAX`.
    pub(super) fn append(&mut self, rows: impl ExactSizeIterator<Item = [u64; N]> + Clone) {
        if self.len == 0 {
            self.begin(rows.clone());
        } else if self.append_if_fitting(rows.clone()) {
            return;
        } else {
            self.widen(rows.clone());
        }
        let fitted = self.append_if_fitting(rows);
        assert!(fitted, "the columns were chosen for these rows");
    }

    /// Puts a row before the row at `index`.
    pub(super) fn insert(&mut self, index: usize, row: &[u64; N]) {
        if index >= self.len() {
            return self.append([*row].into_iter());
        }
        self.make_fit(row);
        if index == 0 && self.skipped > 0 {
            self.skipped -= 1;
        } else {
            self.reserve(1);
            let (at, end) = (self.offset(index), self.bytes.len());
            let stride = usize::from(self.columns.stride);
            self.bytes.resize(end + stride, 0);
            self.bytes.copy_within(at..end, at + stride);
        }
        self.len += 1;
        self.store(index, row);
    }

    /// Replaces the row at `index` by one with the same key.
    pub(super) fn set(&mut self, index: usize, row: &[u64; N]) {
        self.make_fit(row);
        self.store(index, row);
    }

    /// Removes the rows from `start` up to, but not including, `end`.
    pub(super) fn remove(&mut self, start: usize, end: usize) {
        let end = end.min(self.len());
        if start >= end {
            return;
        }
        let count = end - start;
        if count == self.len() {
            self.clear();
            return;
        }
        if start == 0 {
            self.skipped += count as u16;
        } else {
            let (to, from) = (self.offset(start), self.offset(end));
            self.bytes.copy_within(from.., to);
            let bytes_len = self.bytes.len() - (from - to);
            self.bytes.truncate(bytes_len);
        }
        self.len -= count as u16;
        if self.skipped > self.len {
            self.drop_skipped();
        }
        let used = self.bytes.len();
        if self.bytes.capacity() > 4 * used + CLEARED_CAPACITY_MAX {
            self.bytes.shrink_to(2 * used);
        }
    }

    /// Moves the rows from `index` on into a run of their own.
    pub(super) fn split_off(&mut self, index: usize) -> Self {
        let mut right = Rows::new();
        right.append(self.iter_from(index));
        self.remove(index, self.len());
        right
    }

    /// Frees the memory that was kept for further rows.
    pub(super) fn seal(&mut self) {
        self.drop_skipped();
        self.bytes.shrink_to_fit();
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// What a row of this run has in a column is never below this.
    #[inline]
    pub(super) fn at_least(&self, column: usize) -> u64 {
        self.columns.bases[column]
    }

    /// The row at `index`, which is below `len`.
    #[inline(always)]
    pub(super) fn row(&self, index: usize) -> [u64; N] {
        let at = self.offset(index);
        if self.columns.is_narrow() {
            self.columns.unpack(load(&self.bytes, at))
        } else {
            self.columns.load(&self.bytes, at)
        }
    }

    /// Returns where the row with this key is, or where it would be; looks at the rows from `from`
    /// on.
    #[inline]
    pub(super) fn search<const K: usize>(
        &self,
        from: usize,
        key: &[u64; K],
    ) -> Result<usize, usize> {
        let (mut low, mut high) = (from, self.len());
        if !self.columns.is_narrow() {
            while low < high {
                let middle = low.midpoint(high);
                match self.compare(middle, key) {
                    Ordering::Less => low = middle + 1,
                    Ordering::Greater => high = middle,
                    Ordering::Equal => return Ok(middle),
                }
            }
            return Err(low);
        }
        let target = self.columns.target(key);
        while low < high {
            let middle = low.midpoint(high);
            if target.is_above(self.word(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low < self.len() && target.is_key_of(self.word(low)) {
            Ok(low)
        } else {
            Err(low)
        }
    }

    /// The rows from `index` on.
    pub(super) fn iter_from(
        &self,
        index: usize,
    ) -> impl ExactSizeIterator<Item = [u64; N]> + Clone + '_ {
        (index..self.len()).map(|index| self.row(index))
    }

    /// Bytes that this run has on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    #[inline]
    fn compare<const K: usize>(&self, index: usize, key: &[u64; K]) -> Ordering {
        let at = self.offset(index);
        for (column, part) in key.iter().enumerate() {
            match self.columns.number(&self.bytes, at, column).cmp(part) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
        }
        Ordering::Equal
    }

    #[inline]
    fn offset(&self, index: usize) -> usize {
        (usize::from(self.skipped) + index) * usize::from(self.columns.stride)
    }

    /// A narrow row and, above it, what follows.
    #[inline]
    fn word(&self, index: usize) -> u64 {
        load(&self.bytes, self.offset(index))
    }

    /// Writes the row at `index` and touches no byte of its neighbours.
    fn store(&mut self, index: usize, row: &[u64; N]) {
        let at = self.offset(index);
        for (column, number) in row.iter().enumerate() {
            let at = at + usize::from(self.columns.offsets[column]);
            let mask = self.columns.masks[column];
            let above = number.wrapping_sub(self.columns.bases[column]);
            let kept = load(&self.bytes, at) & !mask;
            store(&mut self.bytes, at, kept | (above & mask));
        }
    }

    /// Adds the rows if every number fits its column; otherwise nothing has happened.
    fn append_if_fitting(&mut self, rows: impl ExactSizeIterator<Item = [u64; N]>) -> bool {
        let count = rows.len();
        self.reserve(count);
        let start = self.offset(self.len());
        let columns = self.columns;
        let stride = usize::from(columns.stride);
        self.bytes.resize(start + count * stride + SLACK_BYTES, 0);
        let mut excess = 0;
        let mut at = start;
        // Eight bytes are written for a number; what is too much is overwritten by the next row.
        if columns.is_narrow() {
            let shifts: [u32; N] = std::array::from_fn(|column| columns.shift(column));
            for row in rows {
                let mut word = 0;
                for column in 0..N {
                    let above = row[column].wrapping_sub(columns.bases[column]);
                    word |= above.wrapping_shl(shifts[column]);
                    excess |= above & !columns.masks[column];
                }
                store(&mut self.bytes, at, word);
                at += stride;
            }
        } else {
            for row in rows {
                for column in (0..N).rev() {
                    let above = row[column].wrapping_sub(columns.bases[column]);
                    let at = at + usize::from(columns.offsets[column]);
                    store(&mut self.bytes, at, above);
                    excess |= above & !columns.masks[column];
                }
                at += stride;
            }
        }
        if excess != 0 {
            self.bytes.truncate(start + SLACK_BYTES);
            return false;
        }
        self.len += count as u16;
        true
    }

    fn make_fit(&mut self, row: &[u64; N]) {
        if !self.columns.fits(row) {
            self.widen([*row].into_iter());
        }
    }

    /// Chooses the columns for these rows, which will be the first ones.
    fn begin(&mut self, rows: impl ExactSizeIterator<Item = [u64; N]>) {
        let len = rows.len().max(1);
        let (lows, highs) = extents(rows);
        let mut widths = self.columns.widths();
        for column in 0..N {
            let span = highs[column].saturating_sub(lows[column]);
            let needed = bytes_for(Self::expected_span(span, len));
            // The run before this one may have needed more, so this one probably will; but an
            // exception there must not be passed on for ever.
            widths[column] = widths[column].clamp(needed, (needed + 1).min(8));
        }
        self.columns = Columns::new(lows, widths);
        self.bytes.clear();
        self.skipped = 0;
    }

    /// Makes the columns wide enough for these rows too.
    fn widen(&mut self, rows: impl ExactSizeIterator<Item = [u64; N]>) {
        let len = self.len() + rows.len();
        let (lows, highs) = extents(rows);
        let (lows_here, highs_here) = extents(self.iter_from(0));
        let (mut bases, mut widths) = (self.columns.bases, self.columns.widths());
        for column in 0..N {
            let (low, high) = (lows[column], highs[column]);
            let is_sinking = low < bases[column];
            if !is_sinking && high - bases[column] <= self.columns.masks[column] {
                continue;
            }
            let lowest = low.min(lows_here[column]);
            let span = high.max(highs_here[column]) - lowest;
            widths[column] = bytes_for(Self::expected_span(span, len)).max(widths[column]);
            let room = MASKS[usize::from(widths[column])] - span;
            bases[column] = lowest.saturating_sub(if is_sinking { room / 2 } else { 0 });
        }
        let mut packed = Rows {
            bytes: Vec::with_capacity(self.bytes.capacity()),
            columns: Columns::new(bases, widths),
            len: 0,
            skipped: 0,
        };
        let fitted = packed.append_if_fitting(self.iter_from(0));
        assert!(fitted, "the columns were chosen for these rows");
        *self = packed;
    }

    /// Returns how far apart the numbers of a column may become that has this span in this many
    /// rows. If the span grows with the rows, there is room for a full run at once. Otherwise there
    /// is room for half as much again, so that numbers that grow steadily do not force a rewrite at
    /// each step.
    fn expected_span(span: u64, len: usize) -> u64 {
        let full = span.saturating_mul((Self::LEN_MAX / len) as u64);
        full.max(span.saturating_add(span / 2))
    }

    /// Makes sure of the memory for this many further rows.
    fn reserve(&mut self, count: usize) {
        if self.offset(self.len() + count) + SLACK_BYTES > self.bytes.capacity() {
            self.drop_skipped();
            let needed = self.offset(self.len() + count) + SLACK_BYTES;
            let capacity = self.bytes.capacity();
            if needed > capacity {
                let target = needed.max(2 * capacity).max(CAPACITY_MIN);
                self.bytes.reserve_exact(target - self.bytes.len());
            }
        }
    }

    fn drop_skipped(&mut self) {
        let gone = self.offset(0);
        self.bytes.drain(..gone);
        self.skipped = 0;
    }

    /// Forgets all rows and keeps a little memory, so that a run that is used again and again,
    /// and is mostly empty, does not allocate each time.
    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(CLEARED_CAPACITY_MAX);
        (self.len, self.skipped) = (0, 0);
    }
}

impl<const N: usize> Columns<N> {
    /// Columns of these widths. Eight bytes hold any difference, even a negative one, which wraps;
    /// so there the base is 0 and remains a lower bound.
    fn new(mut bases: [u64; N], widths: [u8; N]) -> Self {
        let mut offsets = [0; N];
        let mut stride = 0;
        for column in (0..N).rev() {
            offsets[column] = stride;
            stride += widths[column];
            if widths[column] == 8 {
                bases[column] = 0;
            }
        }
        let masks = widths.map(|width| MASKS[usize::from(width)]);
        Columns {
            bases,
            masks,
            offsets,
            stride,
        }
    }

    fn widths(&self) -> [u8; N] {
        self.masks.map(bytes_for)
    }

    #[inline]
    fn is_narrow(&self) -> bool {
        self.stride <= NARROW_BYTES_MAX
    }

    /// Returns where a column begins in a narrow row. A column without width may begin at bit 64;
    /// shifts wrap, and the mask leaves nothing.
    #[inline]
    fn shift(&self, column: usize) -> u32 {
        u32::from(self.offsets[column]) * 8
    }

    fn fits(&self, row: &[u64; N]) -> bool {
        (0..N).all(|column| row[column].wrapping_sub(self.bases[column]) <= self.masks[column])
    }

    /// The number of a column in the row at `at`.
    #[inline]
    fn number(&self, bytes: &[u8], at: usize, column: usize) -> u64 {
        let above = load(bytes, at + usize::from(self.offsets[column])) & self.masks[column];
        self.bases[column].wrapping_add(above)
    }

    /// The row at `at`.
    #[inline]
    fn load(&self, bytes: &[u8], at: usize) -> [u64; N] {
        std::array::from_fn(|column| self.number(bytes, at, column))
    }

    /// A narrow row from its word.
    #[inline(always)]
    fn unpack(&self, word: u64) -> [u64; N] {
        std::array::from_fn(|column| {
            let above = word.wrapping_shr(self.shift(column)) & self.masks[column];
            self.bases[column].wrapping_add(above)
        })
    }

    /// What to compare the words of narrow rows with, to find this key.
    #[inline(always)]
    fn target<const K: usize>(&self, key: &[u64; K]) -> Target {
        // The key columns are on top; what is above the row is shifted out.
        let up = 64 - u32::from(self.stride) * 8;
        let below = K.checked_sub(1).map_or(0, |last| self.shift(last));
        let mask = u64::MAX.checked_shl(below).unwrap_or(0) & u64::MAX.checked_shr(up).unwrap_or(0);
        let mut target = Target {
            number: 0,
            mask,
            fit: Fit::Exact,
        };
        for (column, &part) in key.iter().enumerate() {
            let shift = self.shift(column);
            match part.checked_sub(self.bases[column]) {
                Some(above) if above <= self.masks[column] => {
                    target.number |= above.wrapping_shl(shift);
                }
                // No row has this number; the columns after it do not matter any more.
                Some(_) => {
                    let above_column =
                        u64::MAX.checked_shl(shift + self.masks[column].count_ones());
                    target.number |= mask & !above_column.unwrap_or(0);
                    target.fit = Fit::Behind;
                    break;
                }
                None => {
                    target.fit = Fit::Before;
                    break;
                }
            }
        }
        target
    }
}

/// A key as the words of narrow rows have it.
#[derive(Clone, Copy)]
struct Target {
    number: u64,
    /// The bits of the key in a word.
    mask: u64,
    fit: Fit,
}

/// Where rows are whose key has the number of the target.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// They have the key that is sought.
    Exact,
    /// The key that is sought is before them.
    Before,
    /// The key that is sought is after them.
    Behind,
}

impl Target {
    /// Returns whether the key that is sought is after the row.
    #[inline]
    fn is_above(&self, word: u64) -> bool {
        let key = word & self.mask;
        key < self.number || (self.fit == Fit::Behind && key == self.number)
    }

    #[inline]
    fn is_key_of(&self, word: u64) -> bool {
        self.fit == Fit::Exact && word & self.mask == self.number
    }
}

#[inline]
fn load(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes[at..at + 8].try_into();
    u64::from_le_bytes(eight.expect("eight bytes are eight"))
}

#[inline]
fn store(bytes: &mut [u8], at: usize, number: u64) {
    bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
}

/// The least and the greatest number in each column.
fn extents<const N: usize>(rows: impl Iterator<Item = [u64; N]>) -> ([u64; N], [u64; N]) {
    let (mut lows, mut highs) = ([u64::MAX; N], [0; N]);
    for row in rows {
        for column in 0..N {
            lows[column] = lows[column].min(row[column]);
            highs[column] = highs[column].max(row[column]);
        }
    }
    (lows, highs)
}

/// Returns how many bytes hold the numbers up to this one.
#[inline]
fn bytes_for(greatest: u64) -> u8 {
    (u64::BITS - greatest.leading_zeros()).div_ceil(8) as u8
}
