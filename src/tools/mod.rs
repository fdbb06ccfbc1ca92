//! Outside programs as pure functions that return the command to run.

pub mod docker;
pub mod git;
pub mod nginx;
