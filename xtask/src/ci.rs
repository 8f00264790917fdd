//! `ci`: the chores that continuous integration runs, in the order in which they are likely to
//! fail.

use anyhow::Result;
use clap::Args;

use crate::{check::Check, deny::Deny, test::Test};

#[derive(Debug, Args)]
pub(crate) struct Ci {}

impl Ci {
    pub(crate) fn run(&self) -> Result<()> {
        Check {}.run()?;
        Test::everything().run()?;
        Deny::without_advisories().run_if_possible()
    }
}
