//! Outside programs as pure functions that return the command to run.

pub mod accounts;
pub mod bash;
pub mod copy;
pub mod curl;
pub mod docker;
pub mod git;
pub mod nginx;
pub mod packages;
pub mod ssh;
