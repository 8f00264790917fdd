//! Time passes for a node, and what is due is done.

use crate::node::Node;

impl Node {
    /// The time goes on in steps, and what is due is done. Returns how often the timer was called.
    pub(crate) fn pass(&mut self, ms: u64) -> usize {
        let end = self.now.mono.plus(ms);
        let mut calls = 0;
        loop {
            let next = self.engine.next_deadline(self.now);
            let next = next.filter(|at| *at <= end).unwrap_or(end);
            if next > self.now.mono {
                self.wait((next.0 - self.now.mono.0).max(1));
            }
            let is_due = |node: &Node| {
                let next = node.engine.next_deadline(node.now);
                next.is_some_and(|at| at <= node.now.mono)
            };
            while is_due(self) {
                self.engine.timer(self.now);
                calls += 1;
            }
            if self.now.mono >= end {
                return calls;
            }
        }
    }
}
