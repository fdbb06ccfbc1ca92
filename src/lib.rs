//! dokku 0.3.18 again, in Rust. Start at `faces/dokku.rs` for commands, at `push/receive.rs` for a push.
//! Lower rooms never know upper ones: `files` and `tools` know nobody, `push` knows them and `hooks`,
//! `plugins` know `push`, `faces` know all.

pub mod app;
pub mod args;
pub mod cmd;
pub mod dokkurc;
pub mod exec;
pub mod faces;
pub mod fail;
pub mod files;
pub mod hooks;
pub mod house;
pub mod io;
pub mod legacy;
pub mod lock;
pub mod nginx;
pub mod operation;
pub mod plugins;
pub mod process;
pub mod progress;
pub mod push;
pub mod recovery;
pub mod retirement;
pub mod say;
pub mod settings;
pub mod standing;
pub mod tools;
pub mod user;
