//! A migration whose keys were sent (`MIGRATE`): its client's request goes on.

use crate::Engine;
use crate::server::migrations::Transferred;
use crate::time::Now;

impl Engine {
    /// Returns whether a client still waits for a migration. If not, it can be given up.
    pub fn awaits_migration(&self, number: u64) -> bool {
        let client = self.server.migrations.client(number);
        let session = client.and_then(|client| self.server.sessions.find(client));
        session.is_some_and(|session| session.wait.is_some())
    }

    /// The keys of a migration were sent, or not ([`Order::Migrate`](crate::server::Order)). The
    /// request of its client goes on, now or once writes are no longer held back. If the client is
    /// gone, the keys stay.
    pub fn migration_ended(&mut self, number: u64, transferred: Transferred, now: Now) {
        self.data.keyspace.begin_request();
        let Some(client) = self.server.migrations.client(number) else {
            return;
        };
        self.server.migrations.end(number, transferred);
        self.resume(client, now);
        if !self.awaits_migration(number) {
            self.server.migrations.remove(number);
        }
        if self.data.blocking.has_ready() {
            self.serve_ready(now);
        }
    }
}
