//! The orders in which streams are listed. Each is made once for a survey, when it is first asked
//! for: pages ask for the same one again and again.

use std::cmp::Ordering;
use std::sync::OnceLock;

use crate::survey::Row;

/// What streams are sorted by; those that are equal by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Bytes,
    Length,
    Lag,
    Pending,
    Last,
    Iids,
    Duplicates,
    Name,
}

impl Order {
    const ALL: [(Order, &'static str); 8] = [
        (Order::Bytes, "bytes"),
        (Order::Length, "length"),
        (Order::Lag, "lag"),
        (Order::Pending, "pending"),
        (Order::Last, "last"),
        (Order::Iids, "iids"),
        (Order::Duplicates, "duplicates"),
        (Order::Name, "name"),
    ];

    /// The words for them, in a request.
    pub(crate) const WORDS: [&'static str; Order::ALL.len()] = {
        let mut words = [""; Order::ALL.len()];
        let mut index = 0;
        while index < words.len() {
            words[index] = Order::ALL[index].1;
            index += 1;
        }
        words
    };

    /// The one that a word stands for; that by bytes unless it is another.
    pub(crate) fn of(word: Option<&str>) -> Order {
        let found = Order::ALL.iter().find(|(_, of)| Some(*of) == word);
        found.map_or(Order::Bytes, |(order, _)| *order)
    }

    fn compare(self, a: &Row, b: &Row) -> Ordering {
        let of = |row: &Row| match self {
            Order::Bytes => row.bytes,
            Order::Length => row.length,
            Order::Lag => row.lag,
            Order::Pending => row.pending,
            Order::Last => row.last_ms,
            Order::Iids => row.iids,
            Order::Duplicates => row.duplicates,
            Order::Name => 0,
        };
        of(b).cmp(&of(a)).then_with(|| a.key.cmp(&b.key))
    }
}

/// Rows in each order that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Orders([OnceLock<Box<[u32]>>; Order::ALL.len()]);

impl Orders {
    /// The places of the rows, in an order.
    pub(crate) fn get(&self, order: Order, rows: &[Row]) -> &[u32] {
        self.0[order as usize].get_or_init(|| {
            let mut places: Vec<u32> = (0..).take(rows.len()).collect();
            let row = |place: &u32| &rows[*place as usize];
            places.sort_by(|a, b| order.compare(row(a), row(b)));
            places.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_has_the_word_of_its_place() {
        for (index, (order, word)) in Order::ALL.iter().enumerate() {
            assert_eq!(*order as usize, index);
            assert_eq!(Order::of(Some(word)), *order);
        }
        assert_eq!(Order::of(None), Order::Bytes);
    }
}
